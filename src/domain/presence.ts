/** A JSON object of unknown shape: what the gateway sends. Nothing about its fields may be assumed. */
export type JsonObject = Readonly<Record<string, unknown>>

export type Status = 'online' | 'idle' | 'dnd' | 'offline'

/** What a presence shows of Spotify. Source: the activity that {@link isSpotify}. */
export interface Spotify {
  track_id: string | null
  song: string | null
  artist: string | null
  album: string | null
  album_art_url: string | null
  timestamps: JsonObject | null
}

/** The platforms a client can be active on, in wire order; a presence packs them into a bit mask. */
export const PLATFORMS = ['web', 'desktop', 'mobile', 'embedded', 'vr'] as const

/** The bit of one platform in such a mask. */
export const platformBit = (name: (typeof PLATFORMS)[number]) => 1 << PLATFORMS.indexOf(name)

/** Where covers of albums are, unless the settings name another host. */
export const SPOTIFY_CDN_URL = 'https://i.scdn.co'

/** Whoever listens to Spotify has an activity with this id; no other activity has it. */
export const isSpotify = (activity: JsonObject) => activity.id === 'spotify:1'

/** The name of a cover in an activity's `large_image` or `small_image`: what follows `spotify:`, unchecked. */
export const spotifyCover = (image: unknown) =>
  typeof image === 'string' ? /^spotify:(.+)$/s.exec(image)?.[1] : undefined

/**
 * A presence as the store keeps it: small, and already JSON where it is nested, because text costs a fraction of the
 * objects' memory, compares in one step and is spliced into snapshots as it is.
 */
export interface PresenceState {
  status: Status
  /** Bit i is set when {@link PLATFORMS}[i] is active. */
  platforms: number
  /** JSON array: the gateway's activities in order, without `secrets`. */
  activities: string
  /** JSON object ({@link Spotify}) or `null`. */
  spotify: string
}

export const OFFLINE: PresenceState = { status: 'offline', platforms: 0, activities: '[]', spotify: 'null' }

/** What is told about one person. */
export interface PersonState {
  /** JSON object: the user as the gateway sent it, `id`, `bot` and `public_flags` always there. */
  user: string
  presence: PresenceState
  /** Unix milliseconds, or null. */
  lastSeenAt: number | null
  kv: ReadonlyMap<string, string>
}

const STATUSES: ReadonlyMap<unknown, Status> = new Map([
  ['online', 'online'],
  ['idle', 'idle'],
  ['dnd', 'dnd'],
  ['offline', 'offline'],
  ['invisible', 'offline'],
])

/** Whether it is one of the statuses that are told. */
export const isStatus = (value: unknown): value is Status => STATUSES.get(value) === value

/** A snowflake as Discord writes it: a string of digits. Numbers have lost their last digits and are refused. */
export function isSnowflake(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,20}$/.test(value)
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The user's JSON text with the fields every reader relies on, and without those that are nobody's business; null when
 * it has no usable id.
 */
export function readUser(user: unknown): string | null {
  if (!isObject(user) || !isSnowflake(user.id)) return null
  const publicFlags = Number.isInteger(user.public_flags) ? user.public_flags : 0
  return JSON.stringify({ ...sanitizeUser(user), bot: user.bot === true, public_flags: publicFlags })
}

/** A kept user's JSON text as it would be read today: an older version may have kept more. */
export function rereadUser(kept: string): string {
  return mayHoldPrivate(kept) ? (readUser(JSON.parse(kept)) ?? kept) : kept
}

/** Lays the fields of a partial user over the kept JSON text. The id stays. */
export function mergeUser(kept: string, partial: JsonObject): string {
  const before = JSON.parse(kept) as JsonObject
  return readUser({ ...before, ...partial, id: before.id }) ?? kept
}

/**
 * Lays a gateway presence over the kept one. Discord validates no field of a presence, so a field that is missing or of
 * the wrong type keeps its last good value. Source: Discord gateway docs, Presence Update.
 */
