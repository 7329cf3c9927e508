import type { Database } from 'bun:sqlite'
import { type KvChange, type KvStore, keyLimitExceeded } from '../domain/kv.ts'
import { KV_LIMITS } from '../domain/kv-limits.ts'
import type { RetentionStore } from '../domain/privacy.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

/** What became of imported pairs: keys by outcome. `kept`: Exoix has another value, which stays. */
export interface ImportedPairs {
  readonly added: readonly string[]
  readonly unchanged: readonly string[]
  readonly kept: readonly string[]
  /** Beyond the limit of keys a person. */
  readonly overLimit: readonly string[]
}

export interface PairStore extends KvStore, RetentionStore, Eraser {
  /** Adds pairs the person does not have yet; never overwrites. */
  importPairs(userId: string, pairs: ReadonlyMap<string, string>): Promise<ImportedPairs>
}

/** Pairs, and since when people who have some are absent. */
export function createPairStore(db: Database, group: GroupCommit): PairStore {
  const all = db.prepare<{ user_id: string; key: string; value: string }, []>(
    'SELECT user_id, key, value FROM pairs ORDER BY id',
  )
  const absences = db.prepare<{ user_id: string; since: number | null }, []>(
    'SELECT DISTINCT pairs.user_id, since FROM pairs LEFT JOIN absences USING (user_id)',
  )
  const update = db.prepare<void, [string, string, string]>('UPDATE pairs SET value = ? WHERE user_id = ? AND key = ?')
  const insert = db.prepare<void, [string, string, string]>('INSERT INTO pairs (user_id, key, value) VALUES (?, ?, ?)')
  const remove = db.prepare<void, [string, string]>('DELETE FROM pairs WHERE user_id = ? AND key = ?')
  const removeAll = db.prepare<void, [string]>('DELETE FROM pairs WHERE user_id = ?')
  const count = db.prepare<{ keys: number }, [string]>('SELECT count(*) AS keys FROM pairs WHERE user_id = ?')
  const find = db.prepare<{ value: string }, [string, string]>('SELECT value FROM pairs WHERE user_id = ? AND key = ?')
  const setAbsent = db.prepare<void, [string, number]>('INSERT OR REPLACE INTO absences (user_id, since) VALUES (?, ?)')
  const setPresent = db.prepare<void, [string]>('DELETE FROM absences WHERE user_id = ?')
  const setPresentSince = db.prepare<void, [string, number]>('DELETE FROM absences WHERE user_id = ? AND since = ?')

  const keysOf = (userId: string) => count.get(userId)?.keys ?? 0

  function put(userId: string, pairs: ReadonlyMap<string, string>): boolean {
    let added = 0
    for (const [key, value] of pairs) added += putOne(userId, key, value)
    // Counting costs more than writing, and what is only overwritten cannot exceed anything.
    if (added > 0 && keysOf(userId) > KV_LIMITS.keys) throw keyLimitExceeded()
    return pairs.size > 0
  }

  function putOne(userId: string, key: string, value: string): 0 | 1 {
    if (update.run(value, userId, key).changes > 0) return 0
    insert.run(userId, key, value)
    return 1
  }

  function change(userId: string, change: KvChange): boolean {
    // Whoever changes their pairs is there: the clock of retention starts anew.
    setPresent.run(userId)
    if (change.kind === 'put') return put(userId, change.pairs)
    if (change.kind === 'delete') return remove.run(userId, change.key).changes > 0
    return removeAll.run(userId).changes > 0
  }

  return {
    loadPairs() {
      const people = new Map<string, Map<string, string>>()
      for (const { user_id, key, value } of all.iterate()) {
        const pairs = people.get(user_id)
        if (pairs === undefined) people.set(user_id, new Map([[key, value]]))
        else pairs.set(key, value)
      }
      return people
    },

    changePairs: (userId, wanted) => group.write(() => change(userId, wanted)),

    loadAbsences: () => absences.all().map(({ user_id, since }) => [user_id, since] as const),

    storeAbsence: (userId, since) =>
      group.write(() => {
        if (since === null) setPresent.run(userId)
        else setAbsent.run(userId, since)
      }),

    removeAbsent: (userId, since) =>
      group.write(() => setPresentSince.run(userId, since).changes > 0 && removeAll.run(userId).changes > 0),

    importPairs: (userId, pairs) =>
      group.write(() => {
        const result = { added: [], unchanged: [], kept: [], overLimit: [] } as Record<keyof ImportedPairs, string[]>
        setPresent.run(userId)
        let keys = keysOf(userId)
        for (const [key, value] of pairs) {
          const known = find.get(userId, key)
          if (known !== null) result[known.value === value ? 'unchanged' : 'kept'].push(key)
          else if (keys >= KV_LIMITS.keys) result.overLimit.push(key)
          else {
            insert.run(userId, key, value)
            keys++
            result.added.push(key)
          }
        }
        return result
      }),

    eraseRows(userId) {
      removeAll.run(userId)
      setPresent.run(userId)
    },
  }
}
