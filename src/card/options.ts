import { isSnowflake } from '../domain/presence.ts'
import { clean } from '../domain/text.ts'
import { isBright, THEME_NAMES, type ThemeName } from './palette.ts'

/** How somebody wants a card: every value is checked, so that it may stand in the picture. */
export interface CardOptions {
  readonly theme: ThemeName
  /** `#rrggbb` or `#rrggbbaa`, as all colours here. */
  readonly background: string | undefined
  readonly tagBackground: string | undefined
  /** Pixels. */
  readonly radius: number
  /** Colours of the name from left to right, where no style of the person's own says otherwise; at least one. */
  readonly gradient: readonly string[] | undefined
  /** Whether these win over the person's own style. */
  readonly forceGradient: boolean
  readonly wave: Wave | undefined
  readonly spotifyWave: Wave | undefined
  /** Milliseconds a wave takes for its length; 0: it stands still. */
  readonly waveDuration: number
  readonly imageStyle: 'circle' | 'square'
  /** Pixels; of the avatar only where that is a square. */
  readonly imageRadius: number
  readonly banner: 'hidden' | 'still' | 'animated'
  /** A CSS filter that was checked: {@link readFilter}. */
  readonly bannerFilter: string | undefined
  readonly animated: boolean
  readonly animatedDecoration: boolean
  /** What is said when there is no activity, if somebody wants something particular said. */
  readonly idleMessage: string | undefined
  readonly showDisplayName: boolean
  readonly hideStatus: boolean
  readonly hideTimestamp: boolean
  readonly hideBadges: boolean
  readonly hideProfile: boolean
  readonly hideActivity: boolean | 'whenNotUsed'
  readonly hideSpotify: boolean
  readonly hideDiscrim: boolean
  readonly hideDecoration: boolean
  readonly hideTag: boolean
  readonly hideNameplate: boolean
  readonly ignoredApplications: readonly string[]
}

/** Waves behind an activity. */
export interface Wave {
  readonly colour: string
  /** What the words on it are written for, if it is not what they would be anyway. */
  readonly ground: 'dark' | 'light' | undefined
}

export const DEFAULT_RADIUS = 12
export const DEFAULT_IMAGE_RADIUS = 8
/** Milliseconds. */
export const DEFAULT_WAVE_DURATION = 8000
const LONGEST_WAVE_DURATION = 60_000
export const MOST_COLOURS = 12
export const LARGEST_RADIUS = 50
/** Characters of an idle message: more than a line shows. */
export const LONGEST_MESSAGE = 200
export const MOST_APPLICATIONS = 32

/** What is looked at of any value: more than every value that is right. */
const LOOKED_AT = 1024

/**
 * Reads a query as it was sent, without the question mark. A README should not show a broken picture, so nothing is
 * refused: a value that is wrong counts as not given, and of a repeated name the first value counts.
 */
export function readOptions(query: string): CardOptions {
  const parameters = new URLSearchParams(query)
  const text = (name: string) => parameters.get(name)?.slice(0, LOOKED_AT)
  const flag = (name: string, fallback = false) => readFlag(text(name)) ?? fallback
  const background = readColour(text('bg'))
  return {
    theme: readTheme(text('theme')) ?? (background !== undefined && isBright(background) ? 'light' : 'dark'),
    background,
    tagBackground: readColour(text('clanBackgroundColor')) ?? readColour(text('clanbg')),
    radius: readRadius(text('borderRadius')) ?? DEFAULT_RADIUS,
    gradient: readGradient(text('gradient')),
    forceGradient: flag('forceGradient'),
    wave: readWave(text('waveColor')),
    spotifyWave: readWave(text('waveSpotifyColor')),
    waveDuration: readDuration(text('animationDuration')) ?? DEFAULT_WAVE_DURATION,
    imageStyle: text('imgStyle') === 'square' ? 'square' : 'circle',
    imageRadius: readRadius(text('imgBorderRadius')) ?? DEFAULT_IMAGE_RADIUS,
    banner: BANNERS.get(text('showBanner') ?? '') ?? 'hidden',
    bannerFilter: readFilter(text('bannerFilter')),
    animated: flag('animated', true),
    animatedDecoration: flag('animatedDecoration', true),
    idleMessage: clean(text('idleMessage')?.slice(0, LONGEST_MESSAGE)) || undefined,
    showDisplayName: flag('showDisplayName', flag('useDisplayName', true)),
    hideStatus: flag('hideStatus'),
    hideTimestamp: flag('hideTimestamp'),
    hideBadges: flag('hideBadges'),
    hideProfile: flag('hideProfile'),
    hideActivity: text('hideActivity') === 'whenNotUsed' ? 'whenNotUsed' : flag('hideActivity'),
    hideSpotify: flag('hideSpotify'),
    hideDiscrim: flag('hideDiscrim'),
    hideDecoration: flag('hideDecoration'),
    hideTag: flag('hideTag', flag('hideClan')),
    hideNameplate: flag('hideNameplate'),
    ignoredApplications: readIds(text('ignoreAppId')),
  }
}

