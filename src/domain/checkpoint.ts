import { describeError, type Log } from '../lib/log.ts'
import type { HistorySave } from './history.ts'
import type { SavedPerson } from './person.ts'
import type { PresenceStore } from './presence-store.ts'

/** What resuming a gateway session needs. Source: Discord gateway docs, "Resuming". */
export interface GatewaySession {
  /** Where to resume, a `ws:` or `wss:` address. */
  resumeURL: string
  sessionId: string
  /** Number of the last event that was taken in. */
  sequence: number
  shardId: number
  /** A session belongs to one sharding; with another count of shards it is of no use. */
  shardCount: number
}

/** What one save writes, as it is in one instant. */
export interface State {
  /** Everybody who changed since the last save, with undefined for who left. */
  readonly people: ReadonlyMap<string, SavedPerson | undefined>
  /** Every session that can be resumed from exactly this state; null: leave the kept ones alone. */
  readonly sessions: readonly GatewaySession[] | null
  /** What was done by people of this part who want it kept. */
  readonly history: HistorySave | null
}

/** Where presences and sessions outlive the process. Implementations: SQLite, as a file or `:memory:`. */
export interface StateStore {
  loadPeople(): Iterable<SavedPerson>
  loadSessions(): readonly GatewaySession[]
  /** Takes the state when its turn comes and writes it in one transaction. Rejects when it could not be kept. */
  saveState(take: () => State): Promise<void>
}

/** What is saved in the same instant as the presences it was seen in. */
interface Companion {
  /** Whether it should be saved although nothing else is to be. */
  readonly isDue: boolean
  unsaved(only?: { has(userId: string): boolean }): HistorySave | null
  saved(save: HistorySave): void
}

const NO_HISTORY: Companion = { isDue: false, unsaved: () => null, saved() {} }

/** Where the gateway keeps sessions beyond the process. */
export interface SessionStore {
  load(shard: number): GatewaySession | null
  /**
   * Called after every event, before it is taken in (in the same turn of the event loop), so it is cheap. Null while the
   * session must not be resumed by another process: it ended, or member lists are still coming in, which a resume would
   * not bring.
   */
  save(shard: number, session: GatewaySession | null): void
}

/** What a crash may lose, to be replayed by Discord. Milliseconds. */
const INTERVAL = 2_000
/** People in one transaction: bounds how long it holds up everything else (about 10 µs each). */
const LARGEST_SAVE = 2_000

/**
 * Keeps presences and gateway sessions together on disk, so that a new process goes on where this one ends: people are
 * put back at once, and the sessions resume from the very event their presences reflect.
 */
export class Checkpoint implements SessionStore {
  readonly #store: StateStore
  readonly #presences: PresenceStore
  readonly #log: Log
  readonly #history: Companion
  readonly #sessions = new Map<number, GatewaySession>()
  readonly #unsaved = new Map<string, SavedPerson | undefined>()
  readonly #timer: Timer
  #sessionsChanged = false
  #saving = Promise.resolve()

  constructor(store: StateStore, presences: PresenceStore, log: Log, history: Companion = NO_HISTORY) {
    this.#history = history
    this.#store = store
    this.#presences = presences
    this.#log = log
    for (const person of store.loadPeople()) presences.restore(person)
    // A session that goes on brings no member lists.
    if (presences.rolesKnown) for (const session of store.loadSessions()) this.#sessions.set(session.shardId, session)
    this.#timer = setInterval(() => void this.saveAll(), INTERVAL)
    this.#timer.unref()
  }

  load(shard: number): GatewaySession | null {
    return this.#sessions.get(shard) ?? null
  }

  save(shard: number, session: GatewaySession | null): void {
    this.#sessionsChanged = true
    if (session === null) this.#sessions.delete(shard)
    else this.#sessions.set(shard, session)
  }

  /**
   * Saves what changed; one save after the other, so that an older state never lands on a newer one. Never rejects: what
   * could not be saved is saved next time.
   */
  saveAll(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveChanges())
    return this.#saving
  }

  /** Saves a last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.saveAll()
  }

  async #saveChanges(): Promise<void> {
    this.#collect()
    if (this.#unsaved.size === 0 && !this.#sessionsChanged && !this.#history.isDue) return
    try {
      while ((await this.#savePart()).sessions === null);
      this.#log.debug('presences saved', { monitored: this.#presences.size, sessions: this.#sessions.size })
    } catch (error) {
      this.#log.warn('presences could not be saved', { error: describeError(error) })
    }
  }

  async #savePart(): Promise<State> {
    let part: State = { people: new Map(), sessions: null, history: null }
    await this.#store.saveState(() => {
      part = this.#take()
      return part
    })
    // Still in the tick of the commit: nothing can have changed since.
    for (const id of part.people.keys()) this.#unsaved.delete(id)
    if (part.history !== null) this.#history.saved(part.history)
    if (part.sessions !== null) this.#sessionsChanged = false
    return part
  }

  /** The last part of a save holds all that changed meanwhile, so only it may move the sessions on. */
  #take(): State {
    this.#collect()
    if (this.#unsaved.size <= LARGEST_SAVE) {
      const sessions = [...this.#sessions.values()]
      return { people: new Map(this.#unsaved), sessions, history: this.#history.unsaved() }
    }
    const people = new Map([...this.#unsaved].slice(0, LARGEST_SAVE))
    return { people, sessions: null, history: this.#history.unsaved(people) }
  }

  #collect(): void {
    for (const [id, person] of this.#presences.drainDirty()) this.#unsaved.set(id, person)
  }
}
