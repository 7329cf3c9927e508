import { serverTag } from '../domain/discord-cdn.ts'
import { isObject, isSpotify, type JsonObject, platformBit, type Status } from '../domain/presence.ts'
import type { Person } from '../domain/presences.ts'
import { ago } from './animated-clock.ts'
import { type Badge, isVerifiedBot, readBadges } from './badges.ts'
import type { CardOptions } from './options.ts'
import { clean } from './text.ts'

/** Something somebody does, as one row of a card. */
export interface Row {
  readonly kind: 'spotify' | 'activity'
  /** The activity as it came, to find pictures with. */
  readonly activity: JsonObject
  /** `Playing`, `Listening to Spotify` … */
  readonly label: string
  readonly title: string
  readonly lines: readonly string[]
  /** Milliseconds since 1970. With an end it is something that has a length; never without a start. */
  readonly timing: { readonly start: number; readonly end: number | undefined } | undefined
}

/** One beside Spotify: a card is no list. */
const MOST_ROWS = 1

const CUSTOM_STATUS = 4
const HANG_STATUS = 6
const STREAMING = 1
const VERBS = ['Playing', 'Streaming', 'Listening to', 'Watching', '', 'Competing in']
/** What these name is where it happens, and the details say what it is; of a game the name says what it is. */
const PLACES: readonly unknown[] = [STREAMING, 2, 3]

/** The most interesting activities, then Spotify. */
function readRows(activities: readonly JsonObject[], options: CardOptions): readonly Row[] {
  const shown = activities.filter(
    ({ type, application_id }) =>
      type !== CUSTOM_STATUS && type !== HANG_STATUS && !options.ignoredApplications.includes(String(application_id)),
  )
  const others = shown.filter(activity => !isSpotify(activity)).toSorted((a, b) => interest(b) - interest(a))
  const spotify = options.hideSpotify ? undefined : shown.find(isSpotify)
  const rows = others.slice(0, MOST_ROWS).map(activity => readRow(activity, options))
  return spotify === undefined ? rows : [...rows, readSpotify(spotify, options)]
}

/** A stream wants to be seen; what has a picture has something to tell. Otherwise Discord's order stands. */
function interest({ type, assets }: JsonObject): number {
  if (type === STREAMING) return 2
  return isObject(assets) && typeof assets.large_image === 'string' ? 1 : 0
}

function readRow(activity: JsonObject, options: CardOptions): Row {
  const { type } = activity
  const verb = (typeof type === 'number' && VERBS[type]) || 'Doing'
  const name = clean(activity.name) || 'something'
  const details = clean(activity.details)
  const state = [clean(activity.state), readParty(activity.party)].filter(Boolean).join(' ')
  const isPlace = PLACES.includes(type) && details !== ''
  return {
    kind: 'activity',
    activity,
    label: isPlace ? `${verb === 'Streaming' ? 'Streaming on' : verb} ${name}` : verb,
    title: isPlace ? details : name,
    lines: [isPlace ? '' : details, state].filter(Boolean),
    timing: readTiming(activity, options),
  }
}

