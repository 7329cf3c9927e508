import { type Clock, HOUR } from '../lib/clock.ts'
import type { Pictures } from './discord-cdn.ts'
import { nowPlayingText } from './music.ts'
import { applyPresence, buildPresence, type JsonObject, OFFLINE, type PresenceState, samePresence } from './presence.ts'
import { carryProfile, isBareProfile, withoutProfile } from './profiles.ts'

/** Somebody's place in one guild that the bot shares with them. */
export interface Membership {
  readonly guildId: string
  readonly nick: string | null
  /** When Discord had made the presence this guild told last (ms). Kept for people in several guilds only. */
  readonly processedAt?: number
  /** The role that MONITOR asks for, if it does, and whether they have it. */
  readonly role?: { readonly id: string; readonly has: boolean }
}

export const readNick = (member: JsonObject) => (typeof member.nick === 'string' ? member.nick : null)

/** When Discord had made a presence (ms). The field is undocumented; every presence of 2026 has it. */
function readProcessedAt({ processed_at_timestamp: at }: JsonObject): number | undefined {
  return typeof at === 'number' ? at : undefined
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

/** A person as they outlive the process. */
export interface SavedPerson extends Person {
  /** Whether their presence is not known yet; nobody sees them before it is. */
  readonly awaited?: boolean
}

/** What a list says of a member's presence; `awaited` is not told, but asked for, and worth waiting for. */
export type ListedPresence = JsonObject | 'offline' | 'unknown' | 'awaited'

/** A person as the presence store keeps them. */
export class Entry implements SavedPerson {
  readonly id: string
  user: string
  presence: PresenceState
  memberships: readonly Membership[]
  lastSeenAt: number | null
  awaited: boolean
  /** Whether anybody sees them. */
  shown = false
  /** Made when somebody asks for it. */
  #snapshot: Snapshot | null = null

  constructor({ id, user, presence, memberships, lastSeenAt, awaited = false }: SavedPerson) {
    this.id = id
    this.user = user
    this.presence = presence
    this.memberships = memberships
    this.lastSeenAt = lastSeenAt
    this.awaited = awaited
  }

  static newcomer(id: string, user: string, told: ListedPresence, membership: Membership): Entry {
    const presence = typeof told === 'object' ? applyPresence(OFFLINE, told) : OFFLINE
    const awaited = told === 'awaited'
    return new Entry({ id, user, presence, memberships: [membership], lastSeenAt: null, awaited })
  }

  snapshot(kv: ReadonlyMap<string, string>, pictures: Pictures): Snapshot {
    this.#snapshot ??= {
      id: this.id,
      json: buildPresence({ ...this, kv }, nowPlayingText(this.presence, pictures)),
    }
    return this.#snapshot
  }

  /** To be called when something that is shown has changed beyond this entry. */
  dropSnapshot(): void {
    this.#snapshot = null
  }

  /** The presence after a list told of this member. */
  applyListed(guildId: string, told: ListedPresence): PresenceState {
    if (told === 'offline') return OFFLINE
    if (typeof told === 'string' || this.isStale(guildId, told)) return this.presence
    return applyPresence(this.presence, told)
  }

  /** Whether an event speaks for a guild the person is in. One that names no guild speaks for all of them. */
  isAboutThem(guildId: unknown): boolean {
    return typeof guildId !== 'string' || this.memberships.some(membership => membership.guildId === guildId)
  }

  /**
   * Whether a guild tells something older than another one has told already; if not, notes when it was made. Discord
   * tells of people in several guilds once for each of them, and two shards each in their own time: one that resumes
   * after a minute tells again what the other told long ago. What one guild tells is in order, so only others are
   * compared with, and clocks need not agree.
   */
  isStale(guildId: unknown, presence: JsonObject): boolean {
    const { memberships } = this
    if (memberships.length === 1 || typeof guildId !== 'string') return false
    const processedAt = readProcessedAt(presence)
    const isNewer = (other: Membership) => (other.processedAt ?? 0) > (processedAt ?? Number.POSITIVE_INFINITY)
    if (memberships.some(other => other.guildId !== guildId && isNewer(other))) return true
    this.memberships = memberships.map(one => (one.guildId === guildId ? withProcessedAt(one, processedAt) : one))
    return false
  }

  /** Returns what has changed of what is shown: `filled in` is nothing to tell anybody. */
  show(user: string, presence: PresenceState): 'nothing' | 'filled in' | 'something' {
    const same = samePresence(this.presence, presence)
    const next = carryProfile(this.user, user)
    if (this.user === next && same) return 'nothing'
    const bare = same && isBareProfile(this.user, next)
    this.user = next
    this.presence = presence
    this.#snapshot = null
    return bare ? 'filled in' : 'something'
  }

  /** Notes when the person was last seen, after their status has changed. `event` is what told it, null: nobody saw it. */
  noteSeen(event: JsonObject | null, clock: Pick<Clock, 'now'>): void {
    this.lastSeenAt = this.presence.status === 'offline' && event !== null ? happenedAt(event, clock.now()) : null
  }

  /** When the event that tells something was made; nothing of what no event tells. */
  toldAt(event: JsonObject | null, clock: Pick<Clock, 'now'>): { at?: number } {
    return event === null ? {} : { at: happenedAt(event, clock.now()) }
  }

  /** Forgets when the person was last seen, and their profile. Returns whether anything was remembered. */
  forgetSeen(): boolean {
    const user = withoutProfile(this.user)
    if (this.lastSeenAt === null && this.user === user) return false
    this.user = user
    this.lastSeenAt = null
    this.#snapshot = null
    return true
  }

  /** Returns whether it is news that the person is in the guild, by this nickname and with this role. */
  enter(place: Membership): boolean {
    const at = this.memberships.findIndex(({ guildId }) => guildId === place.guildId)
    const before = this.memberships[at]
    const isSameRole = before?.role?.id === place.role?.id && before?.role?.has === place.role?.has
    if (before?.nick === place.nick && isSameRole) return false
    const membership = { ...before, ...place }
    this.memberships = at === -1 ? [...this.memberships, membership] : this.memberships.with(at, membership)
    // Memberships are no part of the wire text, but what is derived from a snapshot may show a nickname.
    this.#snapshot = null
    return true
  }

  /** Returns whether the person is still in another guild; in the last one they stay for whoever looks at the entry. */
  leave(guildId: string): boolean {
    const rest = this.memberships.filter(membership => membership.guildId !== guildId)
    if (rest.length === 0) return false
    this.memberships = rest
    this.#snapshot = null
    return true
  }
}

function withProcessedAt({ processedAt: _, ...membership }: Membership, at: number | undefined): Membership {
  return at === undefined ? membership : { ...membership, processedAt: at }
}

/**
 * When an event that has just come was made (ms): what Discord replays after a pause happened during it. Its word is not
 * taken for the future, nor for what is longer ago than a session can be resumed.
 */
function happenedAt(event: JsonObject, now: number): number {
  const processedAt = readProcessedAt(event) ?? now
  return processedAt <= now && processedAt >= now - HOUR ? Math.trunc(processedAt) : now
}
