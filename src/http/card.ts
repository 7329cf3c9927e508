import { type TSchema, Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import {
  type CardOptions,
  CardRenderer,
  DEFAULT_RADIUS,
  drawNotMonitored,
  drawStarting,
  LARGEST_RADIUS,
  LONGEST_MESSAGE,
  MOST_APPLICATIONS,
  NOTHING,
  readOptions,
  type Shown,
} from '../card/card.ts'
import type { Config } from '../config.ts'
import type { Person, Presences } from '../domain/presences.ts'
import { Lru } from '../lib/lru.ts'
import type { Metrics } from '../lib/metrics.ts'
import { IF_NONE_MATCH, operation, type Parameter, USER_ID } from './openapi.ts'
import { answer, type ContentHeaders, type Representation, represent } from './response.ts'

/** With what was drawn: when the person shows something else, it is another one. */
interface Made extends Shown {
  /** Milliseconds since 1970. */
  readonly until: number
  readonly representation: Representation | Promise<Representation>
  readonly bytes: number
}

/** Bytes of finished cards that are kept, in every encoding. */
const CARD_CACHE = 64 * 1024 * 1024
/** What a card on its way counts for. */
const OVERHEAD = 2048
/** Milliseconds a card on its way is waited for by others who ask for the same. */
const LONGEST_DRAWING = 5000

/** Cards of people, kept for a moment, so that a README many people look at costs little. */
export class Cards {
  readonly #renderer: CardRenderer
  readonly #now: () => number
  readonly #kept = new Lru<Made>(CARD_CACHE, ({ bytes, user, presence }) => {
    // The compressed forms stand beside the plain one.
    return 3 * bytes + user.length + presence.activities.length + OVERHEAD
  })

  constructor(renderer: CardRenderer, now: () => number = Date.now) {
    this.#renderer = renderer
    this.#now = now
  }

  of({ id, user, presence, lastSeenAt }: Person, options: CardOptions): Representation | Promise<Representation> {
    const shown = { user, presence, lastSeenAt }
    const key = `${id} ${JSON.stringify(options)}`
    const known = this.#kept.get(key)
    if (known !== undefined && isSame(known, shown) && this.#now() < known.until) return known.representation
    // Whoever asks for the same meanwhile waits for this one.
    const representation = this.#draw(key, shown, options)
    this.#kept.set(key, { ...shown, representation, bytes: 0, until: this.#now() + LONGEST_DRAWING })
    return representation
  }

  async #draw(key: string, shown: Shown, options: CardOptions): Promise<Representation> {
    const { svg, late, lifetime } = await this.#renderer.draw(shown, options, this.#now)
    const bytes = Buffer.from(svg)
    const representation = represent(() => bytes, late ? SHORT_LIVED : CARD_HEADERS)
    this.#kept.set(key, { ...shown, representation, bytes: bytes.byteLength, until: this.#now() + lifetime })
    return representation
  }
}

function isSame(one: Shown, other: Shown): boolean {
  return one.presence === other.presence && one.lastSeenAt === other.lastSeenAt && one.user === other.user
}

/** Nobody may run, load or frame anything by way of a card, not even where it is opened as a page of its own. */
const CARD_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

/** READMEs keep a card for a minute: GitHub's proxy goes by it. */
const CARD_HEADERS: ContentHeaders = {
  'Content-Type': 'image/svg+xml; charset=utf-8',
  'Cache-Control': 'public, max-age=60',
  'Content-Security-Policy': CARD_POLICY,
}

/** Of a card there will be a better one of in a moment. */
const SHORT_LIVED: ContentHeaders = { ...CARD_HEADERS, 'Cache-Control': 'public, max-age=5' }

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

const CARD = operation({
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

interface CardDeps {
  readonly config: Pick<Config, 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl' | 'discordInvite'>
  readonly presences: Presences
  readonly metrics: Metrics
}

/** `/v1/users/:id/card.svg`: a presence as a picture. Always a picture and always 200, because it stands in READMEs. */
export function cardRoutes({ config, presences, metrics }: CardDeps) {
  const cards = new Cards(new CardRenderer(config, metrics))

  async function card(request: Request, id: string): Promise<Response> {
    const options = readOptions(queryOf(request))
    const person = presences.person(id)
    return answer(person === undefined ? nobody(options) : await cards.of(person, options), request)
  }

  /** Nobody knows of the person: because there is none, because they are hidden, or because they have not arrived yet. */
  function nobody(options: CardOptions) {
    if (presences.readiness === 'starting') {
      return represent(() => Buffer.from(drawStarting(options)), SHORT_LIVED)
    }
    return represent(() => Buffer.from(drawNotMonitored(options, config.discordInvite)), CARD_HEADERS)
  }

  return new Elysia({ name: 'card' }).get(
    '/v1/users/:id/card.svg',
    ({ request, params: { id } }) => card(request, id),
    CARD,
  )
}

/** The address may be no URL where the Host header is none. */
function queryOf({ url }: Request): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at + 1)
}
