import type { PresenceStore } from './presence-store.ts'
import type { Change } from './presences.ts'

/** Where it is kept who has arrived. Implementations: SQLite, as a file or `:memory:`. */
export interface ArrivalStore {
  /** Everybody whose arrival was told. */
  loadArrived(): Iterable<string>
  /** Resolves once it is durable; rejects with `storage_unavailable`. */
  storeArrived(userIds: readonly string[]): Promise<void>
}

/** People remembered who were here before and left or hid: the last ones. */
const MOST_REMEMBERED = 100_000

/**
 * Who comes to be monitored, each person once ever. Who was here before is no arrival: neither whoever is there when the
 * first lists come in, nor who comes back or shows themselves again.
 */
export class Arrivals {
  readonly #store: ArrivalStore
  readonly #presences: PresenceStore
  readonly #arrived: Set<string>
  readonly #former: Set<string>
  #isColdStart = false

  /** @param hidden who is hidden at the start */
  constructor(store: ArrivalStore, presences: PresenceStore, hidden: Iterable<string>) {
    this.#store = store
    this.#presences = presences
    this.#arrived = new Set(store.loadArrived())
    this.#former = new Set(hidden)
  }

  /** Tells of each arrival; to be called when everybody who was saved is back. */
  onArrival(listener: (userId: string) => void): void {
    this.#isColdStart = this.#presences.size === 0
    this.#presences.onChange(({ id, kind }: Change) => {
      if (kind === 'left') this.#remember(id)
      else if (kind === 'joined' && this.#isArrival(id)) {
        this.#arrived.add(id)
        listener(id)
      }
    })
  }

  /** Keeps that these have arrived, for the next process. Rejects with `storage_unavailable`. */
  keep(userIds: readonly string[]): Promise<void> {
    return this.#store.storeArrived(userIds)
  }

  /** Drops somebody from memory; for when the store has erased them already. */
  forget(userId: string): void {
    this.#arrived.delete(userId)
    this.#former.delete(userId)
  }

  #remember(userId: string): void {
    this.#former.add(userId)
    const [oldest] = this.#former
    if (this.#former.size > MOST_REMEMBERED && oldest !== undefined) this.#former.delete(oldest)
  }

  #isArrival(userId: string): boolean {
    if (this.#isColdStart && this.#presences.readiness === 'starting') return false
    if (this.#arrived.has(userId) || this.#former.has(userId)) return false
    const user = this.#presences.person(userId)?.user
    return user !== undefined && (JSON.parse(user) as { bot?: unknown }).bot !== true
  }
}
