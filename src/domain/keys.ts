import { createHash, randomBytes } from 'node:crypto'

/** Keys made here: `exoix_` and 32 bytes in base64url. */
const OWN = { prefix: 'exoix_', length: 49 }
/** Keys that came from Lanyard: 32 lower-case hex characters, in newer versions after a prefix. */
const HEX_LENGTH = 32
const HEX_PREFIX = 'lnyd_'

/** The shape an imported key must have, so that a leaked one can be found again. */
export function isFindableKey(key: string): boolean {
  return /^[A-Za-z0-9_-]{16,255}$/.test(key)
}

/**
 * Every piece of a text that could be a key. A key has been found when one of them is: pieces that merely look like one
 * cost a hash each. At most a few pieces a character, so a hostile text costs no more than its length.
 */
export function* keyCandidates(text: string): Generator<string> {
  yield* ownKeys(text)
  for (const [run] of text.matchAll(/[A-Za-z0-9_-]{16,}/g)) {
    if (run.length <= 255) yield run
    // Markdown emphasis is made of characters a key may contain.
    const bare = run.replace(/^[_-]+/, '').replace(/(?<![_-])[_-]+$/, '')
    if (bare !== run && bare.length >= 16 && bare.length <= 255) yield bare
    yield* hexKeys(run)
  }
}

/** From every prefix on, as many characters as a key has: whatever stands before or after, it is found. */
function* ownKeys(text: string): Generator<string> {
  for (let at = text.indexOf(OWN.prefix); at !== -1; at = text.indexOf(OWN.prefix, at + 1)) {
    yield text.slice(at, at + OWN.length)
  }
}

/** Every window of the right length in every run of hex digits. */
function* hexKeys(run: string): Generator<string> {
  for (const { 0: hex, index } of run.matchAll(/[0-9a-f]{32,}/g)) {
    if (run.startsWith(HEX_PREFIX, index - HEX_PREFIX.length)) {
      yield run.slice(index - HEX_PREFIX.length, index + HEX_LENGTH)
    }
    for (let at = 0; at + HEX_LENGTH <= hex.length; at++) yield hex.slice(at, at + HEX_LENGTH)
  }
}

/** Where key hashes are kept; never a key itself. Implementations: SQLite, as a file or `:memory:`. */
export interface KeyStore {
  /** Every hash with its owner, read once at start. A person may have several: imported ones. */
  loadKeys(): Iterable<readonly [hash: string, userId: string]>
  /** Makes this hash the person's only one. Resolves once it is durable; rejects with `storage_unavailable`. */
  replaceKeys(userId: string, hash: string): Promise<void>
  /** Forgets all the person's hashes. */
  deleteKeys(userId: string): Promise<void>
}

/** A key that has been made and is not valid yet: so that it can be handed over before the old one is given up. */
interface DraftKey {
  readonly key: string
  /**
   * Accepts this key and suspends the old ones, in memory only: from the moment its owner can see it, it is the one that
   * works. To be followed by `activate` or `withdraw`.
   */
  present(): void
  /**
   * Makes it the person's only valid key; not when it was revoked since it was presented. Rejects with
   * `storage_unavailable`; then the old one stays.
   */
  activate(): Promise<void>
  /** Undoes `present`: the key is worthless, the old ones are accepted again. */
  withdraw(): void
}

/** API keys: random, shown once, kept as SHA-256 hashes (a fast hash is right for 256 random bits). */
export interface Keys {
  /** Whose live key has this hash ({@link hashKey}). */
  ownerOf(hash: string): string | undefined
  /** Makes a new key and revokes the old ones at once. The only time the key is seen. */
  issue(userId: string): Promise<string>
  /** A key that becomes valid, and revokes the old ones, only when it is activated. */
  draft(userId: string): DraftKey
  /**
   * Makes the person's keys worthless at once, before anything is stored. Rejects with `storage_unavailable` when that
   * could not be kept: then they stay worthless until the process ends.
   */
  revoke(userId: string): Promise<void>
  /** Drops the person's keys from memory; for when the store has erased them already. */
  forget(userId: string): void
  /**
   * Ids of the people whose live keys a text contains, each once: bare, between punctuation or markdown, in a URL, glued
   * to other words. Linear in the length of the text.
   */
  leaked(text: string): readonly string[]
}

/** What a key of ours looks like: the prefix and 256 bits in base64url. */
const PREFIX = 'exoix_'
const RANDOM_BYTES = 32

export function createKeys(store: KeyStore): Keys {
  const owners = new Map<string, string>()
  const hashes = new Map<string, Set<string>>()
  /** Hashes of old keys while a new one is being handed over: refused, and still to be found when they leak. */
  const suspended = new Set<string>()
  for (const [hash, userId] of store.loadKeys()) remember(userId, hash)

  function remember(userId: string, hash: string): void {
    owners.set(hash, userId)
    const known = hashes.get(userId)
    if (known === undefined) hashes.set(userId, new Set([hash]))
    else known.add(hash)
  }

  function forget(userId: string): void {
    for (const hash of hashes.get(userId) ?? []) {
      owners.delete(hash)
      suspended.delete(hash)
    }
    hashes.delete(userId)
  }

  function draft(userId: string): DraftKey {
    const key = PREFIX + randomBytes(RANDOM_BYTES).toString('base64url')
    const hash = hashKey(key)
    let presented = false
    return {
      key,
      present() {
        presented = true
        for (const old of hashes.get(userId) ?? []) suspended.add(old)
        remember(userId, hash)
      },
      async activate() {
        // Whoever is shown a key can publish it before it is known that they got it.
        if (presented && !owners.has(hash)) return
        await store.replaceKeys(userId, hash)
        forget(userId)
        remember(userId, hash)
      },
      withdraw() {
        owners.delete(hash)
        const left = hashes.get(userId)
        left?.delete(hash)
        for (const old of left ?? []) suspended.delete(old)
        if (left?.size === 0) hashes.delete(userId)
      },
    }
  }

  function ownerOf(hash: string): string | undefined {
    return suspended.has(hash) ? undefined : owners.get(hash)
  }

  return {
    ownerOf,
    draft,
    forget,

    async issue(userId) {
      const { key, activate } = draft(userId)
      await activate()
      return key
    },

    async revoke(userId) {
      forget(userId)
      await store.deleteKeys(userId)
      // Again: a key that was being stored meanwhile has been deleted with the others.
      forget(userId)
    },

    leaked(text) {
      if (owners.size === 0) return []
      const people = new Set<string>()
      for (const candidate of keyCandidates(text)) {
        const userId = owners.get(hashKey(candidate))
        if (userId !== undefined) people.add(userId)
      }
      return [...people]
    },
  }
}

/** SHA-256 in hex. Looking a hash up in a table tells an attacker nothing about the key through timing. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
