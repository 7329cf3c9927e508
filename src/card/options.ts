import { isSnowflake } from '../domain/presence.ts'
import { clean } from '../domain/text.ts'

/** How somebody wants a card: every value is checked, so that it may stand in the picture. */
export interface CardOptions {
  readonly theme: 'dark' | 'light'
  /** `#rrggbb` or `#rrggbbaa`, as all colours here. */
  readonly background: string | undefined
  readonly tagBackground: string | undefined
  /** Pixels. */
  readonly radius: number
  readonly animated: boolean
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
  readonly ignoredApplications: readonly string[]
}

export const DEFAULT_RADIUS = 12
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
    tagBackground: readColour(text('clanBackgroundColor')),
    radius: readRadius(text('borderRadius')),
    animated: flag('animated', true),
    idleMessage: clean(text('idleMessage')?.slice(0, LONGEST_MESSAGE)) || undefined,
    showDisplayName: flag('showDisplayName', true),
    hideStatus: flag('hideStatus'),
    hideTimestamp: flag('hideTimestamp'),
    hideBadges: flag('hideBadges'),
    hideProfile: flag('hideProfile'),
    hideActivity: text('hideActivity') === 'whenNotUsed' ? 'whenNotUsed' : flag('hideActivity'),
    hideSpotify: flag('hideSpotify'),
    hideDiscrim: flag('hideDiscrim'),
    hideDecoration: flag('hideDecoration'),
    hideTag: flag('hideTag', flag('hideClan')),
    ignoredApplications: readIds(text('ignoreAppId')),
  }
}

function readTheme(text: string | undefined): 'dark' | 'light' | undefined {
  return text === 'dark' || text === 'light' ? text : undefined
}

function readFlag(text: string | undefined): boolean | undefined {
  return text === 'true' || text === 'false' ? text === 'true' : undefined
}

/** Three, four, six or eight hexadecimal digits; the fourth of four and the last two of eight say how opaque. */
function readColour(text: string | undefined): string | undefined {
  if (text === undefined || !/^[0-9a-f]+$/i.test(text)) return undefined
  const digits = text.length <= 4 ? text.replaceAll(/./g, '$&$&') : text
  return digits.length === 6 || digits.length === 8 ? `#${digits.toLowerCase()}` : undefined
}

/** Whether dark words are easier to read on a colour. What shines through is left out of account. Weights: ITU-R BT.709. */
function isBright(colour: string): boolean {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => Number.parseInt(colour.slice(at, at + 2), 16))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 140
}

/** `30px` or `30`; more than is round already counts as the most. */
function readRadius(text: string | undefined): number {
  const [, number] = /^(\d{1,4}(?:\.\d{1,2})?)(?:px)?$/.exec(text ?? '') ?? []
  return number === undefined ? DEFAULT_RADIUS : Math.min(Number(number), LARGEST_RADIUS)
}

function readIds(text: string | undefined): readonly string[] {
  const ids = text?.split(',').map(id => id.trim()) ?? []
  return [...new Set(ids.filter(isSnowflake))].slice(0, MOST_APPLICATIONS).sort()
}
