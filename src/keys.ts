import { createHash, randomBytes } from 'node:crypto'

/** Where key hashes are kept; never a key itself. Implementations: SQLite, as a file or `:memory:`. */
export interface KeyStore {
  /** Every hash with its owner, read once at start. */
  loadKeys(): Iterable<readonly [hash: string, userId: string]>
  /** Makes this hash the person's only one. Resolves once it is durable; rejects with `storage_unavailable`. */
  replaceKeys(userId: string, hash: string): Promise<void>
  /** Forgets all the person's hashes. */
  deleteKeys(userId: string): Promise<void>
}

/** API keys: random, shown once, kept as SHA-256 hashes (a fast hash is right for 256 random bits). */
export interface Keys {
  /** The person a key belongs to. Undefined for anything that is not a live key, an empty one included. */
  owner(key: string): string | undefined
  /** Makes a new key and revokes the old ones at once. The only time the key is seen. */
  issue(userId: string): Promise<string>
  revoke(userId: string): Promise<void>
}

const PREFIX = 'exoix_'

export function createKeys(store: KeyStore): Keys {
  const owners = new Map<string, string>(store.loadKeys())

  function forget(userId: string): void {
    for (const [hash, owner] of owners) if (owner === userId) owners.delete(hash)
  }

  return {
    owner: key => (key === '' ? undefined : owners.get(hashKey(key))),
    async issue(userId) {
      const key = PREFIX + randomBytes(32).toString('base64url')
      await store.replaceKeys(userId, hashKey(key))
      forget(userId)
      owners.set(hashKey(key), userId)
      return key
    },
    async revoke(userId) {
      await store.deleteKeys(userId)
      forget(userId)
    },
  }
}

/** SHA-256 in hex. Looking a hash up in a table tells an attacker nothing about the key through timing. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
