/** Weights of text a card uses. */
export type Weight = 'regular' | 'bold'

/** How wide a text will be, in pixels, in the sans-serif fonts of common systems: rather too much than too little. */
export function measure(text: string, size: number, weight: Weight = 'regular'): number {
  let width = 0
  for (const cluster of clusters(text)) width += widthOf(cluster)
  return (width * size * (weight === 'bold' ? BOLD : 1)) / 1000
}

/** The text if it fits into so many pixels, else as much of it as fits with … at the end. */
export function truncate(text: string, room: number, size: number, weight: Weight = 'regular'): string {
  if (measure(text, size, weight) <= room) return text
  let left = room - measure('…', size, weight)
  let kept = ''
  for (const cluster of clusters(text)) {
    left -= measure(cluster, size, weight)
    if (left < 0) break
    kept += cluster
  }
  return `${kept.trimEnd()}…`
}

const BOLD = 1.1

/** What people see as one character: an emoji of a whole family is one, a letter and its accents are one. */
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' })

function clusters(text: string): Iterable<string> {
  if (/^[ -~]*$/.test(text)) return text
  return Array.from(graphemes.segment(text), ({ segment }) => segment)
}

/**
 * Widths in thousandths of the font's size: the widest of Arial, Segoe UI, Roboto and San Francisco, and nearly those of
 * DejaVu, which is wider than all of them and often the only font of a Linux machine.
 */
const WIDTHS = new Map<string, number>()
for (const [characters, width] of [
  ["ijl'|", 265],
  [' !,.:;I[]`', 300],
  ['()ft/\\', 370],
  ['r"-{}*', 400],
  ['Jcksz', 525],
  ['vxyk?L_', 565],
  ['aeo$FT', 600],
  ['bdghnpqu0123456789', 606],
  ['ABEKPSVXYZ', 668],
  ['CDHNRU', 732],
  ['GOQw&', 780],
  ['M+<=>~^#', 835],
  ['mW@%', 945],
  ['…', 1000],
] as const)
  for (const character of characters) WIDTHS.set(character, width)

const EMOJI = 1350
const WIDE = 1020
const OTHER = 640

function widthOf(cluster: string): number {
  const known = WIDTHS.get(cluster)
  if (known !== undefined) return known
  if (/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(cluster)) return EMOJI
  if (Bun.stringWidth(cluster) >= 2) return WIDE
  // An accented letter is as wide as the letter.
  const [base = ''] = cluster.normalize('NFD')
  if (/^[\p{M}\p{Cf}]*$/u.test(cluster)) return 0
  return WIDTHS.get(base) ?? OTHER * Math.max(1, lettersOf(cluster))
}

/** A cluster may hold many letters where the segmenter joins them (some scripts do); marks upon a letter add nothing. */
const lettersOf = (cluster: string) => Array.from(cluster.matchAll(/[^\p{M}\p{Cf}]/gu)).length
