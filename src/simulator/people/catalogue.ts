/** Invented names, songs and games from which the builders make believable people. */

export interface Song {
  title: string
  artist: string
  album: string
  /** Milliseconds. */
  length: number
  /** Spotify's id of the cover, 40 hexadecimal digits. */
  art: string
  trackId: string
}

export interface Game {
  name: string
  applicationId: string
  details: string
  state: string
  /** Ids of its art at Discord; many games have none, and are shown by their icon. */
  art?: { readonly large: string; readonly small?: string }
  /** What is said of the small art. */
  smallText?: string
  /** How many play together at most. */
  seats?: number
}

/** A custom status: a text, an emoji, or both. */
export interface StatusText {
  readonly text: string | null
  readonly emoji?: { readonly name: string; readonly id?: string; readonly animated?: boolean }
}

const song = (title: string, artist: string, album: string, seconds: number, tag: string): Song => ({
  title,
  artist,
  album,
  length: seconds * 1000,
  art: `ab67616d0000b273${tag.padEnd(24, '0')}`,
  trackId: `${tag}SimulatedTrack0000`.slice(0, 22),
})

export const SONGS: readonly Song[] = [
  song('Paper Lanterns', 'Hollow Coast', 'Tidewater', 187, '1a2b3c'),
  song('Slow Satellites', 'Mira Vance', 'Low Orbit', 211, '2b3c4d'),
  song('Eleven Windows', 'The Quiet Machines', 'Second Floor', 164, '3c4d5e'),
  song('Copper & Rain', 'Juniper Falls; Anton Reyes', 'Copper & Rain', 242, '4d5e6f'),
  song('Nachtbus', 'Kaltlicht', 'Linie 9', 198, '5e6f7a'),
  song('Glasshouse', 'Mira Vance', 'Low Orbit', 176, '6f7a8b'),
  song('北の灯', 'Hoshizora Club', '夜行', 229, '7a8b9c'),
  song('Undertow (Reprise)', 'Hollow Coast', 'Tidewater', 143, '8b9cad'),
  song('Marble Run', 'Pocket Orchestra', 'Toys for Giants', 205, '9cadbe'),
  song('Café de la Lune', 'Élodie Marchand', 'Minuit', 219, 'adbecf'),
]

/** Large art is a landscape, small art a sign: the last digit of the id decides (see picture-paths.ts). */
export const GAMES: readonly [Game, Game, Game, Game, Game, Game] = [
  {
    name: 'Lumen Drift',
    applicationId: '901234567890123001',
    details: 'Ranked, Ember Pass',
    state: 'In a lobby',
    art: { large: '110000000000000102', small: '110000000000000213' },
    smallText: 'Level 38',
    seats: 4,
  },
  {
    name: 'Hearthwood',
    applicationId: '901234567890123002',
    details: 'Day 41',
    state: 'Fishing',
    art: { large: '110000000000000104' },
  },
  {
    name: 'Iron Tides II',
    applicationId: '901234567890123003',
    details: 'Campaign',
    state: 'Act 3',
    art: { large: '110000000000000108', small: '110000000000000217' },
    smallText: 'Captain',
    seats: 2,
  },
  {
    name: 'Cube Garden',
    applicationId: '901234567890123004',
    details: 'Building',
    state: 'Solo',
    art: { large: '110000000000000219' },
  },
  {
    name: 'Visual Studio Code',
    applicationId: '901234567890123005',
    details: 'Editing main.ts',
    state: 'Workspace',
    art: { large: '110000000000000225', small: '110000000000000227' },
    smallText: 'TypeScript',
  },
  {
    name: 'The Extraordinarily Long Voyage of the Good Ship Perseverance, Part the Second',
    applicationId: '901234567890123006',
    details:
      'Chapter 17, in which the crew finds out that the map was upside down all along, and turns the ship around',
    state: 'Somewhere between the Outer Lesser Islands and the Lesser Outer Islands',
    art: { large: '110000000000000106', small: '110000000000000229' },
    smallText: 'First mate of the second watch',
    seats: 100,
  },
]

/** Without art of its own: nothing but its application is told. */
export const ARTLESS: Game = {
  name: 'Pond Simulator',
  applicationId: '901234567890123007',
  details: 'Counting ducks',
  state: 'Seven so far',
}

/** Something that has registered with Discord. */
export interface Application {
  readonly id: string
  readonly name: string
  /** The hash of its icon. */
  readonly icon: string | null
}

/** Those of the games, and one that never got itself an icon. */
export const APPLICATIONS: readonly Application[] = [
  ...[...GAMES, ARTLESS].map(({ applicationId, name }) => ({ id: applicationId, name, icon: iconHash(applicationId) })),
  { id: '901234567890123009', name: 'Streambox', icon: null },
]

function iconHash(applicationId: string): string {
  return applicationId.padStart(32, '0').replaceAll('9', 'e')
}

export const EMOJIS: readonly [Required<StatusText>['emoji'], Required<StatusText>['emoji']] = [
  { name: 'moss', id: '1100000000000000017', animated: false },
  { name: 'kettle', id: '1100000000000000014', animated: true },
]

export const STATUS_TEXTS: readonly string[] = [
  'brb, tea',
  'deep work',
  'on a train',
  'ask me about moss',
  'reading',
  '🌧️',
]

export const NAMES: readonly string[] = [
  'Ada',
  'Bo',
  'Chidi',
  'Dune',
  'Elif',
  'Fern',
  'Gus',
  'Hana',
  'Ivo',
  'June',
  'Kai',
  'Lark',
  'Mio',
  'Noor',
  'Otto',
  'Pia',
  'Quill',
  'Remy',
  'Sol',
  'Tove',
  'Uma',
  'Vik',
  'Wren',
  'Xan',
  'Yuki',
  'Zed',
]
