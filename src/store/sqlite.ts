import type { AppIconStore } from '../domain/app-icons.ts'
import type { ArrivalStore } from '../domain/arrivals.ts'
import type { StateStore } from '../domain/checkpoint.ts'
import type { GithubStore } from '../domain/github.ts'
import type { HistoryStore } from '../domain/history.ts'
import type { KeyStore } from '../domain/keys.ts'
import type { KvStore } from '../domain/kv.ts'
import type { PrivacyStore, RetentionStore } from '../domain/privacy.ts'
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
  const hidden = new HiddenStore(db, group, vacuum, [pairs, keys, people, links, arrived, past])
  const close = keepUp(database, group, vacuum)

  return {
    loadPairs: () => explaining(file, () => pairs.loadPairs()),
    changePairs: (userId, change) => pairs.changePairs(userId, change),
    loadAbsences: () => pairs.loadAbsences(),
    storeAbsence: (userId, since) => pairs.storeAbsence(userId, since),
    removeAbsent: (userId, since) => pairs.removeAbsent(userId, since),
    importPairs: (userId, wanted) => pairs.importPairs(userId, wanted),
    loadKeys: () => explaining(file, () => keys.loadKeys()),
    replaceKeys: (userId, hash) => keys.replaceKeys(userId, hash),
    deleteKeys: userId => keys.deleteKeys(userId),
    importKeys: (userId, hashes) => keys.importKeys(userId, hashes),
    loadPeople: () => people.loadPeople(),
    loadSessions: () => people.loadSessions(),
    saveState: take => people.saveState(take),
    loadLinks: () => explaining(file, () => links.loadLinks()),
    storeLink: link => links.storeLink(link),
    updateLink: link => links.updateLink(link),
    deleteLink: userId => links.deleteLink(userId),
    loadHistories: () => explaining(file, () => past.loadHistories()),
    historiesSavedAt: () => past.historiesSavedAt(),
    loadPast: userId => past.loadPast(userId),
    storeConsent: (userId, since) => past.storeConsent(userId, since),
    endConsent: userId => past.endConsent(userId),
    prunePast: before => past.prunePast(before),
    icons,
    loadHidden: () => explaining(file, () => hidden.loadHidden()),
    storeHidden: (userId, hide) => hidden.storeHidden(userId, hide),
    erase: userId => hidden.erase(userId),
    loadArrived: () => explaining(file, () => arrived.loadArrived()),
    storeArrived: userIds => arrived.storeArrived(userIds),
    loadHub: () => hub.loadHub(),
    saveTerm: term => hub.saveTerm(term),
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
