import { type TSchema, Type as t } from '@sinclair/typebox'
import { NOTHING } from '../../card/model.ts'
import { DEFAULT_RADIUS, LARGEST_RADIUS, LONGEST_MESSAGE, MOST_APPLICATIONS } from '../../card/options.ts'
import { operation } from '../operation.ts'
import { IF_NONE_MATCH, type Parameter, USER_ID } from '../schema.ts'

const query = (name: string, description: string, schema: TSchema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})
const choice = (name: string, description: string, fallback: boolean) =>
  query(name, description, t.Boolean({ default: fallback }))
const colour = (example: string) =>
  t.String({ pattern: '^([0-9A-Fa-f]{3,4}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})$', examples: [example] })

/** Everything a card can be asked to do, for the API document. */
const PARAMETERS: readonly Parameter[] = [
  query('theme', 'Colours; without it those that suit `bg`', t.String({ enum: ['dark', 'light'], default: 'dark' })),
  query('bg', 'Background colour, hexadecimal, without #', colour('1e2030')),
  query(
    'borderRadius',
    `Roundness of the corners in pixels, ${LARGEST_RADIUS} at most`,
    t.String({ pattern: '^\\d{1,4}(\\.\\d{1,2})?(px)?$', default: `${DEFAULT_RADIUS}px` }),
  ),
  choice('animated', 'Whether avatar, decoration, emoji and progress move', true),
  query(
    'idleMessage',
    `What is said when there is no activity, ${LONGEST_MESSAGE} characters at most`,
    t.String({ default: NOTHING }),
  ),
  choice('showDisplayName', 'Show the display name above the user name', true),
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
  choice('hideTag', 'Leave out the server tag; `hideClan` is the same', false),
  query('clanBackgroundColor', 'Colour behind the server tag, hexadecimal, without #', colour('5865f2')),
  query(
    'ignoreAppId',
    `Ids of applications whose activities are left out, separated by commas, ${MOST_APPLICATIONS} at most`,
    t.String({ examples: ['383226320970055681'] }),
  ),
]

export const CARD = operation({
  tag: 'Presence',
  summary: "A person's presence as a picture",
  description:
    'For READMEs and sites: `<img src="…">`. It brings its pictures along and runs nothing. A parameter with a value ' +
    'that is wrong counts as not given, and of a repeated one the first counts. Whom nothing is known of has a card ' +
    'that says how to be shown; it is kept for a minute like any other.',
  parameters: [USER_ID, ...PARAMETERS, IF_NONE_MATCH],
  answers: [
    { description: 'The card, also for somebody who is not monitored', content: { 'image/svg+xml': t.String() } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})
