import { clean } from '../domain/text.ts'
import type { Palette } from './palette.ts'
import { truncate, type Weight } from './text.ts'

declare const made: unique symbol
/**
 * SVG text that was made here. Nothing else is one, so the compiler sees to it that a stranger's words become text or an
 * attribute's value, escaped, and never markup.
 */
export type Markup = string & { readonly [made]: true }

type Value = string | number | undefined
type Child = Markup | undefined | false

/** Elements a card is drawn with. Nothing that loads, links or runs anything is among them. */
type Name =
  | 'svg'
  | 'title'
  | 'defs'
  | 'g'
  | 'rect'
  | 'circle'
  | 'path'
  | 'text'
  | 'mask'
  | 'clipPath'
  | 'linearGradient'
  | 'radialGradient'
  | 'stop'
  | 'animate'
  | 'animateTransform'

/** An element. Attributes that are undefined and children that are undefined or false are left out. */
export function element(name: Name, attributes: Readonly<Record<string, Value>>, ...children: Child[]): Markup {
  return wrap(name, attributes, children)
}

/** Words inside an element. */
export const words = (text: string) => escaped(clean(text)) as Markup

/** Values of CSS variables, `#rrggbb` each, where whoever looks wants a light ground. */
export function lightStyle(variables: Readonly<Record<string, `#${string}`>>): Markup {
  const rules = Object.entries(variables).map(([name, colour]) => `--${name}:${escaped(colour)}`)
  const css = `@media (prefers-color-scheme:light){svg{${rules.join(';')}}}`
  return wrap('style', {}, [css as Markup])
}

/** Several pieces one after the other. */
export const join = (...pieces: Child[]) => pieces.filter(Boolean).join('') as Markup

/** A picture that comes along with the card. */
export function picture(uri: DataUri, attributes: Readonly<Record<string, Value>>): Markup {
  return wrap('image', { ...attributes, href: uri }, [])
}

/** The address of bytes that stand in it. */
export type DataUri = `data:image/${'png' | 'jpeg' | 'gif' | 'webp'};base64,${string}`

function wrap(name: string, attributes: Readonly<Record<string, Value>>, children: readonly Child[]): Markup {
  let markup = `<${name}`
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) markup += ` ${key}="${typeof value === 'number' ? round(value) : escaped(value)}"`
  }
  const inside = children.filter(Boolean).join('')
  return (inside === '' ? `${markup}/>` : `${markup}>${inside}</${name}>`) as Markup
}

/** Pixels to a hundredth are more than anybody sees. */
const round = (value: number) => (Number.isFinite(value) ? String(Math.round(value * 100) / 100) : '0')

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escaped = (text: string) => text.replaceAll(/[&<>"']/g, character => ESCAPES[character] ?? '')

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
  readonly family?: string | undefined
  /** Around the letters, half of it outside. */
  readonly stroke?: string
  readonly strokeWidth?: number
  readonly strokeOpacity?: number
}

/** Pixels around a line that may be used by a font that is wider than expected. */
const SLACK = 8

/**
 * A line of text in a window of its own: fonts differ, and letters with a tower of accents are higher than any line, so
 * what is too wide or too high after all is cut off instead of covering its neighbours.
 */
export function line(text: string, place: Line): Markup {
  const { x, baseline, room, size, fill, weight = 'regular', anchor } = place
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
        'font-family': place.family,
        'text-anchor': anchor,
        fill,
        stroke: place.stroke,
        'stroke-width': place.strokeWidth,
        'stroke-opacity': place.strokeOpacity,
        'fill-opacity': place.strokeOpacity,
        'stroke-linejoin': place.stroke && 'round',
      },
      words(truncate(text, room, size, weight)),
    ),
  )
}

/** A placeholder for a picture that is not there: the first letter, in the middle of a square around a point. */
export function drawPlaceholder(name: string, x: number, y: number, radius: number, palette: Palette): Markup {
  const [letter = ''] = name
  const size = radius * 0.85
  const square = { x: x - radius, y: y - radius, width: radius * 2, height: radius * 2 }
  const place = { x, baseline: y + size * 0.36, room: radius * 2, anchor: 'middle' } as const
  return join(
    element('rect', { ...square, fill: palette.veil, 'fill-opacity': palette.veilOpacity * 2.5 }),
    line(letter.toUpperCase(), { ...place, size, fill: palette.soft, weight: 'bold' }),
  )
}
