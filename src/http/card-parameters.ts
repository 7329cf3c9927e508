import { type TSchema, Type as t } from '@sinclair/typebox'
import type { Parameter } from './openapi.ts'

/** What the card's own rules say that its documents repeat. Pixels, milliseconds, counts. */
export interface CardLimits {
  readonly radius: number
  readonly imageRadius: number
  readonly largestRadius: number
  readonly waveDuration: number
  readonly longestMessage: number
  readonly applications: number
  readonly colours: number
  readonly themes: readonly string[]
  /** Said of who does nothing. */
  readonly nothing: string
}

const query = (name: string, description: string, schema: TSchema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})
const choice = (name: string, description: string, fallback: boolean) =>
  query(name, description, t.Boolean({ default: fallback }))
const HEX = '([0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})'
const colour = (example: string) => t.String({ pattern: `^(${HEX}|transparent)$`, examples: [example] })
const pixels = (fallback: number) => t.String({ pattern: '^\\d{1,4}(\\.\\d{1,2})?(px)?$', default: `${fallback}px` })
const wave = (example: string) => t.String({ pattern: `^(${HEX}(-(dark|light))?|transparent)$`, examples: [example] })

/** Everything a card can be asked to do, for the API document. */
export function cardParameters(limits: CardLimits): readonly Parameter[] {
  return [
    query('theme', 'Colours; without it those that suit `bg`', t.String({ enum: limits.themes, default: 'dark' })),
    query('bg', 'Background colour, hexadecimal without #, or `transparent`', colour('1e2030')),
    query('borderRadius', `Roundness of the corners in pixels, ${limits.largestRadius} at most`, pixels(limits.radius)),
    choice('animated', 'Whether avatar, decoration, emoji, waves and progress move', true),
    choice('animatedDecoration', 'Whether the avatar decoration moves', true),
    query(
      'idleMessage',
      `What is said when there is no activity, ${limits.longestMessage} characters at most`,
      t.String({ default: limits.nothing }),
    ),
    choice('showDisplayName', 'Show the display name above the user name; `useDisplayName` is the same', true),
    query(
      'gradient',
      `Colours of the name from left to right, hexadecimal without #, hyphens between them, ${limits.colours} at most`,
      t.String({ pattern: `^${HEX}(-${HEX}){0,${limits.colours - 1}}$`, examples: ['645cbb-a084dc-ebc7e6'] }),
    ),
    choice('forceGradient', "Let `gradient` win over the person's own name style", false),
    query('waveColor', 'Waves behind an activity; `-light` behind the colour for dark words', wave('7289da')),
    query('waveSpotifyColor', 'Waves behind Spotify, likewise', wave('1db954')),
    query(
      'animationDuration',
      'How long a wave takes for its length, 60 s at most; `0s`: it stands still',
      t.String({ pattern: '^\\d{1,5}(\\.\\d{1,3})?m?s$', default: `${limits.waveDuration / 1000}s` }),
    ),
    query('imgStyle', 'Shape of the avatar', t.String({ enum: ['circle', 'square'], default: 'circle' })),
    query('imgBorderRadius', 'Roundness of pictures in pixels', pixels(limits.imageRadius)),
    query('showBanner', 'Show the profile banner, still or moving', t.String({ enum: ['true', 'animated', 'false'] })),
    query('bannerFilter', 'CSS filter functions for the banner', t.String({ examples: ['brightness(0.8) blur(2px)'] })),
    choice('hideStatus', 'Leave out the custom status', false),
    choice('hideTimestamp', 'Leave out progress and durations', false),
    choice('hideBadges', 'Leave out the badges', false),
    choice('hideProfile', 'Show activities only', false),
    query(
      'hideActivity',
      'Show the profile only; `whenNotUsed`: only while there is no activity',
      t.String({ enum: ['true', 'false', 'whenNotUsed'], default: 'false' }),
    ),
    choice('hideSpotify', 'Leave out Spotify', false),
    choice('hideDiscrim', 'Leave out the four digits behind the name of a bot', false),
    choice('hideDecoration', 'Leave out the avatar decoration', false),
    choice('hideNameplate', 'Leave out the nameplate', false),
    choice('hideTag', 'Leave out the server tag; `hideClan` is the same', false),
    query(
      'clanBackgroundColor',
      'Colour behind the server tag, hexadecimal without #, or `transparent`; `clanbg` is the same',
      colour('5865f2'),
    ),
    query(
      'ignoreAppId',
      `Ids of applications whose activities are left out, separated by commas, ${limits.applications} at most`,
      t.String({ examples: ['383226320970055681'] }),
    ),
  ]
}
