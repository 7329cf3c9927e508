import type { Database } from 'bun:sqlite'
import type { KeyStore } from '../domain/keys.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

/** What became of a person's imported keys. `kept`: they have made or revoked keys in Exoix, which nothing overrides. */
export type ImportedKeys = 'added' | 'unchanged' | 'kept'

export interface StoredKeys extends KeyStore, Eraser {
  /**
   * Makes the given hashes the person's imported keys: new ones are added, those no longer given are dropped. Somebody
   * who has made or revoked a key here since is left alone, so that an import never brings a revoked key back.
   */
  importKeys(userId: string, hashes: ReadonlySet<string>): Promise<ImportedKeys>
}

/** Hashes of keys. A revoked imported one is remembered as revoked; one made here is deleted. */
export function createStoredKeys(db: Database, group: GroupCommit): StoredKeys {
  const live = db.prepare<{ hash: string; user_id: string }, []>(
    "SELECT hash, user_id FROM keys WHERE origin <> 'revoked'",
  )
  const ofUser = db.prepare<{ hash: string; origin: string }, [string]>(
    'SELECT hash, origin FROM keys WHERE user_id = ?',
  )
  const revokeImported = db.prepare<void, [string]>(
    "UPDATE keys SET origin = 'revoked' WHERE user_id = ? AND origin = 'imported'",
  )
  const deleteIssued = db.prepare<void, [string]>("DELETE FROM keys WHERE user_id = ? AND origin = 'issued'")
  const deleteHash = db.prepare<void, [string]>('DELETE FROM keys WHERE hash = ?')
  const deleteAll = db.prepare<void, [string]>('DELETE FROM keys WHERE user_id = ?')
  const insert = db.prepare<void, [string, string, 'issued' | 'imported']>(
    'INSERT INTO keys (hash, user_id, origin) VALUES (?, ?, ?)',
  )

  function revoke(userId: string): void {
    revokeImported.run(userId)
    deleteIssued.run(userId)
  }

  return {
    loadKeys: () => live.all().map(({ hash, user_id }) => [hash, user_id] as const),

    replaceKeys: (userId, hash) =>
      group.write(() => {
        revoke(userId)
        insert.run(hash, userId, 'issued')
      }),

    deleteKeys: userId => group.write(() => revoke(userId)),

    importKeys: (userId, hashes) =>
      group.write(() => {
        const known = ofUser.all(userId)
        if (known.some(({ origin }) => origin !== 'imported')) return 'kept'
        const gone = known.filter(({ hash }) => !hashes.has(hash))
        const added = [...hashes].filter(hash => !known.some(key => key.hash === hash))
        for (const { hash } of gone) deleteHash.run(hash)
        for (const hash of added) insert.run(hash, userId, 'imported')
        return gone.length + added.length > 0 ? 'added' : 'unchanged'
      }),

    eraseRows: userId => void deleteAll.run(userId),
  }
}
