import type { JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Clock } from '../lib/clock.ts'
import { readUserId } from './member-list.ts'

interface Report {
  /** The first PRESENCE_UPDATE that told it. */
  readonly update: JsonObject
  /** Guilds that have told it. */
  readonly guildIds: Set<string>
  readonly cancelTimer: () => void
}

/** How long the other guilds of somebody have for saying the same. Milliseconds. */
const PATIENCE = 1000

const OFFLINE: readonly unknown[] = ['offline', 'invisible']

/**
 * Who leaves a guild is told to be offline there, perhaps before it is told that they left; who goes offline is told to
 * be so by every guild. So of somebody in several guilds it is believed when all of them have said it, or when the others
 * have had time to.
 */
export class OfflineReports {
  readonly #presences: PresenceStore
  readonly #clock: Clock
  readonly #reports = new Map<string, Report>()

  constructor(presences: PresenceStore, clock: Clock) {
    this.#presences = presences
    this.#clock = clock
  }

  /** Whether a PRESENCE_UPDATE has to wait. It is taken in later by itself. */
  holds(update: JsonObject): boolean {
    const { status, guild_id: guildId } = update
    const isOffline = OFFLINE.includes(status)
    if (!isOffline && this.#reports.size === 0) return false
    const userId = readUserId(update)
    if (userId === undefined || typeof guildId !== 'string') return false
    if (!isOffline) this.#contradict(userId, guildId, update)
    return isOffline && this.#report(userId, guildId, update)
  }

  /** Somebody is in this guild no more: what it said of them does not count. */
  left(guildId: string, userId: string): void {
    const report = this.#reports.get(userId)
    if (report === undefined) return
    report.guildIds.delete(guildId)
    if (report.guildIds.size === 0) this.#drop(userId)
    else if (this.#haveAllSaid(userId, report)) this.#believe(userId)
  }

  guildLeft(guildId: string): void {
    for (const userId of [...this.#reports.keys()]) this.left(guildId, userId)
  }

  /** Nobody will say anything any more. */
  settle(): void {
    for (const userId of [...this.#reports.keys()]) this.#believe(userId)
  }

  #report(userId: string, guildId: string, update: JsonObject): boolean {
    const guildIds = this.#guildsOf(userId)
    if (guildIds.length < 2 || !guildIds.includes(guildId)) return false
    const report = this.#reports.get(userId) ?? this.#begin(userId, update)
    report.guildIds.add(guildId)
    if (!this.#haveAllSaid(userId, report)) return true
    this.#drop(userId)
    return false
  }

  #begin(userId: string, update: JsonObject): Report {
    const cancelTimer = this.#clock.after(PATIENCE, () => this.#believe(userId))
    const report = { update, guildIds: new Set<string>(), cancelTimer }
    this.#reports.set(userId, report)
    return report
  }

  /** A guild says something else. One that lags behind may say what was before. */
  #contradict(userId: string, guildId: string, { processed_at_timestamp: at }: JsonObject): void {
    const report = this.#reports.get(userId)
    if (report === undefined) return
    const before = report.update.processed_at_timestamp
    const isOlder = typeof at === 'number' && typeof before === 'number' && at < before
    if (report.guildIds.has(guildId) || !isOlder) this.#drop(userId)
  }

  #haveAllSaid(userId: string, { guildIds }: Report): boolean {
    return this.#guildsOf(userId).every(guildId => guildIds.has(guildId))
  }

  #guildsOf(userId: string): readonly string[] {
    return this.#presences.member(userId)?.memberships.map(membership => membership.guildId) ?? []
  }

  #believe(userId: string): void {
    const report = this.#reports.get(userId)
    this.#drop(userId)
    if (report !== undefined) this.#presences.patchPresence(report.update)
  }

  #drop(userId: string): void {
    this.#reports.get(userId)?.cancelTimer()
    this.#reports.delete(userId)
  }
}