export function applyPresence(kept: PresenceState, update: JsonObject): PresenceState {
  const status = STATUSES.get(update.status) ?? kept.status
  if (status === 'offline') return OFFLINE
  const platforms = isObject(update.client_status) ? readPlatforms(update.client_status) : kept.platforms
  if (!Array.isArray(update.activities)) return { ...kept, status, platforms }
  return { status, platforms, ...readActivities(update.activities) }
}

export function samePresence(a: PresenceState, b: PresenceState): boolean {
  return a.status === b.status && a.platforms === b.platforms && a.activities === b.activities
}

/** The wire text of a presence: every key always present. `nowPlaying` is JSON, what they listen to or `null`. */
export function buildPresence({ user, presence, lastSeenAt, kv }: PersonState, nowPlaying: string): string {
  const platforms = PLATFORMS.map(
    (name, bit) => `"active_on_discord_${name}":${(presence.platforms & (1 << bit)) !== 0},`,
  )
  return (
    `{"kv":${kvJson(kv)},"discord_user":${user},"discord_status":"${presence.status}",${platforms.join('')}` +
    `"listening_to_spotify":${presence.spotify !== 'null'},"spotify":${presence.spotify},` +
    `"activities":${presence.activities},"last_seen_at":${lastSeenAt},"now_playing":${nowPlaying}}`
  )
}

/** What {@link buildPresence} made a wire text of. */
export function parsePresence(json: string): PersonState {
  const wire = JSON.parse(json) as JsonObject
  const platforms = PLATFORMS.reduce(
    (mask, name) => (wire[`active_on_discord_${name}`] === true ? mask | platformBit(name) : mask),
    0,
  )
  return {
    user: JSON.stringify(wire.discord_user),
    presence: {
      status: STATUSES.get(wire.discord_status) ?? 'offline',
      platforms,
      activities: JSON.stringify(wire.activities),
      spotify: JSON.stringify(wire.spotify),
    },
    lastSeenAt: typeof wire.last_seen_at === 'number' ? wire.last_seen_at : null,
    kv: new Map(Object.entries(wire.kv as Record<string, string>)),
  }
}

/** Pairs as a JSON object. Spliced, not an object: `__proto__` and `constructor` are ordinary keys here. */
export function kvJson(kv: ReadonlyMap<string, string>): string {
  let json = ''
  for (const [key, value] of kv) json += `${json === '' ? '{' : ','}${quote(key)}:${quote(value)}`
  return json === '' ? '{}' : `${json}}`
}

