import type { Row } from './activities.ts'
import { line } from './line.ts'
import { element, join, type Markup } from './markup.ts'
import type { Drawing } from './palette.ts'
import { measure } from './text.ts'
import { drawTicking } from './ticking.ts'
import { clock } from './time.ts'

/** Between times and bar. */
const GAP = 8

/** How far it is, between the time that has passed and the whole. `y` is the middle. */
export function drawBar(
  row: Row,
  { x, y, width: room }: { x: number; y: number; width: number },
  { palette, now, animated }: Drawing,
): Markup {
  const { start = 0, end = 0 } = row.timing ?? {}
  const length = end - start
  const passed = Math.min(Math.max(now - start, 0), length)
  const whole = clock(length)
  const size = 11
  const taken = Math.ceil(measure(whole, size)) + 2
  const [left, width] = [x + taken + GAP, room - 2 * (taken + GAP)]
  const done = (width * passed) / length
  const bar = { x: left, y: y - 2, height: 4, rx: 2 }
  const fill = row.kind === 'spotify' ? palette.spotify : palette.strong
  const time = { x, baseline: y + 4, room: taken, size, fill: palette.soft }
  return join(
    animated ? drawTicking(passed, length, time) : line(clock(passed), time),
    element('rect', { ...bar, width, fill: palette.veil, 'fill-opacity': palette.veilOpacity * 2.6 }),
    element('rect', { ...bar, width: done, fill }, animated && done < width && runOn(done, width, length - passed)),
    line(whole, { ...time, x: x + room, anchor: 'end' }),
  )
}

/** Lets the bar go on to its end by itself. */
function runOn(from: number, to: number, milliseconds: number): Markup {
  return element('animate', {
    attributeName: 'width',
    from,
    to,
    dur: `${Math.ceil(milliseconds / 1000)}s`,
    fill: 'freeze',
  })
}
