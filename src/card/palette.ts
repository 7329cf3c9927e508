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
  /** Whether it goes on by itself. */
  readonly animated: boolean
}

const DARK = {
  background: '#16171c',
  veil: '#ffffff',
  veilOpacity: 0.055,
  borderOpacity: 0.1,
  strong: '#f4f5f7',
  soft: '#a9afbc',
  spotify: '#1ed760',
}

const LIGHT = {
  background: '#ffffff',
  veil: '#10131a',
  veilOpacity: 0.045,
  borderOpacity: 0.13,
  strong: '#16181d',
  soft: '#5a606c',
  spotify: '#128a3f',
}

export function choosePalette({ theme, background, tagBackground }: CardOptions): Palette {
  const base = theme === 'light' ? LIGHT : DARK
  // Grey would look dirty on a colour.
  const soft = background === undefined || background.length > 7 ? base.soft : mix(base.strong, background, 0.72)
  return { ...base, background: background ?? base.background, soft, tagBackground }
}

/** `share` of one `#rrggbb` and the rest of another. */
function mix(one: string, other: string, share: number): string {
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
