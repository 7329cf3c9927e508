import type { StateStore } from '../domain/checkpoint.ts'
import type { GithubStore } from '../domain/github.ts'
import type { KeyStore } from '../domain/keys.ts'
import type { KvStore } from '../domain/kv.ts'
import type { PrivacyStore, RetentionStore } from '../domain/privacy.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createStateStore } from './checkpoint.ts'
import { type Claimed, openDatabase } from './database.ts'
import { createPrivacyStore, createScrubber } from './erasure.ts'
import { createGithubStore } from './github.ts'
import { createGroupCommit } from './group-commit.ts'
import { createStoredKeys, type StoredKeys } from './keys.ts'
import { createPairStore, type PairStore } from './kv.ts'

/** Everything that outlives the process, in one SQLite file. */
export interface Store extends KvStore, KeyStore, PrivacyStore, RetentionStore, StateStore, GithubStore {
  importPairs: PairStore['importPairs']
  importKeys: StoredKeys['importKeys']
  /** Writes what is pending, moves everything into the main file, lets go of it. Later writes are refused. */
  close(): Promise<void>
}

export interface StoreDeps {
  readonly log: Log
  readonly metrics?: Metrics | undefined
  /** How long to wait for another process to let go of the file (ms). Default: 3000. */
  readonly patience?: number
}

/**
 * Opens or creates the file, or `:memory:` for one that is gone with the process. Throws FatalError when it cannot be
 * used: not a database, from a newer Exoix, in use by another process, its folder missing.
 */
export function openStore(path: string, { log, metrics, patience }: StoreDeps): Store {
  return createStore(openDatabase(path, log, patience), { log, metrics })
}

/** The store on a database that is open already. */
export function createStore(database: Claimed, { log, metrics }: Omit<StoreDeps, 'patience'>): Store {
  const group = createGroupCommit(database.db, { log, metrics })
  const scrubber = createScrubber(database, group, log)
  const pairs = createPairStore(database.db, group)
  const keys = createStoredKeys(database.db, group)
  const state = createStateStore(database.db, group)
  const github = createGithubStore(database.db, group)
  const privacy = createPrivacyStore(database.db, group, scrubber, [pairs, keys, state, github])
  let open = true
  scrubber.start()

  return {
    ...pairs,
    ...keys,
    ...state,
    ...github,
    ...privacy,
    async close() {
      if (!open) return
      open = false
      await scrubber.stop()
      group.close()
      scrubber.finish()
      database.close()
    },
  }
}
