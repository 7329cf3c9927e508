import { clock, lasting, remaining } from '../domain/words.ts'
import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import type { RowImages } from './card-images.ts'
import type { Row } from './model.ts'
import { type Drawing, EDGE, PANEL_WIDTH } from './palette.ts'
import { drawPlaceholder, element, join, type Line, line, type Markup, picture, words } from './svg.ts'
import { measure } from './text.ts'

/** Between times and bar. */
const GAP = 8

/** How far it is, between the time that has passed and the whole. `y` is the middle. */
function drawBar(
  row: Row,
  { x, y, width: room }: { x: number; y: number; width: number },
  { palette, now, options: { animated } }: Drawing,
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

const ART = 64
const SMALL = 24
const LEFT = EDGE + 12 + ART + 13
const RIGHT = EDGE + PANEL_WIDTH - 14
const ROOM = RIGHT - LEFT

/** One activity on a panel, `y` its upper edge. `index` tells several on a card apart. */
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
  return join(drawArt(row, pictures, y + 12, index, drawing), ...drawn)
}

const hasBar = ({ timing }: Row) => timing?.start !== undefined && timing.end !== undefined

function drawArt(
  row: Row,
  { large, small }: RowImages,
  y: number,
  index: number,
  { palette, options }: Drawing,
): Markup {
  const x = EDGE + 12
  const centre = { x: x + ART - 6, y: y + ART - 6 }
  const box = { x, y, width: ART, height: ART }
  const id = `art${index}`
  return join(
    element(
      'mask',
      { id, maskUnits: 'userSpaceOnUse', ...box },
      element('rect', { ...box, rx: Math.min(options.imageRadius, ART / 2), fill: '#fff' }),
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

/** For how long it has been going on, or will, where it has no length. */
function durationOf({ timing }: Row, now: number): string {
  if (timing === undefined) return ''
  if (timing.start === undefined) return remaining(timing.end - now)
  return timing.end === undefined ? lasting(now - timing.start) : ''
}

/** What kind of thing it is, and its duration. */
function drawLabel(row: Row, baseline: number, { palette, now }: Drawing): Markup {
  const size = 11.5
  const fill = row.kind === 'spotify' ? palette.spotify : palette.soft
  const told = durationOf(row, now)
  const taken = told === '' ? 0 : Math.ceil(measure(told, size)) + 4
  return join(
    line(row.label, { x: LEFT, baseline, room: ROOM - taken - 8, size, weight: 'bold', fill }),
    told !== '' && line(told, { x: RIGHT, baseline, room: taken, size, fill: palette.soft, anchor: 'end' }),
  )
}

/** Of a column's digits from one to the next. */
const STEP = 20

/**
 * A time that goes on by itself until `length`, in a picture that runs nothing: each place is a column of digits behind
 * a window, which moves by one digit at a time. Whoever draws no animation shows the time it was. Milliseconds.
 */
export function drawAnimatedClock(passed: number, length: number, place: Line): Markup {
  const end = Math.floor(length / SECOND) * SECOND
  if (length >= HOUR || passed >= end) return line(clock(passed), place)
  const pitch = place.size * 0.62
  const minutes = digits(Math.floor(passed / MINUTE), Math.floor(end / MINUTE))
  const widest = String(minutes.at(-1)).length
  const run = { passed, end, place }
  const colon = place.x + widest * pitch
  return join(
    drawColumn(minutes, MINUTE, { ...run, x: place.x, width: widest * pitch }),
    line(':', { ...place, x: colon + pitch * 0.25, room: pitch, anchor: 'middle' }),
    drawColumn(digits(0, 5), 10 * SECOND, { ...run, x: colon + pitch * 0.5, width: pitch }),
    drawColumn(digits(0, 9), SECOND, { ...run, x: colon + pitch * 1.5, width: pitch }),
  )
}

const digits = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

interface Column {
  readonly passed: number
  readonly end: number
  readonly place: Line
  readonly x: number
  readonly width: number
}

/** `every` is how long one of the numbers stands. What begins at 0 comes round again. */
function drawColumn(numbers: readonly number[], every: number, { passed, end, place, x, width }: Column): Markup {
  const cycle = numbers.length * every
  const rounds = numbers[0] === 0 && every < MINUTE
  const into = rounds ? passed % cycle : passed % every
  const { baseline, size, fill } = place
  const move = element('animateTransform', {
    attributeName: 'transform',
    type: 'translate',
    calcMode: 'discrete',
    values: numbers.map((_, index) => `0 ${-index * STEP}`).join(';'),
    dur: seconds(cycle),
    begin: seconds(-into),
    // It stands still in the middle of the last second, so that a rounding error changes nothing.
    repeatDur: seconds(into + end - passed + SECOND / 2),
    fill: 'freeze',
  })
  const at = -Math.floor(into / every) * STEP
  return element(
    'svg',
    { x, y: baseline - size, width, height: size * 1.3 },
    element(
      'g',
      { transform: `translate(0 ${at})`, 'font-size': size, fill, 'text-anchor': 'middle' },
      ...numbers.map((number, index) => element('text', { x: width / 2, y: size + index * STEP }, words(`${number}`))),
      numbers.length > 1 && move,
    ),
  )
}

const seconds = (milliseconds: number) => `${Math.round(milliseconds) / SECOND}s`