function readSpotify(activity: JsonObject, options: CardOptions): Row {
  const artists = clean(activity.state).replaceAll(/;\s*/g, ', ')
  return {
    kind: 'spotify',
    activity,
    label: 'Listening to Spotify',
    title: clean(activity.details) || 'A song',
    lines: [artists].filter(Boolean),
    timing: readTiming(activity, options),
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

function readTiming({ timestamps }: JsonObject, { hideTimestamp }: CardOptions): Row['timing'] {
  if (hideTimestamp || !isObject(timestamps)) return undefined
  const { start, end } = timestamps
  if (!isTime(start)) return undefined
  return { start, end: isTime(end) && end > start ? end : undefined }
}

/** A time a date can have. */
const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 && value < 8.64e15

/** What a card tells of somebody: their presence without what the options hide, every text cleaned. */
export interface CardModel {
  /** Undefined when only activities are wanted. */
  readonly profile: Profile | undefined
  /** From most to least interesting. */
  readonly rows: readonly Row[]
  /** What is said where there are no rows; undefined where that is no news. */
  readonly idle: string | undefined
}

export interface Profile {
  /** The user object, to find pictures with. */
  readonly user: JsonObject
  readonly name: string
  /** `@ada`, unless the name is that already. */
  readonly handle: string | undefined
  readonly status: Status
  readonly streaming: boolean
  /** On a phone and nowhere else. */
  readonly mobile: boolean
  /** The server tag they wear. */
  readonly tag: string | undefined
  readonly bot: 'verified' | 'plain' | undefined
  readonly badges: readonly Badge[]
  readonly mood: Mood | undefined
  readonly decorated: boolean
}

/** A custom status. */
export interface Mood {
  readonly emoji: JsonObject | undefined
  /** Its emoji where that is text. */
  readonly symbol: string
  readonly text: string
}

/** Said of somebody who is there and does nothing in particular. */
export const NOTHING = 'Not doing anything right now'

/** What of a person is on a card. */
export type Shown = Pick<Person, 'user' | 'presence' | 'lastSeenAt'>

export function readModel(person: Shown, options: CardOptions, now: number): CardModel {
  const activities = (JSON.parse(person.presence.activities) as unknown[]).filter(isObject)
  const rows = options.hideActivity === true ? [] : readRows(activities, options)
  const idle = rows.length === 0 && options.hideActivity === false
  return {
    profile: options.hideProfile ? undefined : readProfile(person, activities, options),
    rows,
    idle: idle ? (options.idleMessage ?? readAbsence(person, options, now)) : undefined,
  }
}

/** For how long somebody has been away, where that is known and not to be hidden. */
function readAbsence({ presence, lastSeenAt }: Shown, { hideTimestamp }: CardOptions, now: number): string {
  if (presence.status !== 'offline') return NOTHING
  return lastSeenAt === null || hideTimestamp ? 'Offline' : `Last seen ${ago(now - lastSeenAt)}`
}

function readProfile(
  { user: json, presence }: Shown,
  activities: readonly JsonObject[],
  options: CardOptions,
): Profile {
  const user = JSON.parse(json) as JsonObject
  return {
    user,
    ...readNames(user, options),
    status: presence.status,
    streaming: presence.status !== 'offline' && activities.some(activity => activity.type === 1),
    mobile: presence.platforms === platformBit('mobile'),
    tag: options.hideTag ? undefined : readTag(user),
    bot: user.bot !== true ? undefined : isVerifiedBot(user.public_flags) ? 'verified' : 'plain',
    badges: options.hideBadges ? [] : readBadges(user.public_flags),
    mood: options.hideStatus ? undefined : readMood(activities),
    decorated: !options.hideDecoration,
  }
}

/** Bots still have a discriminator; people's is `0` and says nothing. */
function readNames(user: JsonObject, { showDisplayName, hideDiscrim }: CardOptions) {
  const username = clean(user.username) || 'unknown'
  const discriminator = /^\d{4}$/.test(String(user.discriminator)) && user.discriminator !== '0000'
  const full = discriminator && !hideDiscrim ? `${username}#${user.discriminator}` : username
  const display = showDisplayName ? clean(user.global_name) : ''
  return display === '' ? { name: full, handle: undefined } : { name: display, handle: `@${full}` }
}

/** Whoever took the tag off still has it in their user object. */
function readTag(user: JsonObject): string | undefined {
  const tag = serverTag(user)
  if (!isObject(tag) || tag.identity_enabled !== true) return undefined
  return clean(tag.tag) || undefined
}

function readMood(activities: readonly JsonObject[]): Mood | undefined {
  const custom = activities.find(activity => activity.type === 4)
  if (custom === undefined) return undefined
  const emoji = isObject(custom.emoji) ? custom.emoji : undefined
  // The name of a custom emoji is a word, which stands in for its picture where there is none.
  const symbol = emoji === undefined ? '' : emoji.id ? named(clean(emoji.name)) : clean(emoji.name)
  const text = clean(custom.state)
  return symbol === '' && text === '' ? undefined : { emoji, symbol, text }
}

const named = (name: string) => (name === '' ? '' : `:${name}:`)
