import { type Clock, DAY, HOUR, MINUTE, systemClock } from '../lib/clock.ts'
import { historyOff, userNotMonitored } from './errors.ts'
import { type HistoryQuery, historyPage, historyStats, type Look, topTracks } from './history-views.ts'
import type { NowPlaying } from './music.ts'
import type { JsonObject, PresenceState } from './presence.ts'
import type { Change, Presences } from './presences.ts'
import { advance, endAll, type Ongoing, type Past, readTold } from './timeline.ts'

/** What is kept of one person who wants it, as it is at one moment. */
export interface KeptHistory {
  readonly userId: string
  /** When they agreed (ms). What belongs to an earlier agreement is not kept any more. */
  readonly since: number
  readonly ongoing: Ongoing | null
}

/** What of one person's history is to be saved. */
export interface HistoryPart extends KeptHistory {
  readonly ended: readonly Past[]
}

/** What one save holds of all histories. */
export interface HistorySave {
  /** When it was made (ms). */
  readonly at: number
  readonly parts: readonly HistoryPart[]
}

/** Where histories are kept. Implementations: SQLite, as a file or `:memory:`. */
export interface HistoryStore {
  /** Everybody who agreed. */
  loadHistories(): Iterable<KeptHistory>
  /** When they were saved last (ms); null: never. */
  historiesSavedAt(): number | null
  /** What has ended, in any order; a person's 2,000 newest at most. */
  loadPast(userId: string): readonly Past[]
  /** Begins anew with this agreement: whatever was kept is erased. Resolves once it is durable. */
  storeConsent(userId: string, since: number): Promise<void>
  /** Ends the agreement and erases what was kept. */
  endConsent(userId: string): Promise<void>
  /** Removes what ended before that time (ms). */
  prunePast(before: number): Promise<void>
}

interface HistoryOptions {
  /** Days that are kept. */
  readonly days: number
  readonly readPlaying: (activities: readonly JsonObject[]) => NowPlaying | null
  readonly clock?: Pick<Clock, 'now'>
}

/** After a longer time without saving, nobody knows what went on meanwhile. Milliseconds. */
const LONGEST_GAP = HOUR
/** So it is saved now and then, whatever happens. */
const SAVE_EVERY = 5 * MINUTE

interface Followed {
  readonly since: number
  ongoing: Ongoing | null
  /** Ended, and not saved yet. */
  ended: Past[]
}

/**
 * What people did, kept of nobody who has not agreed. It is saved together with the presences it was seen in, so that
 * events Discord replays after a crash are neither lost nor counted twice.
 */
export class History {
  readonly #store: HistoryStore
  readonly #presences: Presences
  readonly #options: HistoryOptions
  readonly #clock: Pick<Clock, 'now'>
  readonly #people = new Map<string, Followed>()
  readonly #dirty = new Set<string>()
  #savedAt = 0

  constructor(store: HistoryStore, presences: Presences, options: HistoryOptions) {
    this.#store = store
    this.#presences = presences
    this.#options = options
    this.#clock = options.clock ?? systemClock
    for (const { userId, since, ongoing } of store.loadHistories()) {
      this.#people.set(userId, { since, ongoing, ended: [] })
    }
  }

