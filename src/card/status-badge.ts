import type { Status } from '../domain/presence.ts'
import { STATUS_WORDS } from '../domain/words.ts'
import { STATUS_COLOURS } from './palette.ts'
import { element, line, type Markup, words } from './svg.ts'
import { measure } from './text.ts'

/** A badge in words: what shields.io's endpoint schema calls label, message and colour. */
export interface StatusBadge {
  readonly label: string
  readonly message: string
  /** `#rrggbb`. */
  readonly color: string
}

const LABEL = 'discord'

/** Somebody's status, or that nothing is known of them (undefined). */
export function readStatusBadge(status: Status | undefined): StatusBadge {
  return {
    label: LABEL,
    message: status === undefined ? 'not monitored' : STATUS_WORDS[status].toLowerCase(),
    color: status === undefined ? NEUTRAL : STATUS_COLOURS[status],
  }
}

const NEUTRAL = '#6b7280'
const LABEL_COLOUR = '#3a3d45'

/** Pixels. */
const HEIGHT = 20
const SIZE = 11
const EDGE = 7

/** The badge as a picture, in the size and shape that badges beside it have. */
export function drawStatusBadge({ label, message, color }: StatusBadge): string {
  const left = Math.ceil(measure(label, SIZE)) + 2 * EDGE
  const right = Math.ceil(measure(message, SIZE)) + 2 * EDGE
  const width = left + right
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height: HEIGHT,
      viewBox: `0 0 ${width} ${HEIGHT}`,
      'font-family': "Verdana,Geneva,'DejaVu Sans',sans-serif",
      role: 'img',
    },
    element('title', {}, words(`${label}: ${message}`)),
    element('clipPath', { id: 'badge' }, element('rect', { width, height: HEIGHT, rx: 3 })),
    element(
      'g',
      { 'clip-path': 'url(#badge)' },
      element('rect', { width: left, height: HEIGHT, fill: LABEL_COLOUR }),
      element('rect', { x: left, width: right, height: HEIGHT, fill: color }),
    ),
    write(label, left / 2, left, '#ffffff'),
    write(message, left + right / 2, right, textOn(color)),
  )
}

function write(text: string, x: number, width: number, fill: string): Markup {
  return line(text, { x, baseline: 14, room: width - EDGE, size: SIZE, fill, anchor: 'middle' })
}

/** Yellow is too bright for white words. */
const textOn = (colour: string) => (colour === STATUS_COLOURS.idle ? '#1c1d21' : '#ffffff')
