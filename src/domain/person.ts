import { type Clock, HOUR } from '../lib/clock.ts'
import { applyPresence, buildPresence, type JsonObject, OFFLINE, type PresenceState, samePresence } from './presence.ts'

/** Somebody's place in one guild that the bot shares with them. */
export interface Membership {
  readonly guildId: string
  readonly nick: string | null
  /** When Discord had made the presence this guild told last (ms). Kept for people in several guilds only. */
  readonly toldAt?: number
}

export const readNick = (member: JsonObject) => (typeof member.nick === 'string' ? member.nick : null)

/** When Discord had made a presence (ms). The field is undocumented; every presence of 2026 has it. */
export function readToldAt({ processed_at_timestamp: at }: JsonObject): number | undefined {
  return typeof at === 'number' ? at : undefined
}

/**
 * Whether a guild tells something older than another one has told already. Discord tells of people in several guilds
 * once for each of them, and two shards each in their own time: one that resumes after a minute tells again what the
 * other told long ago. What one guild tells is in order, so only others are compared with, and clocks need not agree.
 */
export function isOutdated(
  memberships: readonly Membership[],
  guildId: string,
  toldAt = Number.POSITIVE_INFINITY,
): boolean {
  return memberships.some(other => other.guildId !== guildId && (other.toldAt ?? 0) > toldAt)
}

/** The memberships after a guild has told a presence. */
export function withToldAt(
  memberships: readonly Membership[],
  guildId: string,
  toldAt?: number,
): readonly Membership[] {
  return memberships.map(one =>
    one.guildId === guildId ? { guildId, nick: one.nick, ...(toldAt !== undefined && { toldAt }) } : one,
  )
}

/** One person's presence as wire text. A new object after every change, so it can key caches of derived bytes. */
export interface Snapshot {
  readonly id: string
  /** JSON text of the presence. */
  readonly json: string
}

/** Everything known of a monitored person. Read-only for everybody but the presence store. */
export interface Person {
  readonly id: string
  /** JSON text of the user object. */
  readonly user: string
  readonly presence: PresenceState
  /** The guilds shared with the bot, longest known first. Never empty. */
  readonly memberships: readonly Membership[]
  /** When they were seen going offline (ms since 1970); null while they are online, or when nobody saw it. */
  readonly lastSeenAt: number | null
}

/** A person as the presence store keeps them. */
export interface Entry extends Person {
  user: string
  presence: PresenceState
  memberships: readonly Membership[]
  lastSeenAt: number | null
  /** Made when somebody asks for it. */
  snapshot: Snapshot | null
}

export function newcomer(id: string, user: string, presence: PresenceState, membership: Membership): Entry {
  return { id, user, presence, memberships: [membership], lastSeenAt: null, snapshot: null }
}

export function snapshotOf(entry: Entry, kv: ReadonlyMap<string, string>): Snapshot {
  entry.snapshot ??= { id: entry.id, json: buildPresence({ ...entry, kv }) }
  return entry.snapshot
}

/** Whether a guild tells something older than another one has told; if not, notes when it was made. */
export function hearOutdated(entry: Entry, guildId: unknown, presence: JsonObject): boolean {
  if (entry.memberships.length === 1 || typeof guildId !== 'string') return false
  const toldAt = readToldAt(presence)
  if (isOutdated(entry.memberships, guildId, toldAt)) return true
  entry.memberships = withToldAt(entry.memberships, guildId, toldAt)
  return false
}

/** What a list says of a member: null is offline, undefined is nothing known. */
export function listed(entry: Entry, guildId: string, presence: JsonObject | null | undefined): PresenceState {
  if (presence === null) return OFFLINE
  if (presence === undefined || hearOutdated(entry, guildId, presence)) return entry.presence
  return applyPresence(entry.presence, presence)
}

/** Returns whether anything that is shown has changed. */
export function setShown(entry: Entry, user: string, presence: PresenceState): boolean {
  if (entry.user === user && samePresence(entry.presence, presence)) return false
  entry.user = user
  entry.presence = presence
  entry.snapshot = null
  return true
}

/** Notes when the person was last seen, after their status has changed. `event` is what told it, null: nobody saw it. */
export function setSeen(entry: Entry, event: JsonObject | null, clock: Pick<Clock, 'now'>): void {
  entry.lastSeenAt = entry.presence.status === 'offline' && event !== null ? happenedAt(event, clock.now()) : null
}

/**
 * When an event that has just come was made (ms): what Discord replays after a pause happened during it. Its word is not
 * taken for the future, nor for what is longer ago than a session can be resumed.
 */
function happenedAt(event: JsonObject, now: number): number {
  const toldAt = readToldAt(event) ?? now
  return toldAt <= now && toldAt >= now - HOUR ? Math.trunc(toldAt) : now
}

/** Forgets when the person was last seen. Returns whether anything was remembered. */
export function forgetSeen(entry: Entry): boolean {
  if (entry.lastSeenAt === null) return false
  entry.lastSeenAt = null
  entry.snapshot = null
  return true
}

/** Returns whether it is news that the person is in the guild, by this nickname. */
export function setMembership(entry: Entry, guildId: string, nick: string | null): boolean {
  const at = entry.memberships.findIndex(membership => membership.guildId === guildId)
  if (at === -1) setMemberships(entry, [...entry.memberships, { guildId, nick }])
  else if (entry.memberships[at]?.nick !== nick)
    setMemberships(entry, entry.memberships.with(at, { ...entry.memberships[at], guildId, nick }))
  else return false
  return true
}

/** Memberships are no part of the wire text, but what is derived from a snapshot may show a nickname. */
export function setMemberships(entry: Entry, memberships: readonly Membership[]): void {
  entry.memberships = memberships
  entry.snapshot = null
}
