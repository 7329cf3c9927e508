/** Keys made here: the prefix, and 32 random bytes in base64url. */
export const OWN_KEY = { prefix: 'exoix_', randomBytes: 32, randomLength: 43 } as const
/** Keys that came from Lanyard: 32 lower-case hex characters, in newer versions after a prefix. */
const HEX_KEY = { prefix: 'lnyd_', length: 32 } as const
/** How long a key of another shape may be, as it may come from an import. */
const SHORTEST = 16
const LONGEST = 255
/**
 * A random text of 43 base64url characters has this many capitals and small letters (but one in ten million, which is
 * not made): what has not, prose for instance, costs no hash.
 */
const FEWEST_OF_A_CASE = 3
/** Texts longer than this (characters of keys) are looked through by words and prefixes, not letter by letter. */
const LETTER_BY_LETTER = 32_768

/** The shape an imported key must have, so that a leaked one can be found again. */
export function isFindableKey(key: string): boolean {
  return /^[A-Za-z0-9_-]{16,255}$/.test(key)
}

/** Whether the random part of a key looks random enough to be found without its prefix. */
export function looksRandom(text: string): boolean {
  return count(text, isCapital) >= FEWEST_OF_A_CASE && count(text, isSmall) >= FEWEST_OF_A_CASE
}

/** Told of a piece of a text that could be a key. */
type Visit = (piece: string) => void

/**
 * Tells of every piece of a text that could be a key, as the key was made: whatever stands around it, escaped or broken
 * up by markup, blanks or what nobody sees, in look-alike characters of Unicode, without its prefix. Each piece costs a
 * hash, so there are at most three for each character of a short text, and one for eight of a long one.
 */
export function visitKeyCandidates(text: string, visit: Visit): void {
  const { letters, words } = foldKeyText(text)
  for (let at = 0; at < words.length; at += 2) visitWord(letters, words[at] as number, words[at + 1] as number, visit)
  visitOwnKeys(letters, visit)
  if (letters.length > LETTER_BY_LETTER) return
  visitBareOwnKeys(letters, visit)
  visitHexKeys(letters, visit)
}

/** A word that is a key, with or without its prefix, or one between the characters of markdown's emphasis. */
function visitWord(letters: string, start: number, end: number, visit: Visit): void {
  visitPiece(letters.slice(start, end), visit)
  let [first, last] = [start, end]
  while (first < last && isJoiner(letters.charCodeAt(first))) first++
  while (last > first && isJoiner(letters.charCodeAt(last - 1))) last--
  if (first !== start || last !== end) visitPiece(letters.slice(first, last), visit)
}

function visitPiece(piece: string, visit: Visit): void {
  if (piece.length >= SHORTEST && piece.length <= LONGEST) visit(piece)
  if (piece.length === OWN_KEY.randomLength && looksRandom(piece)) visit(OWN_KEY.prefix + piece)
  if (piece.length === HEX_KEY.length) visit(HEX_KEY.prefix + piece)
}

/** From every prefix on, as many characters as a key has. A prefix within them begins another key. */
function visitOwnKeys(letters: string, visit: Visit): void {
  const { prefix, randomLength } = OWN_KEY
  for (let at = letters.indexOf(prefix); at !== -1; ) {
    const next = letters.indexOf(prefix, at + prefix.length)
    const end = at + prefix.length + randomLength
    if (end <= letters.length && (next === -1 || next >= end)) visit(letters.slice(at, end))
    at = next
  }
}

/** Every window of the right length that could be the random part of a key. */
function visitBareOwnKeys(letters: string, visit: Visit): void {
  const { prefix, randomLength } = OWN_KEY
  let capitals = 0
  let smalls = 0
  for (let end = 0; end < letters.length; end++) {
    const came = letters.charCodeAt(end)
    const left = end < randomLength ? 0 : letters.charCodeAt(end - randomLength)
    capitals += Number(isCapital(came)) - Number(isCapital(left))
    smalls += Number(isSmall(came)) - Number(isSmall(left))
    if (end + 1 < randomLength || capitals < FEWEST_OF_A_CASE || smalls < FEWEST_OF_A_CASE) continue
    visit(prefix + letters.slice(end + 1 - randomLength, end + 1))
  }
}

/** Every window of the right length in every run of hex digits. */
function visitHexKeys(letters: string, visit: Visit): void {
  for (const { 0: hex, index } of letters.matchAll(/[0-9a-f]{32,}/g)) {
    const { prefix, length } = HEX_KEY
    if (letters.startsWith(prefix, index - prefix.length)) visit(letters.slice(index - prefix.length, index + length))
    for (let at = 0; at + length <= hex.length; at++) visit(hex.slice(at, at + length))
  }
}

