import { invalidKvValue } from '../domain/errors.ts'
import { keyLimitExceeded } from '../domain/kv.ts'
import { KV_LIMITS, KV_MESSAGES } from '../domain/kv-limits.ts'

/** How many pairs a body may name. Those that are named twice overwrite each other, so it may be a few too many. */
const MOST = 2 * KV_LIMITS.keys

const JSON_TEXT = new TextDecoder('utf-8', { fatal: true })

/**
 * The pairs in a PATCH body. Its outline is looked at first: reading JSON of millions of members, of which nothing
 * would be kept, takes seconds.
 * @throws ApiError 400 `invalid_kv_value` for what is no object of strings, `kv_validation_failed` for too many of them
 */
export function readPairs(bytes: Uint8Array): unknown {
  const count = countStrings(bytes)
  if (count > MOST) throw keyLimitExceeded()
  try {
    if (count >= 0) return JSON.parse(JSON_TEXT.decode(bytes))
  } catch {}
  throw invalidKvValue(KV_MESSAGES.noObject)
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d

/**
 * Counts the members of an object of strings; stops when there are too many. -1 when it can be none. What is
 * between quotes, and what follows the object, is left to whoever reads it.
 */
function countStrings(bytes: Uint8Array): number {
  let at = skipBlanks(bytes, hasMark(bytes) ? 3 : 0)
  if (bytes[at] !== OPEN) return -1
  at = skipBlanks(bytes, at + 1)
  if (bytes[at] === CLOSE) return 0
  for (let count = 1; ; count++) {
    at = skipBlanks(bytes, skipString(bytes, at))
    if (bytes[at] !== COLON) return -1
    at = skipBlanks(bytes, skipString(bytes, skipBlanks(bytes, at + 1)))
    if (bytes[at] === CLOSE || count > MOST) return count
    if (bytes[at] !== COMMA) return -1
    at = skipBlanks(bytes, at + 1)
  }
}

/** The mark some editors begin a file with. */
const hasMark = (bytes: Uint8Array) => bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf

function skipBlanks(bytes: Uint8Array, from: number): number {
  let at = from
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++
  return at
}

/** Where a string ends that should begin here; behind the body when there is none. */
function skipString(bytes: Uint8Array, from: number): number {
  if (bytes[from] !== QUOTE) return bytes.length
  let at = from + 1
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1
  return at + 1
}