const BANNERS: ReadonlyMap<string, CardOptions['banner']> = new Map([
  ['true', 'still'],
  ['animated', 'animated'],
])

function readTheme(text: string | undefined): ThemeName | undefined {
  return THEME_NAMES.find(name => name === text)
}

function readFlag(text: string | undefined): boolean | undefined {
  return text === 'true' || text === 'false' ? text === 'true' : undefined
}

/** `transparent`, or three, four, six or eight hexadecimal digits; the fourth of four and the last two of eight say how opaque. */
function readColour(text: string | undefined): string | undefined {
  if (text === 'transparent') return '#00000000'
  if (text === undefined || !/^[0-9a-f]+$/i.test(text)) return undefined
  const digits = text.length <= 4 ? text.replaceAll(/./g, '$&$&') : text
  return digits.length === 6 || digits.length === 8 ? `#${digits.toLowerCase()}` : undefined
}

/** `30px` or `30`; more than is round already counts as the most. */
function readRadius(text: string | undefined): number | undefined {
  const [, number] = /^(\d{1,4}(?:\.\d{1,2})?)(?:px)?$/.exec(text ?? '') ?? []
  return number === undefined ? undefined : Math.min(Number(number), LARGEST_RADIUS)
}

/** Colours with hyphens between them. */
function readGradient(text: string | undefined): readonly string[] | undefined {
  const colours = text?.split('-').map(readColour) ?? []
  const right = colours.length > 0 && colours.length <= MOST_COLOURS && colours.every(colour => colour !== undefined)
  return right ? colours : undefined
}

/** `ff597b`, `ff597b-light` for words that suit a light ground; `transparent` is none. */
function readWave(text: string | undefined): Wave | undefined {
  const [, colour, ground] = /^([0-9a-f]+)(?:-(dark|light))?$/i.exec(text ?? '') ?? []
  const read = readColour(colour)
  return read === undefined ? undefined : { colour: read, ground: ground as Wave['ground'] }
}

/** `8s` or `500ms`. */
function readDuration(text: string | undefined): number | undefined {
  const [, number, unit] = /^(\d{1,5}(?:\.\d{1,3})?)(m?s)$/.exec(text ?? '') ?? []
  const length = Number(number) * (unit === 's' ? 1000 : 1)
  return number === undefined || length > LONGEST_WAVE_DURATION ? undefined : length
}

/** What each function of a filter takes. Numbers may be percentages. CSS Filter Effects 1, "Filter Functions". */
const FILTERS: Readonly<Record<string, RegExp>> = {
  blur: /^\d{1,2}(\.\d{1,2})?px$/,
  'hue-rotate': /^-?\d{1,3}(\.\d{1,2})?deg$/,
  ...Object.fromEntries(
    ['brightness', 'contrast', 'grayscale', 'invert', 'opacity', 'saturate', 'sepia'].map(name => [
      name,
      /^(\d{1,3}%|\d(\.\d{1,3})?|\.\d{1,3})$/,
    ]),
  ),
}
const MOST_FILTERS = 8

/** `brightness(0.8) blur(2px)`: functions by name, each with what it takes; anything else is none. It stands in a style. */
function readFilter(text: string | undefined): string | undefined {
  const functions = text?.trim().split(/\s+/) ?? []
  const right = functions.every(call => {
    const [, name = '', argument = ''] = /^([a-z-]+)\(([^()]*)\)$/.exec(call) ?? []
    return Object.hasOwn(FILTERS, name) && FILTERS[name]?.test(argument)
  })
  return right && functions.length > 0 && functions.length <= MOST_FILTERS ? functions.join(' ') : undefined
}

function readIds(text: string | undefined): readonly string[] {
  const ids = text?.split(',').map(id => id.trim()) ?? []
  return [...new Set(ids.filter(isSnowflake))].slice(0, MOST_APPLICATIONS).sort()
}
