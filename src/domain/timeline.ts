import { isDoing } from './activity.ts'
import type { NowPlaying } from './music.ts'
import { isObject, type JsonObject, type PresenceState, type Status } from './presence.ts'

// What became of somebody over time, from what is told of them: pure, and the same however it is cut into saves.

/** Something that has ended. Times are ms since 1970. */
export type Past =
  | {
      readonly kind: 'track'
      readonly at: number
      readonly until: number
      readonly play: NowPlaying
      /** Milliseconds during which it played. */
      readonly listened: number
    }
  | {
      readonly kind: 'activity'
      readonly at: number
      readonly until: number
      readonly name: string
      readonly applicationId: string | null
    }
  | {
      readonly kind: 'status'
      readonly at: number
      readonly until: number
      readonly status: Status
      /** Whether it was seen to begin; a status somebody had when it was first looked is no change. */
      readonly seen: boolean
    }

/** What goes on with somebody. Plain data: kept as JSON. */
export interface Ongoing {
  /** When this was last known to be so. */
  readonly at: number
  readonly status: { readonly value: Status; readonly at: number; readonly seen: boolean }
  readonly track: OngoingTrack | null
  readonly activities: readonly { readonly name: string; readonly applicationId: string | null; readonly at: number }[]
}

interface OngoingTrack {
  readonly play: NowPlaying
  readonly at: number
  /** Milliseconds, before `since`. */
  readonly listened: number
  /** Since when it plays without a break or jump; null: it is paused. */
  readonly since: number | null
}

/** What is told of somebody at one time. */
export interface Told {
  readonly status: Status
  readonly playing: NowPlaying | null
  readonly activities: readonly JsonObject[]
}

/** What a presence tells. `readPlaying` says what is listened to. */
export function readTold(
  { status, activities }: PresenceState,
  readPlaying: (activities: readonly JsonObject[]) => NowPlaying | null,
): Told {
  const list = (JSON.parse(activities) as unknown[]).filter(isObject)
  return { status, playing: readPlaying(list), activities: list }
}

/** The next state and what has ended on the way to it. `told` is null for who is not shown any more. */
export function advance(
  before: Ongoing | null,
  told: Told | null,
  time: number,
): { readonly ongoing: Ongoing | null; readonly ended: readonly Past[] } {
  // What two guilds tell may come in another order than it was made.
  const at = Math.max(time, before?.at ?? 0)
  const status = told === null ? null : nextStatus(before, told.status, at)
  const track = told === null ? null : nextTrack(before?.track ?? null, told.playing, at)
  const activities = told === null ? [] : nextActivities(before, told.activities, at)
  const ended: Past[] = []
  if (before !== null) {
    if (status !== before.status) ended.push(endStatus(before.status, at))
    if (before.track !== null && !isSameTrack(before.track, track)) ended.push(endTrack(before.track, at))
    for (const activity of before.activities) {
      if (!activities.includes(activity)) ended.push({ kind: 'activity', until: at, ...activity })
    }
  }
  return { ongoing: status === null ? null : { at, status, track, activities }, ended }
}

/** What goes on, as if it ended now. */
export function endAll(ongoing: Ongoing | null, at: number): readonly Past[] {
  return advance(ongoing, null, at).ended
}

function nextStatus(before: Ongoing | null, value: Status, at: number): Ongoing['status'] {
  return before?.status.value === value ? before.status : { value, at, seen: before !== null }
}

function endStatus({ value, at, seen }: Ongoing['status'], until: number): Past {
  return { kind: 'status', at, until, status: value, seen }
}

function nextTrack(before: OngoingTrack | null, play: NowPlaying | null, at: number): OngoingTrack | null {
  if (play === null) return null
  if (before === null || trackKey(before.play) !== trackKey(play)) return { play, at, listened: 0, since: at }
  const { timestamps } = before.play
  const isPaused = timestamps !== null && play.timestamps === null
  const isUnmoved = before.since !== null && timestamps?.start === play.timestamps?.start
  if (isUnmoved) return { ...before, play: completed(before.play, play) }
  if (isPaused) return { ...before, listened: listenedUntil(before, at), since: null }
  return { ...before, play: completed(before.play, play), listened: listenedUntil(before, at), since: at }
}

/** Two presences of one track may each tell a part; the later one has the time. */
function completed(before: NowPlaying, now: NowPlaying): NowPlaying {
  return {
    ...now,
    album: now.album ?? before.album,
    album_art_url: now.album_art_url ?? before.album_art_url,
    track_url: now.track_url ?? before.track_url,
    timestamps: now.timestamps ?? before.timestamps,
    duration_ms: now.duration_ms ?? before.duration_ms,
  }
}

/** What makes two plays the same track. */
export function trackKey({ source, track_id, song, artist }: NowPlaying): string {
  return JSON.stringify(track_id === null ? [source, song, artist] : [source, track_id])
}

function isSameTrack(one: OngoingTrack, other: OngoingTrack | null): boolean {
  return other !== null && trackKey(one.play) === trackKey(other.play)
}

/** A track without a jump plays no longer than it is, whatever was not told meanwhile. */
function listenedUntil({ play, listened, since }: OngoingTrack, at: number): number {
  if (since === null) return listened
  return listened + Math.max(0, Math.min(at - since, play.duration_ms ?? Number.POSITIVE_INFINITY))
}

function endTrack(track: OngoingTrack, until: number): Past {
  return { kind: 'track', at: track.at, until, play: track.play, listened: listenedUntil(track, until) }
}

const LISTENING = 2

/** Neither a custom status nor music; each once, whatever else changes in it. */
function nextActivities(before: Ongoing | null, told: readonly JsonObject[], at: number): Ongoing['activities'] {
  const next = new Map<string, Ongoing['activities'][number]>()
  for (const activity of told) {
    const { name, application_id, type } = activity
    if (typeof name !== 'string' || type === LISTENING || !isDoing(activity)) continue
    const applicationId = typeof application_id === 'string' ? application_id : null
    const known = before?.activities.find(one => one.name === name && one.applicationId === applicationId)
    next.set(JSON.stringify([name, applicationId]), known ?? { name, applicationId, at })
  }
  return [...next.values()]
}