/** What a key may contain, and markdown makes emphasis of. */
const isJoiner = (code: number) => code === 0x5f || code === 0x2d
const isCapital = (code: number) => code >= 0x41 && code <= 0x5a
const isSmall = (code: number) => code >= 0x61 && code <= 0x7a
const isKeyCharacter = (code: number) =>
  isCapital(code) || isSmall(code) || (code >= 0x30 && code <= 0x39) || code === 0x5f || code === 0x2d

function count(text: string, fits: (code: number) => boolean): number {
  let found = 0
  for (let at = 0; at < text.length; at++) found += Number(fits(text.charCodeAt(at)))
  return found
}

/** A text as a reader sees it, in the characters keys are made of. */
interface KeyText {
  /** All of them, one after the other. */
  readonly letters: string
  /** Where words begin and end in it that are long enough for a key: two numbers each. */
  readonly words: readonly number[]
}

/** Leaves out what is nothing to a reader: invisible characters, backslashes and percent signs that escape. Linear. */
function foldKeyText(text: string): KeyText {
  const words: number[] = []
  let letters = new Uint8Array(text.length + WIDEST)
  let length = 0
  let start = 0
  const endWord = () => {
    if (length - start >= SHORTEST) words.push(start, length)
    start = length
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (isKeyCharacter(code)) letters[length++] = code
    else if (code < 0x80) {
      const escaped = code === PERCENT ? PERCENT_ENCODED[text.slice(at + 1, at + 3)] : undefined
      if (escaped !== undefined) {
        letters[length++] = escaped
        at += 2
      } else if (code !== BACKSLASH || !isPunctuation(text.charCodeAt(at + 1))) endWord()
    } else {
      const point = text.codePointAt(at) as number
      if (point > 0xffff) at++
      const fold = foldPoint(point)
      if (fold >= FIRST_CHARACTER) letters[length++] = fold
      else if (fold === SEVERAL) {
        if (length + WIDEST + text.length - at > letters.length) letters = grow(letters)
        for (const one of SEVERAL_OF.get(point) ?? []) letters[length++] = one
      } else if (fold === OTHER) endWord()
    }
  }
  endWord()
  return { letters: Buffer.from(letters.buffer, 0, length).toString('latin1'), words }
}

const BACKSLASH = 0x5c
const PERCENT = 0x25
const PERCENT_ENCODED: Readonly<Record<string, number>> = { '5F': 0x5f, '5f': 0x5f, '2D': 0x2d, '2d': 0x2d }

/** What markdown lets a backslash escape. */
const isPunctuation = (code: number) =>
  code > 0x20 && code < 0x7f && (!isKeyCharacter(code) || code === 0x5f || code === 0x2d)

function grow(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(2 * bytes.length + WIDEST)
  larger.set(bytes)
  return larger
}

/** As many characters as one that stands for several (a ligature, say) is taken for. */
const WIDEST = 4
/** What a character beyond ASCII is to a reader; from FIRST_CHARACTER on it is the character of keys it looks like. */
const [UNKNOWN, OTHER, INVISIBLE, SEVERAL, FIRST_CHARACTER] = [0, 1, 2, 3, 4]
/** Of the first two planes; beyond them nothing looks like ASCII. Filled in as texts bring them. */
const FOLDS = new Uint8Array(0x20000)
const SEVERAL_OF = new Map<number, readonly number[]>()

function foldPoint(point: number): number {
  if (point >= FOLDS.length) return point >= 0xe0000 && point < 0xe1000 ? INVISIBLE : OTHER
  const known = FOLDS[point] as number
  if (known !== UNKNOWN) return known
  const found = lookUp(point)
  FOLDS[point] = found
  return found
}

/** Compatibility forms are those of Unicode (NFKD); a mark on a letter is nothing. */
function lookUp(point: number): number {
  const character = String.fromCodePoint(point)
  if (/[\p{Default_Ignorable_Code_Point}\p{Cf}\p{M}]/u.test(character)) return INVISIBLE
  if (/[\p{Pd}\u2212]/u.test(character)) return 0x2d
  if (/\p{Pc}/u.test(character)) return 0x5f
  const codes = [...character.normalize('NFKD').replaceAll(/\p{M}/gu, '')].map(one => one.codePointAt(0) as number)
  if (codes.length === 0 || codes.length > WIDEST || !codes.every(isKeyCharacter)) return OTHER
  if (codes.length === 1) return codes[0] as number
  SEVERAL_OF.set(point, codes)
  return SEVERAL
}
