import { describeError, type Log } from '../lib/log.ts'
import type { PresenceStore } from './presence-store.ts'
import type { Person } from './presences.ts'

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
  readonly people: ReadonlyMap<string, Person | undefined>
  /** Every session that can be resumed from exactly this state; null: leave the kept ones alone. */
  readonly sessions: readonly GatewaySession[] | null
}

/** Where presences and sessions outlive the process. Implementations: SQLite, as a file or `:memory:`. */
export interface StateStore {
  loadPeople(): Iterable<Person>
  loadSessions(): readonly GatewaySession[]
  /** Takes the state when its turn comes and writes it in one transaction. Rejects when it could not be kept. */
  saveState(take: () => State): Promise<void>
}

export interface SavedState {
  /** For the gateway: sessions as they were saved, and every change to them. Cheap; called for every event. */
  readonly sessions: {
    load(shard: number): GatewaySession | null
    save(shard: number, session: GatewaySession | null): void
  }
  /** Saves what changed. Never rejects: what could not be saved is saved next time. */
  save(): Promise<void>
  /** Saves a last time. */
  stop(): Promise<void>
}

/** What a crash may lose, to be replayed by Discord. Milliseconds. */
const INTERVAL = 2_000
/** People in one transaction: bounds how long it holds up everything else (about 10 µs each). */
const LARGEST_SAVE = 2_000

/**
 * Keeps presences and gateway sessions together on disk, so that a new process goes on where this one ends: people are
 * put back at once, and the sessions resume from the very event their presences reflect.
 */
export function createSavedState(store: StateStore, presences: PresenceStore, log: Log): SavedState {
  const sessions = new Map<number, GatewaySession>()
  const unsaved = new Map<string, Person | undefined>()
  let sessionsChanged = false
  let saving = Promise.resolve()
  for (const person of store.loadPeople()) presences.restore(person)
  for (const session of store.loadSessions()) sessions.set(session.shardId, session)

  function collect(): void {
    for (const [id, person] of presences.takeTouched()) unsaved.set(id, person)
  }

  /** The last part of a save holds all that changed meanwhile, so only it may move the sessions on. */
  function take(): State {
    collect()
    if (unsaved.size <= LARGEST_SAVE) return { people: new Map(unsaved), sessions: [...sessions.values()] }
    return { people: new Map([...unsaved].slice(0, LARGEST_SAVE)), sessions: null }
  }

  async function savePart(): Promise<State> {
    let part: State = { people: new Map(), sessions: null }
    await store.saveState(() => {
      part = take()
      return part
    })
    // Still in the tick of the commit: nothing can have changed since.
    for (const id of part.people.keys()) unsaved.delete(id)
    if (part.sessions !== null) sessionsChanged = false
    return part
  }

  async function saveAll(): Promise<void> {
    collect()
    if (unsaved.size === 0 && !sessionsChanged) return
    try {
      while ((await savePart()).sessions === null);
      log.debug('presences saved', { monitored: presences.size, sessions: sessions.size })
    } catch (error) {
      log.warn('presences could not be saved', { error: describeError(error) })
    }
  }

  /** One after the other, so that an older state never lands on a newer one. */
  function save(): Promise<void> {
    saving = saving.then(saveAll)
    return saving
  }

  const timer = setInterval(() => void save(), INTERVAL)
  timer.unref()

  return {
    sessions: {
      load: shard => sessions.get(shard) ?? null,
      save(shard, session) {
        sessionsChanged = true
        if (session === null) sessions.delete(shard)
        else sessions.set(shard, session)
      },
    },
    save,
    async stop() {
      clearInterval(timer)
      await save()
    },
  }
}
