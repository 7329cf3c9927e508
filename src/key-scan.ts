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
