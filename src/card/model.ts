import {
  type ActivityText,
  CUSTOM_STATUS,
  HANG_STATUS,
  isDoing,
  readActivityText,
  STREAMING,
} from '../domain/activity.ts'
import { type Badge, isVerifiedBot, readBadges } from '../domain/badges.ts'
import { serverTag } from '../domain/discord-cdn.ts'
import { isObject, isSpotify, type JsonObject, platformBit, type Status } from '../domain/presence.ts'
import type { Person } from '../domain/presences.ts'
import { clean } from '../domain/text.ts'
import { ago, STATUS_WORDS } from '../domain/words.ts'
import { isColour, type Nameplate, type NameStyle, readNameplate, readNameStyle, toHex } from './name.ts'
import type { CardOptions } from './options.ts'

/** Something somebody does, as one row of a card. */
export interface Row extends ActivityText {
  /** The activity as it came, to find pictures with. */
  readonly activity: JsonObject
}

/** One beside Spotify: a card is no list. */
const MOST_ROWS = 1

/** The most interesting activities, then Spotify. */
function readRows(activities: readonly JsonObject[], options: CardOptions): readonly Row[] {
  const shown = activities.filter(
    activity => isDoing(activity) && !options.ignoredApplications.some(id => id === activity.application_id),
  )
  const others = shown.filter(activity => !isSpotify(activity)).toSorted((a, b) => interest(b) - interest(a))
  const spotify = options.hideSpotify ? undefined : shown.find(isSpotify)
  const rows = others.slice(0, MOST_ROWS).map(activity => readRow(activity, options))
  return spotify === undefined ? rows : [...rows, readRow(spotify, options)]
}

/** A stream wants to be seen; what has a picture has something to tell; hanging out is least. Else Discord's order stands. */
function interest({ type, assets }: JsonObject): number {
  if (type === STREAMING) return 2
  if (type === HANG_STATUS) return -1
  return isObject(assets) && typeof assets.large_image === 'string' ? 1 : 0
}

function readRow(activity: JsonObject, { hideTimestamp }: CardOptions): Row {
  const text = readActivityText(activity)
  return { ...text, activity, timing: hideTimestamp ? undefined : text.timing }
}

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
  /** How the name is written; undefined: plainly. */
  readonly style: NameStyle | undefined
  readonly nameplate: Nameplate | undefined
  /** `#rrggbb`, behind the person where they have no banner; known of whoever chose one. */
  readonly accent: string | undefined
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
    idle: idle ? (options.idleMessage ?? readAbsence(person, options, now)) : readOnlyName(person, rows, options),
  }
}

/** Whoever wants neither profile nor activities still gets a card: of who is there. */
function readOnlyName({ user, presence }: Shown, rows: readonly Row[], options: CardOptions): string | undefined {
  if (!options.hideProfile || rows.length > 0) return undefined
  return `${readNames(JSON.parse(user) as JsonObject, options).name} is ${STATUS_WORDS[presence.status].toLowerCase()}`
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
    streaming: presence.status !== 'offline' && activities.some(activity => activity.type === STREAMING),
    mobile: presence.platforms === platformBit('mobile'),
    tag: options.hideTag ? undefined : readTag(user),
    bot: user.bot !== true ? undefined : isVerifiedBot(user.public_flags) ? 'verified' : 'plain',
    badges: options.hideBadges ? [] : readBadges(user.public_flags),
    mood: options.hideStatus ? undefined : readMood(activities),
    decorated: !options.hideDecoration,
    style: readNameStyle(user.display_name_styles, options),
    nameplate: options.hideNameplate ? undefined : readNameplate(user),
    accent: options.banner === 'hidden' ? undefined : readAccent(user.accent_color),
  }
}

function readAccent(colour: unknown): string | undefined {
  return isColour(colour) ? toHex(colour) : undefined
}

/** Bots still have a discriminator; people's is `0` and says nothing. */
function readNames(user: JsonObject, { showDisplayName, hideDiscrim }: CardOptions) {
  const username = clean(user.username) || 'unknown'
  const { discriminator } = user
  const isNumbered = typeof discriminator === 'string' && /^\d{4}$/.test(discriminator) && discriminator !== '0000'
  const full = isNumbered && !hideDiscrim ? `${username}#${discriminator}` : username
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
  const custom = activities.find(activity => activity.type === CUSTOM_STATUS)
  if (custom === undefined) return undefined
  const emoji = isObject(custom.emoji) ? custom.emoji : undefined
  // The name of a custom emoji is a word, which stands in for its picture where there is none.
  const symbol = emoji === undefined ? '' : emoji.id ? named(clean(emoji.name)) : clean(emoji.name)
  const text = clean(custom.state)
  return symbol === '' && text === '' ? undefined : { emoji, symbol, text }
}

const named = (name: string) => (name === '' ? '' : `:${name}:`)
