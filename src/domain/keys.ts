import { randomBytes } from 'node:crypto'
import { Holds } from '../lib/holds.ts'
import { looksRandom, OWN_KEY, visitKeyCandidates } from './key-scan.ts'
import { type KeepOptions, UntilKept } from './until-kept.ts'

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
export interface DraftKey {
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

/** Told of people whose keys were seen where they must not be, and have been revoked. `where` is a place in words. */
type ExposureListener = (userIds: readonly string[], where: string) => void

/** API keys: random, shown once, kept as SHA-256 hashes (a fast hash is right for 256 random bits). */
export class Keys {
  readonly #store: KeyStore
  /** Live keys by hash, suspended ones too: those must still be found when they leak. */
  readonly #owners = new Map<string, string>()
  readonly #hashes = new Map<string, Set<string>>()
  /** Hashes of old keys while a new one is being handed over. */
  readonly #suspended = new Set<string>()
  /** People who are being erased: no key of theirs is accepted. */
  readonly #held = new Holds()
  /** Keys that are being stored. */
  readonly #replacements = new Set<{ readonly userId: string; revoked: boolean }>()
  readonly #revocations: UntilKept
  readonly #listeners = new Set<ExposureListener>()
  /** First bits of the hashes of live keys, and of some that were: what is not among them need not be looked up. */
  readonly #firstBits = new Set<number>()

  constructor(store: KeyStore, options: KeepOptions = {}) {
    this.#store = store
    this.#revocations = new UntilKept('revoked keys', options)
    for (const [hash, userId] of store.loadKeys()) this.#remember(userId, hash)
  }

  /** Whose live key has this hash ({@link hashKey}). */
  ownerOf(hash: string): string | undefined {
    const owner = this.#owners.get(hash)
    return owner === undefined || this.#suspended.has(hash) || this.#held.has(owner) ? undefined : owner
  }

  /** How many live keys the person has. */
  count(userId: string): number {
    return this.#hashes.get(userId)?.size ?? 0
  }

  /** A key that becomes valid, and revokes the old ones, only when it is activated. */
  draft(userId: string): DraftKey {
    const key = makeKey()
    const hash = hashKey(key)
    let presented = false
    return {
      key,
      present: () => {
        presented = true
        for (const old of this.#hashes.get(userId) ?? []) this.#suspended.add(old)
        this.#remember(userId, hash)
      },
      activate: async () => {
        if (this.#held.has(userId)) await this.#held.free(userId)
        // Whoever is shown a key can publish it before it is known that they got it.
        if (presented && !this.#owners.has(hash)) return
        await this.#replace(userId, hash)
      },
      withdraw: () => this.#withdraw(userId, hash),
    }
  }

  /**
   * Makes the person's keys worthless at once, before anything is stored. Rejects with `storage_unavailable` when that
   * could not be kept yet: it is tried again until it is.
   */
  async revoke(userId: string): Promise<void> {
    this.forget(userId)
    // A key that is being stored at the moment is deleted with the others.
    for (const replacement of this.#replacements) if (replacement.userId === userId) replacement.revoked = true
    await this.#revocations.keep(userId, () => this.#store.deleteKeys(userId))
  }

  /** Drops the person's keys from memory; for when the store has erased them already. */
  forget(userId: string): void {
    for (const hash of this.#hashes.get(userId) ?? []) {
      this.#owners.delete(hash)
      this.#suspended.delete(hash)
    }
    this.#hashes.delete(userId)
  }

  /** Accepts no key of the person and makes none valid, until the returned function is called. */
  hold(userId: string): () => void {
    return this.#held.add(userId)
  }

  /**
   * Ids of the people whose live keys a text contains, each once, however it is written: see {@link visitKeyCandidates}.
   * Linear in the length of the text.
   */
  leaked(text: string): readonly string[] {
    if (this.#owners.size === 0 || text.length < SHORTEST_TEXT) return []
    const people = new Set<string>()
    visitKeyCandidates(text, piece => {
      const userId = this.#firstBits.has(firstBitsOf(piece)) && this.#owners.get(hashKey(piece))
      if (userId) people.add(userId)
    })
    return [...people]
  }

  /**
   * Looks through a text that is not to be shown: whoever's live key is in it loses that key at once, and listeners are
   * told. Returns whether there was one.
   */
  expose(text: string, where: string): boolean {
    const owners = this.leaked(text)
    if (owners.length === 0) return false
    // Worthless now; until that is kept too it is tried again, as the log says.
    for (const userId of owners) void this.revoke(userId).catch(() => {})
    for (const listener of this.#listeners) listener(owners, where)
    return true
  }

  /** Hears of keys that {@link expose} has revoked. Returns what ends that. */
  onExposed(listener: ExposureListener): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Tries a last time to keep what could not be kept. */
  stop(): Promise<void> {
    return this.#revocations.stop()
  }

  #remember(userId: string, hash: string): void {
    this.#owners.set(hash, userId)
    this.#noteFirstBits(hash)
    const known = this.#hashes.get(userId)
    if (known === undefined) this.#hashes.set(userId, new Set([hash]))
    else known.add(hash)
  }

  #noteFirstBits(hash: string): void {
    if (this.#firstBits.size > 2 * this.#owners.size + MANY_GONE) {
      this.#firstBits.clear()
      for (const live of this.#owners.keys()) this.#firstBits.add(Number.parseInt(live.slice(0, 8), 16))
    }
    this.#firstBits.add(Number.parseInt(hash.slice(0, 8), 16))
  }

  async #replace(userId: string, hash: string): Promise<void> {
    // What replaces all keys revokes them too, and a revocation that came later would take this key along.
    const revocation = this.#revocations.withdraw(userId)
    const replacement = { userId, revoked: false }
    this.#replacements.add(replacement)
    try {
      await this.#store.replaceKeys(userId, hash)
    } catch (error) {
      this.#revocations.restore(userId, revocation)
      throw error
    } finally {
      this.#replacements.delete(replacement)
    }
    if (replacement.revoked) return this.#withdraw(userId, hash)
    this.forget(userId)
    this.#remember(userId, hash)
  }

  #withdraw(userId: string, hash: string): void {
    this.#owners.delete(hash)
    const left = this.#hashes.get(userId)
    left?.delete(hash)
    for (const old of left ?? []) this.#suspended.delete(old)
    if (left?.size === 0) this.#hashes.delete(userId)
  }
}

/** No text shorter than this has a key in it: the least an imported one may have. */
const SHORTEST_TEXT = 16

/** So many hashes of keys that are gone are carried along. */
const MANY_GONE = 1000

const digest = new Uint8Array(32)
const digestBits = new DataView(digest.buffer)

function firstBitsOf(key: string): number {
  Bun.SHA256.hash(key, digest)
  return digestBits.getUint32(0)
}

/** Random as it must be to be found again wherever it leaks. */
function makeKey(): string {
  for (;;) {
    const random = randomBytes(OWN_KEY.randomBytes).toString('base64url')
    if (looksRandom(random) && !random.includes(OWN_KEY.prefix)) return OWN_KEY.prefix + random
  }
}

/** SHA-256 in hex. Looking a hash up in a table tells an attacker nothing about the key through timing. */
export function hashKey(key: string): string {
  return Bun.SHA256.hash(key, 'hex')
}
