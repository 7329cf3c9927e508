import { isObject, type JsonObject } from '../../domain/presence.ts'
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
export function readRows(activities: readonly JsonObject[], options: CardOptions): readonly Row[] {
  const shown = activities.filter(
    ({ type, application_id }) =>
      type !== CUSTOM_STATUS && type !== HANG_STATUS && !options.ignoredApplications.includes(String(application_id)),
  )
  const others = shown.filter(activity => !isSpotify(activity)).toSorted((a, b) => interest(b) - interest(a))
  const spotify = options.hideSpotify ? undefined : shown.find(isSpotify)
  const rows = others.slice(0, MOST_ROWS).map(activity => readRow(activity, options))
  return spotify === undefined ? rows : [...rows, readSpotify(spotify, options)]
}

const isSpotify = (activity: JsonObject) => activity.id === 'spotify:1'

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
