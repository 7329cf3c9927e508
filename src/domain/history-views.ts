import { DAY, SECOND } from '../lib/clock.ts'
import type { Status } from './presence.ts'
import { endAll, type Ongoing, type Past, trackKey } from './timeline.ts'

/** What is known of somebody's history. */
export interface Look {
  readonly past: readonly Past[]
  readonly ongoing: Ongoing | null
  /** When it was looked (ms). */
  readonly now: number
}

type Play = Extract<Past, { kind: 'track' }>
type Doing = Extract<Past, { kind: 'activity' }>
type Being = Extract<Past, { kind: 'status' }>

/** How much of each list is told, and before when it began (ms). */
export interface HistoryQuery {
  readonly limit: number
  readonly before: number
}

const isPlay = (one: Past): one is Play => one.kind === 'track'
const isDoing = (one: Past): one is Doing => one.kind === 'activity'
const isBeing = (one: Past): one is Being => one.kind === 'status'

/** Three lists, the newest first: what has ended, and changes of the status. */
export function historyPage({ past, ongoing }: Look, { limit, before }: HistoryQuery) {
  const newest = <T extends { at: number }>(list: readonly T[]) =>
    list
      .filter(({ at }) => at < before)
      .sort((one, other) => other.at - one.at)
      .slice(0, limit)
  const changes = past.filter(isBeing).map(({ at, status, seen }) => ({ at, status, seen }))
  if (ongoing !== null) changes.push({ at: ongoing.status.at, status: ongoing.status.value, seen: ongoing.status.seen })
  return {
    tracks: newest(past.filter(isPlay)).map(({ play, at, listened }) => {
      return { ...play, played_at: at, listened_ms: Math.round(listened) }
    }),
    activities: newest(past.filter(isDoing)).map(({ name, applicationId, at, until }) => {
      return { name, application_id: applicationId, started_at: at, seconds: toSeconds(until - at) }
    }),
    statuses: newest(changes.filter(({ seen }) => seen)).map(({ status, at }) => ({ status, at })),
  }
}

const toSeconds = (ms: number) => Math.round(ms / SECOND)

/** Of the last seven and thirty days, what goes on counted as far as it went. */
export function historyStats({ past, ongoing, now }: Look) {
  const all = [...past, ...endAll(ongoing, now)]
  return { '7': statsSince(all, now - 7 * DAY), '30': statsSince(all, now - 30 * DAY) }
}

function statsSince(all: readonly Past[], from: number) {
  const lasted = ({ at, until }: Past) => Math.max(0, until - Math.max(at, from))
  const byStatus: Record<Status, number> = { online: 0, idle: 0, dnd: 0, offline: 0 }
  for (const being of all.filter(isBeing)) byStatus[being.status] += lasted(being)
  const plays = all.filter(isPlay).filter(play => play.at >= from && counts(play))
  const days: Record<string, number> = {}
  for (const { at } of plays) days[dayOf(at)] = (days[dayOf(at)] ?? 0) + 1
  return {
    online_seconds: toSeconds(byStatus.online + byStatus.idle + byStatus.dnd),
    by_status: {
      online: toSeconds(byStatus.online),
      idle: toSeconds(byStatus.idle),
      dnd: toSeconds(byStatus.dnd),
      offline: toSeconds(byStatus.offline),
    },
    activities: sumActivities(
      all.filter(isDoing).filter(({ until }) => until > from),
      lasted,
    ),
    tracks: plays.length,
    tracks_by_day: days,
  }
}

/** In UTC, as `2026-01-31`. */
const dayOf = (at: number) => new Date(at).toISOString().slice(0, 10)

/** The longest first. */
function sumActivities(doings: readonly Doing[], lasted: (doing: Past) => number) {
  const sums = new Map<string, { name: string; application_id: string | null; ms: number }>()
  for (const doing of doings) {
    const { name, applicationId } = doing
    const key = JSON.stringify([name, applicationId])
    const sum = sums.get(key) ?? { name, application_id: applicationId, ms: 0 }
    sum.ms += lasted(doing)
    sums.set(key, sum)
  }
  return [...sums.values()]
    .sort((one, other) => other.ms - one.ms)
    .map(({ name, application_id, ms }) => ({ name, application_id, seconds: toSeconds(ms) }))
}

const LONG_ENOUGH = 30 * SECOND

/** Whether it was listened to, and not only come across. */
function counts({ play, listened }: Play): boolean {
  return listened >= LONG_ENOUGH || (play.duration_ms !== null && listened >= play.duration_ms / 2)
}

/** More are nobody's favourites. */
const MOST_TRACKS = 100

/** The most played first; of those played as often, the one played last. */
export function topTracks({ past, now }: Look, days: number) {
  const tracks = new Map<string, { last: Play; plays: number }>()
  for (const play of past.filter(isPlay)) {
    if (play.at < now - days * DAY || !counts(play)) continue
    const key = trackKey(play.play)
    const { last, plays } = tracks.get(key) ?? { last: play, plays: 0 }
    tracks.set(key, { last: play.at >= last.at ? play : last, plays: plays + 1 })
  }
  return [...tracks.values()]
    .sort((one, other) => other.plays - one.plays || other.last.at - one.last.at)
    .slice(0, MOST_TRACKS)
    .map(({ last, plays }) => ({ ...last.play, play_count: plays }))
}
