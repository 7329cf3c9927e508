import { clock, drawAnimatedClock, duration } from './animated-clock.ts'
import type { RowImages } from './card-images.ts'
import type { Row } from './model.ts'
import type { Drawing, Palette } from './palette.ts'
import { drawPlaceholder, element, join, line, type Markup, picture } from './svg.ts'
import { measure } from './text.ts'

/** Between times and bar. */
const GAP = 8

/** How far it is, between the time that has passed and the whole. `y` is the middle. */
function drawBar(
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
    animated ? drawAnimatedClock(passed, length, time) : line(clock(passed), time),
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

/** A row and the gap below it. */
export const ROW_HEIGHT = 88
export const ROW_GAP = 8

const EDGE = 12
const PANEL_WIDTH = 386
const ART = 64
const SMALL = 24
const LEFT = EDGE + 12 + ART + 13
const RIGHT = EDGE + PANEL_WIDTH - 14
const ROOM = RIGHT - LEFT

/** One activity in a panel of its own, `y` its upper edge. `index` tells several on a card apart. */
export function drawRow(row: Row, pictures: RowImages, y: number, index: number, drawing: Drawing): Markup {
  const { palette } = drawing
  const pieces = [
    { height: 17, draw: (top: number) => drawLabel(row, top + 12, drawing) },
    {
      height: 20,
      draw: (top: number) =>
        line(row.title, { x: LEFT, baseline: top + 15, room: ROOM, size: 15, weight: 'bold', fill: palette.strong }),
    },
    ...row.lines.slice(0, hasBar(row) ? 1 : 2).map(text => ({
      height: 18,
      draw: (top: number) => line(text, { x: LEFT, baseline: top + 13, room: ROOM, size: 13, fill: palette.soft }),
    })),
    ...(hasBar(row)
      ? [{ height: 15, draw: (top: number) => drawBar(row, { x: LEFT, y: top + 8, width: ROOM }, drawing) }]
      : []),
  ]
  let top = y + (ROW_HEIGHT - pieces.reduce((sum, { height }) => sum + height, 0)) / 2
  const drawn = pieces.map(({ height, draw }) => {
    const made = draw(top)
    top += height
    return made
  })
  return join(panel(y, ROW_HEIGHT, palette), drawArt(row, pictures, y + 12, index, palette), ...drawn)
}

export function panel(y: number, height: number, palette: Palette): Markup {
  const { veil, veilOpacity } = palette
  return element('rect', { x: EDGE, y, width: PANEL_WIDTH, height, rx: 10, fill: veil, 'fill-opacity': veilOpacity })
}

const hasBar = ({ timing }: Row) => timing?.end !== undefined

function drawArt(row: Row, { large, small }: RowImages, y: number, index: number, palette: Palette): Markup {
  const x = EDGE + 12
  const centre = { x: x + ART - 6, y: y + ART - 6 }
  const box = { x, y, width: ART, height: ART }
  const id = `art${index}`
  return join(
    element(
      'mask',
      { id, maskUnits: 'userSpaceOnUse', ...box },
      element('rect', { ...box, rx: 8, fill: '#fff' }),
      small && element('circle', { cx: centre.x, cy: centre.y, r: SMALL / 2 + 3, fill: '#000' }),
    ),
    element(
      'g',
      { mask: `url(#${id})` },
      large === undefined
        ? drawPlaceholder(row.kind === 'spotify' ? '♪' : row.title, x + ART / 2, y + ART / 2, ART / 2, palette)
        : picture(large, { ...box, preserveAspectRatio: 'xMidYMid slice' }),
    ),
    small && drawSmall(small, centre, index),
  )
}

function drawSmall(small: NonNullable<RowImages['small']>, { x, y }: { x: number; y: number }, index: number) {
  const r = SMALL / 2
  const id = `small${index}`
  return join(
    element('clipPath', { id }, element('circle', { cx: x, cy: y, r })),
    picture(small, {
      x: x - r,
      y: y - r,
      width: SMALL,
      height: SMALL,
      'clip-path': `url(#${id})`,
      preserveAspectRatio: 'xMidYMid slice',
    }),
  )
}

/** What kind of thing it is, and for how long it has been going on where it has no length. */
function drawLabel(row: Row, baseline: number, { palette, now }: Drawing): Markup {
  const size = 11.5
  const fill = row.kind === 'spotify' ? palette.spotify : palette.soft
  const since = row.timing !== undefined && row.timing.end === undefined ? duration(now - row.timing.start) : ''
  const taken = since === '' ? 0 : Math.ceil(measure(since, size)) + 4
  return join(
    line(row.label, { x: LEFT, baseline, room: ROOM - taken - 8, size, weight: 'bold', fill }),
    since !== '' && line(since, { x: RIGHT, baseline, room: taken, size, fill: palette.soft, anchor: 'end' }),
  )
}
