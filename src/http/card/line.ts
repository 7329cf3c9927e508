import { element, type Markup, words } from './markup.ts'
import { truncate, type Weight } from './text.ts'

export interface Line {
  /** Left end, or the right one of a line that ends there. */
  readonly x: number
  readonly baseline: number
  /** Pixels it may take. */
  readonly room: number
  readonly size: number
  readonly fill: string
  readonly weight?: Weight
  readonly anchor?: 'start' | 'middle' | 'end'
}

/** Pixels around a line that may be used by a font that is wider than expected. */
const SLACK = 8

/**
 * A line of text in a window of its own: fonts differ, and letters with a tower of accents are higher than any line, so
 * what is too wide or too high after all is cut off instead of covering its neighbours.
 */
export function line(text: string, { x, baseline, room, size, fill, weight = 'regular', anchor }: Line): Markup {
  const width = room + 2 * SLACK
  const left = { start: x - SLACK, middle: x - width / 2, end: x - width + SLACK }[anchor ?? 'start']
  const rise = Math.round(size * 1.15)
  return element(
    'svg',
    { x: left, y: baseline - rise, width, height: Math.round(size * 1.6) },
    element(
      'text',
      {
        x: x - left,
        y: rise,
        'font-size': size,
        'font-weight': weight === 'bold' ? 700 : undefined,
        'text-anchor': anchor,
        fill,
      },
      words(truncate(text, room, size, weight)),
    ),
  )
}
