import { HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { element, join, type Line, line, type Markup, words } from './svg.ts'

const SECONDS_PER_MINUTE = 60

/** A time as players show it: `3:07`, `1:02:03`. */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / SECOND))
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / SECONDS_PER_MINUTE) % 60, seconds % 60]
  const shown = parts[0] === 0 ? parts.slice(1) : parts
  return shown.map((part, index) => (index === 0 ? part : String(part).padStart(2, '0'))).join(':')
}

/** How long something has been going on. */
export function duration(milliseconds: number): string {
  const span = spanOf(milliseconds)
  return span === undefined ? 'just now' : `for ${span}`
}

/** How long ago something was. */
export function ago(milliseconds: number): string {
  const span = spanOf(milliseconds)
  return span === undefined ? 'just now' : `${span} ago`
}

/** To the minute: a card is looked at for longer than a second stays true. Undefined: less than that. */
function spanOf(milliseconds: number): string | undefined {
  const minutes = Math.floor(milliseconds / SECOND / SECONDS_PER_MINUTE)
  if (minutes < 1) return undefined
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24]
  if (days > 0) return hours > 0 && days < 10 ? `${days} d ${hours} h` : `${days} d`
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`
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
