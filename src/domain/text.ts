/** More of a text than any line shows; what lies beyond is not even looked at. */
const LONGEST = 512

/**
 * What XML 1.0 has no place for (control characters, lone surrogates, U+FFFE and U+FFFF), and what would turn the
 * direction of everything behind it (bidi controls). Source: XML 1.0, 2.2 "Characters".
 */
const FORBIDDEN = /[\p{Cc}\p{Cs}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/gu

/** A stranger's text as one line that may stand in a picture: short, without invisible traps, blanks joined. */
export function clean(text: unknown): string {
  if (typeof text !== 'string') return ''
  return text
    .slice(0, LONGEST)
    .replaceAll(/[\t\r\n\u2028\u2029]/g, ' ')
    .replaceAll(FORBIDDEN, '')
    .replaceAll(/\s+/gu, ' ')
    .trim()
}
