import type { Database } from 'bun:sqlite'
import type { KeyStore } from '../domain/keys.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

/** What became of a person's imported keys. `kept`: they have made or revoked keys in Exoix, which nothing overrides. */
export type ImportedKeys = 'added' | 'unchanged' | 'kept'

/** Hashes of keys. A revoked imported one is remembered as revoked; one made here is deleted. */
export class KeyHashStore implements KeyStore, Eraser {
  readonly #group: GroupCommit
  readonly #live
  readonly #ofUser
  readonly #revokeImported
  readonly #deleteIssued
  readonly #deleteHash
  readonly #deleteAll
  readonly #insert

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#live = db.prepare<{ hash: string; user_id: string }, []>(
      "SELECT hash, user_id FROM keys WHERE origin <> 'revoked'",
    )
    this.#ofUser = db.prepare<{ hash: string; origin: string }, [string]>(
      'SELECT hash, origin FROM keys WHERE user_id = ?',
    )
    this.#revokeImported = db.prepare<void, [string]>(
      "UPDATE keys SET origin = 'revoked' WHERE user_id = ? AND origin = 'imported'",
    )
    this.#deleteIssued = db.prepare<void, [string]>("DELETE FROM keys WHERE user_id = ? AND origin = 'issued'")
    this.#deleteHash = db.prepare<void, [string]>('DELETE FROM keys WHERE hash = ?')
    this.#deleteAll = db.prepare<void, [string]>('DELETE FROM keys WHERE user_id = ?')
    this.#insert = db.prepare<void, [string, string, 'issued' | 'imported']>(
      'INSERT INTO keys (hash, user_id, origin) VALUES (?, ?, ?)',
    )
  }

  loadKeys(): Iterable<readonly [string, string]> {
    return this.#live.all().map(({ hash, user_id }) => [hash, user_id] as const)
  }

  replaceKeys(userId: string, hash: string): Promise<void> {
    return this.#group.write(() => {
      this.#revoke(userId)
      this.#insert.run(hash, userId, 'issued')
    })
  }

  deleteKeys(userId: string): Promise<void> {
    return this.#group.write(() => this.#revoke(userId))
  }

  /**
   * Makes the given hashes the person's imported keys: new ones are added, those no longer given are dropped. Somebody
   * who has made or revoked a key here since is left alone, so that an import never brings a revoked key back.
   */
  importKeys(userId: string, hashes: ReadonlySet<string>): Promise<ImportedKeys> {
    return this.#group.write(() => {
      const known = this.#ofUser.all(userId)
      if (known.some(({ origin }) => origin !== 'imported')) return 'kept'
      const gone = known.filter(({ hash }) => !hashes.has(hash))
      const added = [...hashes].filter(hash => !known.some(key => key.hash === hash))
      for (const { hash } of gone) this.#deleteHash.run(hash)
      for (const hash of added) this.#insert.run(hash, userId, 'imported')
      return gone.length + added.length > 0 ? 'added' : 'unchanged'
    })
  }

  eraseRows(userId: string): void {
    this.#deleteAll.run(userId)
  }

  #revoke(userId: string): void {
    this.#revokeImported.run(userId)
    this.#deleteIssued.run(userId)
  }
}
