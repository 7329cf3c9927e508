import { isObject, isSpotify, type JsonObject } from './presence.ts'
import { clean } from './text.ts'

// How an activity reads: the same on a card, in the element and on the page. Runs in browsers too.

export const STREAMING = 1
export const CUSTOM_STATUS = 4
export const HANG_STATUS = 6

/** What an activity is, by its type from 0. A custom status (4) is no doing. Source: Discord docs, "Activity Types". */
const VERBS = ['Playing', 'Streaming', 'Listening to', 'Watching', '', 'Competing in', 'Hanging out']

/** Said of a type nobody knows yet, too. */
export const verbOf = (type: unknown) => (Number.isInteger(type) && VERBS[Number(type)]) || 'Doing'

/** What these name is where it happens, and the details say what it is; of a game the name says what it is. */
const PLACES: readonly unknown[] = [STREAMING, 2, 3]

/** Where something that goes on began and will end, milliseconds since 1970. At least one of the two is there. */
export type Timing =
  | { readonly start: number; readonly end: number | undefined }
  | { readonly start: undefined; readonly end: number }

export interface ActivityText {
  readonly kind: 'spotify' | 'hang' | 'activity'
  /** `Playing`, `Listening to Spotify`, `Streaming on Twitch` … */
  readonly label: string
  readonly title: string
  /** What else is told, the most important first; none of it is empty. */
  readonly lines: readonly string[]
  /** Of a song, where that is told. */
  readonly album: string | undefined
  readonly timing: Timing | undefined
}

/** Whether an activity is something somebody does; the rest says how they are. */
export const isDoing = ({ type }: JsonObject) => type !== CUSTOM_STATUS

export function readActivityText(activity: JsonObject): ActivityText {
  if (isSpotify(activity)) return readSong(activity)
  if (activity.type === HANG_STATUS) return readHangStatus(activity)
  const { type } = activity
  const verb = verbOf(type)
  const name = clean(activity.name) || 'something'
  const details = clean(activity.details)
  const state = [clean(activity.state), readParty(activity.party)].filter(Boolean).join(' ')
  const isPlace = PLACES.includes(type) && details !== ''
  return {
    kind: 'activity',
    label: isPlace ? `${type === STREAMING ? 'Streaming on' : verb} ${name}` : verb,
    title: isPlace ? details : name,
    lines: [isPlace ? '' : details, state].filter(Boolean),
    album: undefined,
    timing: readTiming(activity.timestamps),
  }
}

function readSong(activity: JsonObject): ActivityText {
  const artists = clean(activity.state).replaceAll(/;\s*/g, ', ')
  return {
    kind: 'spotify',
    label: 'Listening to Spotify',
    title: clean(activity.details) || 'A song',
    lines: [artists].filter(Boolean),
    album: (isObject(activity.assets) && clean(activity.assets.large_text)) || undefined,
    timing: readTiming(activity.timestamps),
  }
}

/** How people say they are to be found in a voice channel, by the key that is sent; as Discord writes it. */
const HANG_STATUSES: Readonly<Record<string, string>> = {
  chilling: 'Chilling',
  gaming: 'GAMING',
  focusing: 'In the zone',
  brb: 'Gonna BRB',
  eating: 'Grubbin',
  'in-transit': 'Wandering IRL',
  watching: "Watchin' stuff",
}

/** One of one's own has the key `custom` and says itself in the details. */
function readHangStatus({ state, details }: JsonObject): ActivityText {
  const key = clean(state)
  const own = clean(details)
  const title = Object.hasOwn(HANG_STATUSES, key) ? HANG_STATUSES[key] : own || (key === 'custom' ? '' : key)
  const timing = undefined
  return {
    kind: 'hang',
    label: verbOf(HANG_STATUS),
    title: title || 'In a voice channel',
    lines: [],
    album: undefined,
    timing,
  }
}

/** How many of how many play together. */
function readParty(party: unknown): string {
  const size = isObject(party) ? party.size : undefined
  if (!Array.isArray(size)) return ''
  const [current, most] = size as unknown[]
  if (!isCount(current) || !isCount(most) || most < current) return ''
  return `(${current} of ${most})`
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && Number(value) > 0 && Number(value) < 1e6

/** An end before the start is none. Undefined where nothing usable is told. */
export function readTiming(timestamps: unknown): Timing | undefined {
  if (!isObject(timestamps)) return undefined
  const [start, end] = [readTime(timestamps.start), readTime(timestamps.end)]
  if (start === undefined) return end === undefined ? undefined : { start, end }
  return { start, end: end !== undefined && end > start ? end : undefined }
}

/**
 * A time a date can have, milliseconds since 1970. Some applications send digits as a string, which Discord understands;
 * 0 is what they send who have no time.
 */
export function readTime(value: unknown): number | undefined {
  const time = typeof value === 'string' && /^\d{1,16}$/.test(value) ? Number(value) : value
  return typeof time === 'number' && time > 0 && time < 8.64e15 ? time : undefined
}