  /** To be called once those who were saved are there again. */
  begin(): void {
    const now = this.#clock.now()
    const savedAt = Math.min(this.#store.historiesSavedAt() ?? now, now)
    for (const [userId, followed] of this.#people) {
      if (!this.#presences.has(userId) || now - savedAt > LONGEST_GAP) this.#end(userId, followed, savedAt)
      // Not of who goes on: what Discord replays now happened before this.
      if (followed.ongoing === null) this.#follow(userId, followed, now)
    }
    this.#presences.onChange(change => this.#changed(change))
  }

  isOn(userId: string): boolean {
    return this.#people.has(userId)
  }

  /** Begins to keep what the person does. Who agreed before is asked nothing: it goes on. */
  async on(userId: string): Promise<void> {
    if (!this.isOn(userId)) await this.#begin(userId)
  }

  /** Erases what was kept, and goes on. Resolves with whether the person had agreed. */
  async erase(userId: string): Promise<boolean> {
    if (!this.isOn(userId)) return false
    await this.#begin(userId)
    return true
  }

  /** Erases what was kept and ends the agreement. Resolves with whether there was one. */
  async off(userId: string): Promise<boolean> {
    if (!this.isOn(userId)) return false
    await this.#store.endConsent(userId)
    this.forget(userId)
    return true
  }

  /** Drops the person from memory; for when the store has erased them already. */
  forget(userId: string): void {
    this.#people.delete(userId)
    this.#dirty.delete(userId)
  }

  /** All that is kept of a person, whether they are shown or not; null of who did not agree. */
  kept(userId: string): { readonly past: readonly Past[]; readonly ongoing: Ongoing | null } | null {
    const followed = this.#people.get(userId)
    if (followed === undefined) return null
    return { past: [...this.#store.loadPast(userId), ...followed.ended], ongoing: followed.ongoing }
  }

  /**
   * What has ended and what goes on; `now` is when it was looked.
   * @throws ApiError `user_not_monitored` for who is not shown, `history_off` for who did not agree
   */
  look(userId: string): Look {
    if (!this.#presences.has(userId)) throw userNotMonitored()
    const followed = this.#people.get(userId)
    if (followed === undefined) throw historyOff()
    const now = this.#clock.now()
    const oldest = now - this.#options.days * DAY
    const past = [...this.#store.loadPast(userId), ...followed.ended].filter(({ until }) => until >= oldest)
    return { past, ongoing: followed.ongoing, now }
  }

  /** JSON text of {@link historyPage}; throws as {@link look} does, and so do the next two. */
  page(userId: string, query: HistoryQuery): string {
    return JSON.stringify(historyPage(this.look(userId), query))
  }

  /** JSON text of {@link historyStats}. */
  stats(userId: string): string {
    return JSON.stringify(historyStats(this.look(userId)))
  }

  /** JSON text of {@link topTracks}. */
  topTracks(userId: string, days: number): string {
    return JSON.stringify(topTracks(this.look(userId), days))
  }

  /** Removes what is older than is kept. */
  prune(): Promise<void> {
    return this.#store.prunePast(this.#clock.now() - this.#options.days * DAY)
  }

  /** Whether something is to be saved, or it is time to. */
  get isDue(): boolean {
    return this.#dirty.size > 0 || (this.#people.size > 0 && this.#clock.now() - this.#savedAt > SAVE_EVERY)
  }

  /** What is to be saved: of these people, or of everybody. Null where nobody has a history. */
  unsaved(only?: { has(userId: string): boolean }): HistorySave | null {
    if (this.#people.size === 0) return null
    const ids = [...this.#dirty].filter(id => only?.has(id) ?? true)
    const parts = ids.flatMap(userId => {
      const followed = this.#people.get(userId)
      return followed === undefined ? [] : { userId, ...followed, ended: [...followed.ended] }
    })
    return { at: this.#clock.now(), parts }
  }

  /** This has been saved. */
  saved({ at, parts }: HistorySave): void {
    this.#savedAt = at
    for (const { userId, since, ended } of parts) {
      const followed = this.#people.get(userId)
      if (followed?.since !== since) continue
      followed.ended = followed.ended.slice(ended.length)
      if (followed.ended.length === 0) this.#dirty.delete(userId)
    }
  }

  async #begin(userId: string): Promise<void> {
    // Two agreements are told apart by when they were made.
    const since = Math.max(this.#clock.now(), (this.#people.get(userId)?.since ?? 0) + 1)
    await this.#store.storeConsent(userId, since)
    const followed: Followed = { since, ongoing: null, ended: [] }
    this.#people.set(userId, followed)
    this.#follow(userId, followed, this.#clock.now())
  }

  #changed({ id, at }: Change): void {
    const followed = this.#people.get(id)
    if (followed !== undefined) this.#follow(id, followed, at ?? this.#clock.now())
  }

  #follow(userId: string, followed: Followed, at: number): void {
    const presence = this.#presences.person(userId)?.presence
    const told = presence === undefined ? null : this.#read(presence)
    this.#keep(userId, followed, advance(followed.ongoing, told, at))
  }

  #end(userId: string, followed: Followed, at: number): void {
    this.#keep(userId, followed, { ongoing: null, ended: endAll(followed.ongoing, at) })
  }

  #keep(userId: string, followed: Followed, { ongoing, ended }: ReturnType<typeof advance>): void {
    followed.ongoing = ongoing
    followed.ended.push(...ended)
    this.#dirty.add(userId)
  }

  #read(presence: PresenceState) {
    return readTold(presence, this.#options.readPlaying)
  }
}
