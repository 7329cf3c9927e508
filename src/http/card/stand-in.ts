import { line } from './line.ts'
import { element, join, type Markup } from './markup.ts'
import type { Palette } from './palette.ts'

/** What stands in for a picture that is not there: the first letter, in the middle of a square around a point. */
export function drawInitial(name: string, x: number, y: number, radius: number, palette: Palette): Markup {
  const [letter = ''] = name
  const size = radius * 0.85
  const square = { x: x - radius, y: y - radius, width: radius * 2, height: radius * 2 }
  const place = { x, baseline: y + size * 0.36, room: radius * 2, anchor: 'middle' } as const
  return join(
    element('rect', { ...square, fill: palette.veil, 'fill-opacity': palette.veilOpacity * 2.5 }),
    line(letter.toUpperCase(), { ...place, size, fill: palette.soft, weight: 'bold' }),
  )
}
