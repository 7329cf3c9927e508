/** Lengths in Unicode code points, counts a user. */
export const KV_LIMITS = { keyLength: 255, valueLength: 30_000, keys: 512 } as const

/** What a key is made of. */
export const KV_KEY = /^[A-Za-z0-9_]+$/

/** What is said when a rule is broken, in the words Lanyard's clients know. */
export const KV_MESSAGES = {
  keyTooLong: `key must be ${KV_LIMITS.keyLength} characters or less`,
  keyLetters: 'key must be alphanumeric (a-zA-Z0-9_)',
  valueTooLong: `value must be ${KV_LIMITS.valueLength} characters or less`,
  tooManyKeys: `request would exceed key limit (${KV_LIMITS.keys}), please delete keys first`,
  noObject: 'body must be an object',
} as const
