import type { AppIconStore } from '../domain/app-icons.ts'
import type { ArrivalStore } from '../domain/arrivals.ts'
import type { StateStore } from '../domain/checkpoint.ts'
import type { GithubStore } from '../domain/github.ts'
import type { HistoryStore } from '../domain/history.ts'
import type { KeyStore } from '../domain/keys.ts'
import type { KvStore } from '../domain/kv.ts'
import type { PrivacyStore, RetentionStore } from '../domain/privacy.ts'
import type { ProfileStore } from '../domain/profiles.ts'
import { MIB } from '../lib/bytes.ts'
import { SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { IconStore } from './app-icons.ts'
import { ArrivedStore } from './arrivals.ts'
import { PeopleStore } from './checkpoint.ts'
import { Damage } from './damage.ts'
import { explaining, OpenDatabase } from './database.ts'
import { HiddenStore, Vacuum } from './erasure.ts'
import { LinkStore } from './github.ts'
import { GroupCommit } from './group-commit.ts'
import { PastStore } from './history.ts'
import { HubStore } from './hub.ts'
import { KeyHashStore } from './keys.ts'
import { PairStore } from './kv.ts'
import { ProfileRows } from './profiles.ts'

/** Everything that outlives the process, in one SQLite file. */
export interface Store
  extends KvStore,
    KeyStore,
    PrivacyStore,
    RetentionStore,
    StateStore,
    GithubStore,
    ArrivalStore,
    HistoryStore {
  readonly icons: AppIconStore
  readonly profiles: ProfileStore
  importPairs: PairStore['importPairs']
  importKeys: KeyHashStore['importKeys']
  /** Which hub this file makes of whoever runs on it. */
  loadHub: HubStore['loadHub']
  saveTerm: HubStore['saveTerm']
  /** Writes what is pending, moves everything into the main file, lets go of it. Later writes are refused. */
  close(): Promise<void>
}

export interface StoreDeps {
  readonly log: Log
  readonly metrics?: Metrics | undefined
  /** How long to wait for another process to let go of the file (ms). Default: 3000. */
  readonly patience?: number
  /** What the pairs of all people together may take. Default: 256. */
  readonly maxPairsMib?: number
}

/** How often it is looked whether the file is still where it was. Milliseconds. */
const WATCH_INTERVAL = 5 * SECOND

/**
 * Opens or creates the file, or `:memory:` for one that is gone with the process. Throws FatalError when it cannot be
 * used: not a database, from a newer Exoix, in use by another process, its folder missing.
 */
export function openStore(path: string, { patience, ...deps }: StoreDeps): Store {
  return createStore(new OpenDatabase(path, deps.log, patience), deps)
}

/** The store on a database that is open already. */
export function createStore(database: OpenDatabase, deps: Omit<StoreDeps, 'patience'>): Store {
  const { log, metrics, maxPairsMib = 256 } = deps
  const { db, file } = database
  const group = new GroupCommit(database, { log, metrics })
  const damage = new Damage(log, metrics)
  const vacuum = new Vacuum(database, group, log)
  const past = new PastStore(db, group, damage, vacuum)
  const pairs = explaining(file, () => new PairStore(db, group, damage, past, maxPairsMib * MIB))
  const keys = new KeyHashStore(db, group)
  const people = new PeopleStore(db, group, damage, past)
  const links = new LinkStore(db, group)
  const hub = new HubStore(db, group)
  const arrived = new ArrivedStore(db, group)
  const icons = new IconStore(db, group)
  const profiles = new ProfileRows(db, group)
  const hidden = new HiddenStore(db, group, vacuum, [pairs, keys, people, links, arrived, past, profiles])
  const close = keepUp(database, group, vacuum)

  return {
    ...methodsOf(pairs, file),
    ...methodsOf(keys, file),
    ...methodsOf(people, file),
    ...methodsOf(links, file),
    ...methodsOf(past, file),
    ...methodsOf(hub, file),
    ...methodsOf(arrived, file),
    ...methodsOf(hidden, file),
    icons,
    profiles,
    close,
  }
}

/** Keeps an eye on the file, and rewrites it where that is due. Gives what ends that and lets go of it. */
function keepUp(database: OpenDatabase, group: GroupCommit, vacuum: Vacuum): () => Promise<void> {
  const watch = setInterval(() => group.watch(), WATCH_INTERVAL)
  watch.unref()
  vacuum.start()
  let open = true
  return async () => {
    if (!open) return
    open = false
    clearInterval(watch)
    await vacuum.stop()
    group.close()
    vacuum.finish()
    database.close()
  }
}

/** What a noun can do, as functions of their own; what keeps it from being loaded is explained to the operator. */
function methodsOf<T extends object>(noun: T, file: string): { [K in keyof T]: T[K] } {
  const prototype: Record<string, unknown> = Object.getPrototypeOf(noun)
  const methods = Object.getOwnPropertyNames(prototype).map(name => {
    const method = prototype[name] as (...given: unknown[]) => unknown
    if (!name.startsWith('load')) return [name, method.bind(noun)] as const
    return [name, (...given: unknown[]) => explaining(file, () => method.apply(noun, given))] as const
  })
  return Object.fromEntries(methods.filter(([name]) => name !== 'constructor')) as { [K in keyof T]: T[K] }
}
