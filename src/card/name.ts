import { isObject, type JsonObject } from '../domain/presence.ts'
import type { CardOptions } from './options.ts'
import { mix } from './palette.ts'
import type { Line } from './svg.ts'

/** How somebody's display name is written. */
export interface NameStyle {
  readonly effect: 'solid' | 'gradient' | 'neon' | 'toon' | 'pop' | 'glow'
  /** `#rrggbb` from left to right, at least one. */
  readonly colours: readonly string[]
  /** Fonts a system may have that come near the one they chose. Undefined: the card's own. */
  readonly font: string | undefined
}

/** Discord user object, `display_name_styles.effect_id`, by number. */
const EFFECTS: readonly (NameStyle['effect'] | undefined)[] = [
  undefined,
  'solid',
  'gradient',
  'neon',
  'toon',
  'pop',
  'glow',
]

/** `display_name_styles.font_id`; a card cannot bring fonts along, so the nearest kind follows. 11 is the usual one. */
const FONTS: Readonly<Record<number, string>> = {
  1: 'Bangers,Impact,fantasy',
  2: "BioRhyme,Rockwell,'Roboto Slab',serif",
  3: "'Cherry Bomb One','Comic Sans MS',cursive",
  4: "Chicle,'Comic Sans MS',cursive",
  5: "'Courier New',monospace",
  6: "MuseoModerno,'Century Gothic',Futura,sans-serif",
  7: "'Palatino Linotype',Palatino,serif",
  8: "'Pixelify Sans','Lucida Console',monospace",
  9: "'Brush Script MT',cursive",
  10: 'Didot,Georgia,serif',
  12: "'Zilla Slab',Rockwell,serif",
}

const MOST_COLOURS = 5

/** A colour as Discord sends it: one number of three bytes. */
export const isColour = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffffff

export const toHex = (colour: number) => `#${colour.toString(16).padStart(6, '0')}`

/** The person's own style, or the gradient that was asked for. */
export function readNameStyle(
  styles: unknown,
  { gradient, forceGradient }: Pick<CardOptions, 'gradient' | 'forceGradient'>,
): NameStyle | undefined {
  const asked: NameStyle | undefined = gradient && { effect: 'gradient', colours: gradient, font: undefined }
  if (asked !== undefined && forceGradient) return asked
  return readOwnStyle(styles) ?? asked
}

function readOwnStyle(styles: unknown): NameStyle | undefined {
  const { font_id, effect_id, colors } = isObject(styles) ? styles : {}
  const effect = typeof effect_id === 'number' ? EFFECTS[effect_id] : undefined
  const colours = (Array.isArray(colors) ? colors : []).slice(0, MOST_COLOURS).filter(isColour).map(toHex)
  if (effect === undefined || colours.length === 0) return undefined
  return { effect, colours, font: typeof font_id === 'number' ? FONTS[font_id] : undefined }
}

const WHITE = '#ffffff'
const BLACK = '#000000'
/** Of text on its way to a pixel further. */
const POP = 1.4

/** What a name is made of: the same words, one over the other. */
interface Layers {
  readonly lines: readonly Line[]
  /** Colours from left to right that a line filled with `url(#name)` has. */
  readonly gradient: readonly string[] | undefined
}

/** A display name on its line. `style` undefined: in the colour that the line has. */
export function layersOf(place: Line, style: NameStyle | undefined): Layers {
  if (style === undefined) return { lines: [place], gradient: undefined }
  const { effect, colours, font } = style
  const [first = place.fill, last = first] = [colours[0], colours.at(-1)]
  const written = (more: Partial<Line>): Line => ({ ...place, family: font, ...more })
  const outline = (stroke: string, strokeWidth: number, strokeOpacity = 1) =>
    written({ fill: stroke, stroke, strokeWidth, strokeOpacity })
  const blended = BLENDED.includes(effect) && colours.length > 1
  const behind: Partial<Record<NameStyle['effect'], Line>> = {
    neon: outline(first, 5, 0.28),
    glow: outline(last, 6, 0.22),
    toon: outline(mix(first, BLACK, 0.35), 3),
    pop: written({ x: place.x + POP, baseline: place.baseline + POP, fill: darker(first, last) }),
  }
  const fill = blended ? 'url(#name)' : effect === 'neon' ? mix(first, WHITE, 0.45) : first
  const lines = [behind[effect], written({ fill })].filter(line => line !== undefined)
  return { lines, gradient: blended ? colours : undefined }
}

const BLENDED: readonly NameStyle['effect'][] = ['gradient', 'toon', 'glow']

const darker = (first: string, last: string) => (first === last ? mix(first, BLACK, 0.4) : last)

/** A plate behind somebody's name. */
export interface Nameplate {
  /** Of its palette. */
  readonly colour: string
}

/** Discord user object, `collectibles.nameplate.palette`: names of colours, ours are near enough. */
const PLATES: Readonly<Record<string, string>> = {
  crimson: '#900007',
  berry: '#8c1f5c',
  sky: '#0d7fb8',
  teal: '#0a6f6d',
  forest: '#2d5b1e',
  bubble_gum: '#c2357c',
  violet: '#6a1fb8',
  cobalt: '#1f3fb8',
  clover: '#4a7a14',
  lemon: '#b08f0e',
  white: '#b9bcc4',
}

export function readNameplate({ collectibles }: JsonObject): Nameplate | undefined {
  const plate = isObject(collectibles) ? collectibles.nameplate : undefined
  if (!isObject(plate) || typeof plate.asset !== 'string') return undefined
  const colour = typeof plate.palette === 'string' && Object.hasOwn(PLATES, plate.palette) && PLATES[plate.palette]
  return { colour: colour || '#5a606c' }
}
