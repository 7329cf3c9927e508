import { Holds } from '../lib/holds.ts'
import { invalidKvValue, kvValidationFailed } from './errors.ts'
import type { Keys } from './keys.ts'
import { KV_KEY, KV_LIMITS, KV_MESSAGES } from './kv-limits.ts'
import { isObject } from './presence.ts'
import type { PresenceStore } from './presence-store.ts'

/** One change to one person's pairs; applied whole or not at all. */
export type KvChange =
  | { readonly kind: 'put'; readonly pairs: ReadonlyMap<string, string> }
  | { readonly kind: 'delete'; readonly key: string }
  | { readonly kind: 'clear' }

/** Where pairs are kept. Implementations: SQLite, as a file or `:memory:`. */
export interface KvStore {
  /** Every person's pairs, read once at start. */
  loadPairs(): Iterable<readonly [userId: string, pairs: ReadonlyMap<string, string>]>
  /**
   * Applies the change in a transaction of its own or one shared with others that arrive together. Resolves once it is
   * durable, in the order of the calls, with whether anything was stored or removed.
   * Rejects with `kv_validation_failed` over the key limit, `storage_unavailable` when it cannot be kept.
   */
  changePairs(userId: string, change: KvChange): Promise<boolean>
}

/** The one write path: REST and bot both come through here. Reads go to the presence store. */
export interface Kv {
  put(userId: string, key: string, value: string): Promise<void>
  /** All or nothing. `pairs` is what a client sent: anything but an object of strings is refused. */
  merge(userId: string, pairs: unknown): Promise<void>
  /** Resolves with whether the key was there. */
  delete(userId: string, key: string): Promise<boolean>
  clear(userId: string): Promise<void>
  /** A person's pairs, whether they are shown or not. */
  pairs(userId: string): ReadonlyMap<string, string>
  /** Lets the person's writes wait until the returned function is called. */
  hold(userId: string): () => void
}

/** @param keys what looks for keys in what is about to be shown to everybody */
export function createKv(store: KvStore, presences: PresenceStore, keys?: Pick<Keys, 'expose'>): Kv {
  const held = new Holds()
  for (const [userId, pairs] of store.loadPairs()) presences.setKv(userId, pairs)

  // The store settles writes in the order in which it made them durable, and every writer goes on one step after its
  // write has settled: memory changes in the same order.
  async function write(userId: string, change: KvChange): Promise<boolean> {
    if (held.has(userId)) await held.free(userId)
    const stored = await store.changePairs(userId, change)
    if (stored) presences.setKv(userId, applyChange(presences.kv(userId), change))
    await presences.copies.spread()
    return stored
  }

  async function put(userId: string, pairs: ReadonlyMap<string, string>): Promise<void> {
    if (keys?.expose([...pairs].flat().join('\n'), 'a key-value pair')) {
      throw invalidKvValue('value must not contain an API key; the key in it has been revoked')
    }
    await write(userId, { kind: 'put', pairs })
  }

  return {
    async put(userId, key, value) {
      await put(userId, new Map([[checkKey(key), checkValue(value)]]))
    },
    async merge(userId, pairs) {
      const checked = checkPairs(pairs)
      if (checked.size > 0) await put(userId, checked)
    },
    delete: async (userId, key) => isKey(key) && (await write(userId, { kind: 'delete', key })),
    async clear(userId) {
      await write(userId, { kind: 'clear' })
    },
    pairs: userId => presences.kv(userId),
    hold: userId => held.add(userId),
  }
}

/** The pairs after a change; the given map stays as it is. */
export function applyChange(pairs: ReadonlyMap<string, string>, change: KvChange): ReadonlyMap<string, string> {
  if (change.kind === 'clear') return new Map()
  const next = new Map(pairs)
  if (change.kind === 'delete') next.delete(change.key)
  else for (const [key, value] of change.pairs) next.set(key, value)
  return next
}

/** What a change is refused with that would leave a person with more than {@link KV_LIMITS} keys. */
export const keyLimitExceeded = () => kvValidationFailed(KV_MESSAGES.tooManyKeys)

/** Throws `kv_validation_failed`, with the message Lanyard's clients know. */
export function checkKey(key: string): string {
  if (codePoints(key, KV_LIMITS.keyLength) > KV_LIMITS.keyLength) throw kvValidationFailed(KV_MESSAGES.keyTooLong)
  if (!isKey(key)) throw kvValidationFailed(KV_MESSAGES.keyLetters)
  return key
}

/** Whether a pair could have this key; any other is nowhere. */
export const isKey = (key: string) => key.length <= KV_LIMITS.keyLength && KV_KEY.test(key)

/** Throws `invalid_kv_value` for half characters, `kv_validation_failed` for too many. */
export function checkValue(value: string): string {
  if (!value.isWellFormed()) throw invalidKvValue('value must be valid Unicode')
  if (codePoints(value, KV_LIMITS.valueLength) > KV_LIMITS.valueLength)
    throw kvValidationFailed(KV_MESSAGES.valueTooLong)
  return value
}

function checkPairs(pairs: unknown): ReadonlyMap<string, string> {
  if (!isObject(pairs)) throw invalidKvValue(KV_MESSAGES.noObject)
  const entries = Object.entries(pairs)
  if (!entries.every((pair): pair is [string, string] => typeof pair[1] === 'string')) {
    throw invalidKvValue(KV_MESSAGES.noObject)
  }
  return new Map(entries.map(([key, value]) => [checkKey(key), checkValue(value)]))
}

/**
 * Counts code points, as far as it matters for the limit: a surrogate pair is one of them. Without an object for each
 * pair, of which a body may hold millions.
 */
function codePoints(text: string, limit: number): number {
  let count = text.length
  if (count <= limit || count > 2 * limit) return count
  for (let at = 1; at < text.length; at++) {
    if (isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at))) count--
  }
  return count
}

const isHigh = (unit: number) => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number) => unit >= 0xdc00 && unit < 0xe000