/** A JSON string. Most values need nothing but the quotes, whatever their length: pairs never hold half characters. */
function quote(text: string): string {
  return /^[ !#-[\]-\uffff]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

function readPlatforms(clientStatus: JsonObject): number {
  return PLATFORMS.reduce((mask, name, bit) => (Object.hasOwn(clientStatus, name) ? mask | (1 << bit) : mask), 0)
}

const NO_ACTIVITIES = { activities: '[]', spotify: 'null' } as const

function readActivities(list: readonly unknown[]): Pick<PresenceState, 'activities' | 'spotify'> {
  if (list.length === 0) return NO_ACTIVITIES
  const activities = list.filter(isObject).map(readActivity)
  const spotify = activities.find(isSpotify)
  return {
    activities: JSON.stringify(activities),
    spotify: spotify === undefined ? 'null' : JSON.stringify(readSpotify(spotify)),
  }
}

/** The activity as sent, without the secrets that let a stranger join a game, and with ids as strings. */
function readActivity(sent: JsonObject): JsonObject {
  const activity = sanitizeActivity(sent)
  const { application_id, emoji } = activity
  const numericEmoji = isObject(emoji) && typeof emoji.id === 'number'
  if (!('secrets' in activity) && typeof application_id !== 'number' && !numericEmoji) return activity
  const { secrets: _, ...rest } = activity
  return {
    ...rest,
    ...(typeof application_id === 'number' && { application_id: String(application_id) }),
    ...(numericEmoji && { emoji: { ...emoji, id: String(emoji.id) } }),
  }
}

export function readSpotify(activity: JsonObject): Spotify {
  const assets = isObject(activity.assets) ? activity.assets : {}
  const cover = spotifyCover(assets.large_image)
  return {
    track_id: textOrNull(activity.sync_id),
    song: textOrNull(activity.details),
    artist: textOrNull(activity.state),
    album: textOrNull(assets.large_text),
    album_art_url: cover === undefined ? null : `${SPOTIFY_CDN_URL}/image/${cover}`,
    timestamps: isObject(activity.timestamps) ? activity.timestamps : null,
  }
}

const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)

/**
 * How deep anything may nest that leaves here, counted from the outside of the deepest frame there is, an INIT_STATE of
 * many people. Parsers of clients give up at depths like 100, and one person must not take all others along.
 */
const DEEPEST = 64
/** Levels of such a frame around a user (frame, `d`, presence), and around an activity (their list, too). */
const AROUND_USER = 3
const AROUND_ACTIVITY = 4

/** Fields of a user that are nobody's business, in any spelling. Discord sends them to their owner alone. */
const PRIVATE: ReadonlySet<string> = new Set(['email', 'phone', 'verified', 'mfaenabled', 'locale'])
const SECRET = /secret|token|password|hash|fingerprint|totp/i
const HINT = /email|phone|verified|mfa|locale|secret|token|password|hash|fingerprint|totp/i

/** A user without what must never be shown or kept, whatever it is in, and without what nests too deep. */
export const sanitizeUser = (user: JsonObject) => sanitize(user, DEEPEST - AROUND_USER, isPrivate)

/** An activity without what nests too deep. */
export const sanitizeActivity = (activity: JsonObject) => sanitize(activity, DEEPEST - AROUND_ACTIVITY, isNothing)

/** Whether a field of a user with this name is left out. */
function isPrivate(name: string): boolean {
  return SECRET.test(name) || PRIVATE.has(name.toLowerCase().replaceAll(/[^a-z]/g, ''))
}

/** Whether a user's JSON text could have such a field; a quick look that may be wrong, but misses none. */
export const mayHoldPrivate = (json: string) => HINT.test(json)

const isNothing = () => false

type Unwanted = (name: string) => boolean

/** The same object when nothing has to go, which is how it nearly always is. */
function sanitize(value: JsonObject, levels: number, unwanted: Unwanted): JsonObject {
  return isClean(value, levels, unwanted) ? value : (copy(value, levels, unwanted) as JsonObject)
}

/** Every event comes through here, so it is worth being quick. */
function isClean(value: JsonObject | readonly unknown[], levels: number, unwanted: Unwanted): boolean {
  if (levels === 0) return false
  const isNamed = unwanted !== isNothing && !Array.isArray(value)
  // JSON has own fields only, so this sees no others.
  for (const name in value) {
    if (isNamed && unwanted(name)) return false
    const inside = (value as JsonObject)[name]
    if (typeof inside === 'object' && inside !== null && !isClean(inside as JsonObject, levels - 1, unwanted))
      return false
  }
  return true
}

/** `levels` is at least 1: what has none is left out by whoever holds it. */
function copy(value: object, levels: number, unwanted: Unwanted): unknown {
  const fits = (item: unknown) => levels > 1 || typeof item !== 'object' || item === null
  const inside = (item: unknown) =>
    typeof item === 'object' && item !== null ? copy(item, levels - 1, unwanted) : item
  if (Array.isArray(value)) return value.filter(fits).map(inside)
  // Not by assignment: a field may be called `__proto__`.
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, item]) => !unwanted(name) && fits(item))
      .map(([name, item]) => [name, inside(item)]),
  )
}
