import type { Database } from 'bun:sqlite'
import { storageFull } from '../domain/errors.ts'
import { isKey, type KvChange, type KvStore, keyLimitExceeded } from '../domain/kv.ts'
import { KV_LIMITS } from '../domain/kv-limits.ts'
import { isSnowflake } from '../domain/presence.ts'
import type { RetentionStore } from '../domain/privacy.ts'
import { MIB } from '../lib/bytes.ts'
import type { Damage } from './damage.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

/** What became of imported pairs: keys by outcome. `kept`: Exoix has another value, which stays. */
export interface ImportedPairs {
  readonly added: readonly string[]
  readonly unchanged: readonly string[]
  readonly kept: readonly string[]
  /** Beyond the limit of keys a person. */
  readonly overLimit: readonly string[]
  /** Beyond what all pairs may take. */
  readonly overBudget: readonly string[]
}

/** What a pair takes besides its characters, in memory and in the file. Bytes. */
const OVERHEAD = 128

/** What it takes to keep a pair. Bytes. */
const costOf = (key: string, value: string) => Buffer.byteLength(key) + Buffer.byteLength(value) + OVERHEAD
const COST = `octet_length(key) + octet_length(value) + ${OVERHEAD}`

/** What a change holds in memory while it waits: characters may take two bytes each. */
function waitingBytes(change: KvChange): number {
  let bytes = OVERHEAD
  if (change.kind === 'put')
    for (const [key, value] of change.pairs) bytes += 2 * (key.length + value.length) + OVERHEAD
  return bytes
}

/** Pairs, and since when people who have some are absent. */
export class PairStore implements KvStore, RetentionStore, Eraser {
  readonly #group: GroupCommit
  readonly #damage: Damage
  readonly #history: Eraser
  readonly #most: number
  readonly #all
  readonly #absences
  readonly #update
  readonly #insert
  readonly #remove
  readonly #removeAll
  readonly #count
  readonly #cost
  readonly #find
  readonly #value
  readonly #setAbsent
  readonly #setPresent
  readonly #setPresentSince
  /** What all pairs of everybody take. */
  #bytes: number

