import type { Status } from '../domain/presence.ts'
import type { CardOptions } from './options.ts'

/** The colours of a card. What lies on the background is translucent, so that it suits any. */
export interface Palette {
  readonly background: string
  /** Of panels and lines: laid over the background, thinly. */
  readonly veil: string
  readonly veilOpacity: number
  readonly borderOpacity: number
  readonly strong: string
  readonly soft: string
  readonly spotify: string
  readonly tagBackground: string | undefined
}

/** What everything that changes with time is drawn with. */
export interface Drawing {
  readonly palette: Palette
  /** Milliseconds since 1970. */
  readonly now: number
  readonly options: CardOptions
}

/** Of what lies on a card: pixels from its sides. */
export const EDGE = 12
export const PANEL_WIDTH = 386

type Base = Omit<Palette, 'tagBackground'>

const DARK: Base = {
  background: '#16171c',
  veil: '#ffffff',
  veilOpacity: 0.055,
  borderOpacity: 0.1,
  strong: '#f4f5f7',
  soft: '#a9afbc',
  spotify: '#1ed760',
}

const LIGHT: Base = {
  background: '#ffffff',
  veil: '#10131a',
  veilOpacity: 0.045,
  borderOpacity: 0.13,
  strong: '#16181d',
  soft: '#5a606c',
  spotify: '#128a3f',
}

const THEMES = {
  dark: DARK,
  light: LIGHT,
  dracula: { ...DARK, background: '#282a36', strong: '#f8f8f2', soft: '#b6bad2', spotify: '#50fa7b' },
  nord: { ...DARK, background: '#2e3440', strong: '#eceff4', soft: '#b8c1d1', spotify: '#a3be8c' },
  'github-dark': { ...DARK, background: '#0d1117', strong: '#f0f6fc', soft: '#9198a1', spotify: '#3fb950' },
  'github-light': { ...LIGHT, strong: '#1f2328', soft: '#59636e', spotify: '#1a7f37' },
  catppuccin: { ...DARK, background: '#1e1e2e', strong: '#cdd6f4', soft: '#a6adc8', spotify: '#a6e3a1' },
  'tokyo-night': { ...DARK, background: '#1a1b26', strong: '#c0caf5', soft: '#a9b1d6', spotify: '#9ece6a' },
} as const satisfies Record<string, Base>

/** `auto` is dark or light as the system of whoever looks at it. */
export type ThemeName = keyof typeof THEMES | 'auto'
export const THEME_NAMES = [...(Object.keys(THEMES) as (keyof typeof THEMES)[]), 'auto'] as const

/** Colours that get another value where {@link AUTO_LIGHT} is wanted. What cannot read it draws the dark ones. */
const CHANGING = ['background', 'veil', 'strong', 'soft', 'spotify'] as const
const AUTO: Base = {
  ...DARK,
  ...Object.fromEntries(CHANGING.map(name => [name, `var(--${name},${DARK[name]})`])),
}

/** Values of these variables where light is wanted. */
export const AUTO_LIGHT = Object.fromEntries(CHANGING.map(name => [name, LIGHT[name] as `#${string}`]))

/** Whether the colours wait for whoever looks. A background that was asked for settles them. */
export const isAuto = ({ theme, background }: Pick<CardOptions, 'theme' | 'background'>) =>
  theme === 'auto' && background === undefined

export function choosePalette({ theme, background, tagBackground }: CardOptions): Palette {
  if (isAuto({ theme, background })) return { ...AUTO, tagBackground }
  const base = theme === 'auto' ? onGround(background ?? DARK.background) : THEMES[theme]
  // Grey would look dirty on a colour.
  const soft = background === undefined || background.length > 7 ? base.soft : mix(base.strong, background, 0.72)
  return { ...base, background: background ?? base.background, soft, tagBackground }
}

/** The same with words for another ground than the card's. */
export function wordsFor(palette: Palette, ground: 'dark' | 'light' | undefined): Palette {
  if (ground === undefined) return palette
  const { strong, soft, spotify } = ground === 'light' ? LIGHT : DARK
  return { ...palette, strong, soft, spotify }
}

const onGround = (colour: string) => (isBright(colour) ? LIGHT : DARK)

/** Whether dark words are easier to read on a colour. What shines through is left out of account. Weights: ITU-R BT.709. */
export function isBright(colour: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => Number.parseInt(colour.slice(at, at + 2), 16))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140
}

/** `share` of one `#rrggbb` and the rest of another. */
export function mix(one: string, other: string, share: number): string {
  const channels = [1, 3, 5].map(at => {
    const [first = 0, second = 0] = [one, other].map(colour => Number.parseInt(colour.slice(at, at + 2), 16))
    return Math.round(first * share + second * (1 - share))
  })
  return `#${channels.map(channel => channel.toString(16).padStart(2, '0')).join('')}`
}

export const STATUS_COLOURS: Readonly<Record<Status | 'streaming', string>> = {
  online: '#23a55a',
  idle: '#f0b232',
  dnd: '#f23f43',
  offline: '#80848e',
  streaming: '#9b6bdf',
}
