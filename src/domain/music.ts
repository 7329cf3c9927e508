import type { Pictures } from './discord-cdn.ts'
import {
  isObject,
  isSpotify,
  type JsonObject,
  type PresenceState,
  readSpotify,
  type Spotify,
  spotifyCover,
} from './presence.ts'

/** What somebody listens to, wherever it plays. Every key is always there, null when it is not told. */
export interface NowPlaying {
  /** The service: `spotify`, `youtube_music`, …; of others its name in lower snake case. */
  readonly source: string | null
  readonly song: string | null
  readonly artist: string | null
  readonly album: string | null
  readonly album_art_url: string | null
  readonly track_id: string | null
  /** An `https:` address. */
  readonly track_url: string | null
  /** Milliseconds since 1970. */
  readonly timestamps: { readonly start: number | null; readonly end: number | null } | null
  readonly duration_ms: number | null
}

const LISTENING = 2

/**
 * Services by the applications that tell of them: these may give an activity any name, that of the song for one. Sources:
 * the applications' own code, which names the id it signs in with.
 */
const APPLICATIONS: ReadonlyMap<unknown, string> = new Map([
  // th-ch/youtube-music, ytmdesktop/ytmdesktop
  ['1177081335727267940', 'youtube_music'],
  ['1143202598460076053', 'youtube_music'],
  // NextFire/apple-music-discord-rpc, for Music and iTunes; PKBeam/AMWin-RP; ciderapp/Cider, by either name
  ['773825528921849856', 'apple_music'],
  ['979297966739300416', 'apple_music'],
  ['1066220978406953012', 'apple_music'],
  ['886578863147192350', 'apple_music'],
  ['911790844204437504', 'apple_music'],
  // Mastermindzh/tidal-hifi
  ['833617820704440341', 'tidal'],
  // richardhbtz/soundcloud-rpc
  ['1090770350251458592', 'soundcloud'],
])

/** Services whose activities go by other names than their own. Lower case. */
const SERVICES: ReadonlyMap<string, string> = new Map([
  ['youtube music desktop app', 'youtube_music'],
  ['ytmdesktop', 'youtube_music'],
  ['music', 'apple_music'],
  ['itunes', 'apple_music'],
  ['cider', 'apple_music'],
  ['tidal hi-fi', 'tidal'],
])

/** Pixels. */
const ART = 512

/** The same of a kept presence, as JSON text. */
export function nowPlayingText({ activities, spotify }: PresenceState, pictures: Pictures): string {
  // Most people listen to nothing, so this need not be parsed for them.
  if (spotify === 'null' && !activities.includes(`"type":${LISTENING}`)) return 'null'
  // Nor all of it for those who listen to Spotify.
  if (spotify !== 'null' && !activities.includes('"details_url"')) return JSON.stringify(ofSpotify(JSON.parse(spotify)))
  return JSON.stringify(readNowPlaying(JSON.parse(activities), pictures))
}

/** Spotify wherever it stands, else the first that is listened to. */
function findPlaying(activities: readonly JsonObject[]): JsonObject | undefined {
  return activities.find(isSpotify) ?? activities.find(({ type }) => type === LISTENING)
}

/** Where the cover of what plays is, at the configured hosts. Spotify has its own covers and no others. */
export function albumArt(activities: readonly JsonObject[], pictures: Pictures, size: number): string | undefined {
  const playing = findPlaying(activities)
  if (playing === undefined) return undefined
  const { large_image: image } = isObject(playing.assets) ? playing.assets : {}
  if (isSpotify(playing) && spotifyCover(image) === undefined) return undefined
  return pictures.activity(playing, 'large', size)
}

/** What plays, as a presence and a history tell it; null for nothing. */
export function readNowPlaying(activities: readonly JsonObject[], pictures: Pictures): NowPlaying | null {
  const playing = findPlaying(activities)
  if (playing === undefined) return null
  if (isSpotify(playing)) return ofSpotify(readSpotify(playing), playing.details_url)
  const { name, application_id, details, state, assets, details_url } = playing
  const timestamps = readTimestamps(playing.timestamps)
  return {
    source: APPLICATIONS.get(application_id) ?? sourceOf(name),
    song: textOrNull(details),
    artist: textOrNull(state),
    album: isObject(assets) ? textOrNull(assets.large_text) : null,
    album_art_url: pictures.activity(playing, 'large', ART) ?? null,
    track_id: null,
    track_url: secureUrl(details_url),
    timestamps,
    duration_ms: lengthOf(timestamps),
  }
}

function ofSpotify({ song, artist, album, album_art_url, track_id, ...rest }: Spotify, url?: unknown): NowPlaying {
  const timestamps = readTimestamps(rest.timestamps)
  const track_url = secureUrl(url) ?? spotifyUrl(track_id)
  const told = { song, artist, album, album_art_url, track_id, track_url }
  return { source: 'spotify', ...told, timestamps, duration_ms: lengthOf(timestamps) }
}

const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)

function sourceOf(name: unknown): string | null {
  if (typeof name !== 'string') return null
  const lower = name.trim().toLowerCase()
  const snake = lower.slice(0, 64).replaceAll(/[^a-z0-9]+/g, '_')
  return SERVICES.get(lower) ?? (snake.replaceAll(/^_+|_+$/g, '') || null)
}

function secureUrl(value: unknown): string | null {
  return typeof value === 'string' && /^https:\/\/[^\s\p{Cc}]+$/iu.test(value) && URL.canParse(value) ? value : null
}

function spotifyUrl(trackId: string | null): string | null {
  return /^[A-Za-z0-9]{1,64}$/.test(trackId ?? '') ? `https://open.spotify.com/track/${trackId}` : null
}

function readTimestamps(value: unknown): NowPlaying['timestamps'] {
  const { start, end } = isObject(value) ? value : {}
  const times = { start: numberOrNull(start), end: numberOrNull(end) }
  const isBackwards = times.start !== null && times.end !== null && times.end < times.start
  return isBackwards || (times.start === null && times.end === null) ? null : times
}

const numberOrNull = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : null)

function lengthOf(timestamps: NowPlaying['timestamps']): number | null {
  const { start, end } = timestamps ?? {}
  return typeof start === 'number' && typeof end === 'number' ? end - start : null
}