  /**
   * @param history is removed with the pairs of who is absent
   * @param most bytes that the pairs of all people together may take
   */
  constructor(db: Database, group: GroupCommit, damage: Damage, history: Eraser, most: number) {
    this.#group = group
    this.#history = history
    this.#damage = damage
    this.#most = most
    this.#all = db.prepare<{ user_id: string; key: string; value: string }, []>(
      'SELECT user_id, key, value FROM pairs ORDER BY id',
    )
    this.#absences = db.prepare<{ user_id: string; since: number | null }, []>(
      `SELECT user_id, since FROM (SELECT user_id FROM pairs UNION SELECT user_id FROM histories)
       LEFT JOIN absences USING (user_id)`,
    )
    this.#update = db.prepare<void, [string, number]>('UPDATE pairs SET value = ? WHERE id = ?')
    this.#insert = db.prepare<void, [string, string, string]>(
      'INSERT INTO pairs (user_id, key, value) VALUES (?, ?, ?)',
    )
    this.#remove = db.prepare<{ cost: number }, [string, string]>(
      `DELETE FROM pairs WHERE user_id = ? AND key = ? RETURNING ${COST} AS cost`,
    )
    this.#removeAll = db.prepare<void, [string]>('DELETE FROM pairs WHERE user_id = ?')
    this.#count = db.prepare<{ keys: number }, [string]>('SELECT count(*) AS keys FROM pairs WHERE user_id = ?')
    this.#cost = db.prepare<{ cost: number }, [string]>(
      `SELECT coalesce(sum(${COST}), 0) AS cost FROM pairs WHERE user_id = ?`,
    )
    this.#find = db.prepare<{ id: number; cost: number }, [string, string]>(
      `SELECT id, ${COST} AS cost FROM pairs WHERE user_id = ? AND key = ?`,
    )
    this.#value = db.prepare<{ value: string }, [string, string]>(
      'SELECT value FROM pairs WHERE user_id = ? AND key = ?',
    )
    this.#setAbsent = db.prepare<void, [string, number]>(
      'INSERT OR REPLACE INTO absences (user_id, since) VALUES (?, ?)',
    )
    this.#setPresent = db.prepare<void, [string]>('DELETE FROM absences WHERE user_id = ?')
    this.#setPresentSince = db.prepare<void, [string, number]>('DELETE FROM absences WHERE user_id = ? AND since = ?')
    this.#bytes = db.query<{ cost: number }, []>(`SELECT coalesce(sum(${COST}), 0) AS cost FROM pairs`).get()?.cost ?? 0
  }

  loadPairs(): ReadonlyMap<string, ReadonlyMap<string, string>> {
    const people = new Map<string, Map<string, string>>()
    for (const { user_id, key, value } of this.#all.iterate()) {
      if (!isSnowflake(user_id) || !isKey(key)) {
        this.#damage.found('pair')
        continue
      }
      const pairs = people.get(user_id)
      if (pairs === undefined) people.set(user_id, new Map([[key, value]]))
      else pairs.set(key, value)
    }
    this.#damage.tell()
    return people
  }

  changePairs(userId: string, change: KvChange): Promise<boolean> {
    return this.#group.write(() => this.#change(userId, change), waitingBytes(change))
  }

  loadAbsences(): Iterable<readonly [string, number | null]> {
    return this.#absences.all().map(({ user_id, since }) => [user_id, since] as const)
  }

  storeAbsence(userId: string, since: number | null): Promise<void> {
    return this.#group.write(() => {
      if (since === null) this.#setPresent.run(userId)
      else this.#setAbsent.run(userId, since)
    })
  }

  removeAbsent(userId: string, since: number): Promise<boolean> {
    return this.#group.write(() => {
      if (this.#setPresentSince.run(userId, since).changes === 0) return false
      this.#clear(userId)
      this.#history.eraseRows(userId)
      return true
    })
  }

  /** Adds pairs the person does not have yet; never overwrites. */
  importPairs(userId: string, pairs: ReadonlyMap<string, string>): Promise<ImportedPairs> {
    return this.#group.write(() => this.#import(userId, pairs), waitingBytes({ kind: 'put', pairs }))
  }

  eraseRows(userId: string): void {
    this.#clear(userId)
    this.#setPresent.run(userId)
  }

  #change(userId: string, change: KvChange): boolean {
    // Whoever changes their pairs is there: the clock of retention starts anew.
    this.#setPresent.run(userId)
    if (change.kind === 'put') return this.#put(userId, change.pairs)
    if (change.kind === 'clear') return this.#clear(userId)
    const removed = this.#remove.get(userId, change.key)
    if (removed === null) return false
    this.#grow(-removed.cost)
    return true
  }

  #put(userId: string, pairs: ReadonlyMap<string, string>): boolean {
    let added = 0
    let grown = 0
    for (const [key, value] of pairs) {
      const known = this.#find.get(userId, key)
      if (known === null) {
        this.#insert.run(userId, key, value)
        added++
      } else this.#update.run(value, known.id)
      grown += costOf(key, value) - (known?.cost ?? 0)
    }
    // Counting costs more than writing, and what is only overwritten cannot exceed anything.
    if (added > 0 && this.#keysOf(userId) > KV_LIMITS.keys) throw keyLimitExceeded()
    if (grown > 0 && this.#bytes + grown > this.#most) throw storageFull(Math.floor(this.#most / MIB))
    this.#grow(grown)
    return pairs.size > 0
  }

  #clear(userId: string): boolean {
    const cost = this.#cost.get(userId)?.cost ?? 0
    this.#grow(-cost)
    return this.#removeAll.run(userId).changes > 0
  }

  #import(userId: string, pairs: ReadonlyMap<string, string>): ImportedPairs {
    const result = { added: [], unchanged: [], kept: [], overLimit: [], overBudget: [] } as Record<
      keyof ImportedPairs,
      string[]
    >
    this.#setPresent.run(userId)
    let keys = this.#keysOf(userId)
    for (const [key, value] of pairs) {
      const known = this.#value.get(userId, key)
      if (known !== null) result[known.value === value ? 'unchanged' : 'kept'].push(key)
      else if (keys >= KV_LIMITS.keys) result.overLimit.push(key)
      else if (this.#bytes + costOf(key, value) > this.#most) result.overBudget.push(key)
      else {
        this.#insert.run(userId, key, value)
        this.#grow(costOf(key, value))
        keys++
        result.added.push(key)
      }
    }
    return result
  }

  #keysOf(userId: string): number {
    return this.#count.get(userId)?.keys ?? 0
  }

  #grow(bytes: number): void {
    this.#bytes += bytes
    this.#group.onUndone(() => {
      this.#bytes -= bytes
    })
  }
}
