import { clean } from './text.ts'

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
