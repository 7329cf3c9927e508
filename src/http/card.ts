import { Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import {
  CARD_LIMITS,
  type CardOptions,
  CardRenderer,
  drawNotMonitored,
  drawStarting,
  drawStatusBadge,
  readOptions,
  readStatusBadge,
  type Shown,
} from '../card/card.ts'
import type { Config } from '../config.ts'
import type { Interest } from '../domain/interest.ts'
import type { Person, Presences } from '../domain/presences.ts'
import { Lru } from '../lib/lru.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { KnownIcons } from './app-icons.ts'
import { cardParameters } from './card-parameters.ts'
import { queryOf } from './normalize.ts'
import { IF_NONE_MATCH, operation, USER_ID } from './openapi.ts'
import { answer, type ContentHeaders, type Representation, represent } from './representation.ts'

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

const CARD = operation({
  tag: 'Presence',
  summary: "A person's presence as a picture",
  description:
    'For READMEs and sites: `<img src="…">`. It brings its pictures along and runs nothing. A parameter with a value ' +
    'that is wrong counts as not given, and of a repeated one the first counts. Whom nothing is known of has a card ' +
    'that says how to be shown; it is kept for a minute like any other.',
  parameters: [USER_ID, ...cardParameters(CARD_LIMITS), IF_NONE_MATCH],
  answers: [
    { description: 'The card, also for somebody who is not monitored', content: { 'image/svg+xml': t.String() } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

const SAME_CARD = operation({
  tag: 'Presence',
  summary: 'The same card at the address lanyard-profile-readme has it',
  description: 'With the parameters of `/v1/users/{id}/card.svg`: an address from there works with another host.',
  parameters: [USER_ID, ...cardParameters(CARD_LIMITS), IF_NONE_MATCH],
  answers: [
    { description: 'The card, also for somebody who is not monitored', content: { 'image/svg+xml': t.String() } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

const BADGE = operation({
  tag: 'Presence',
  summary: "A person's status as a small badge",
  description: 'Of the size of the badges that READMEs have. Whom nothing is known of is "not monitored".',
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: [
    { description: 'The badge, also for somebody who is not monitored', content: { 'image/svg+xml': t.String() } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

const ENDPOINT = operation({
  tag: 'Presence',
  summary: "A person's status for shields.io",
  description: "What shields.io's endpoint badge reads, without an envelope: `https://img.shields.io/endpoint?url=…`.",
  parameters: [USER_ID, IF_NONE_MATCH],
  answers: [
    {
      description: 'The badge, also for somebody who is not monitored',
      content: {
        'application/json': t.Object({
          schemaVersion: t.Literal(1),
          label: t.String(),
          message: t.String(),
          color: t.String(),
          namedLogo: t.String(),
          cacheSeconds: t.Integer(),
        }),
      },
      example: { schemaVersion: 1, ...readStatusBadge('online'), namedLogo: 'discord', cacheSeconds: 300 },
    },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

/** Shields.io asks no more often than this anyway. Seconds. */
const SHIELDS_CACHE = 300

const BADGE_JSON_HEADERS: ContentHeaders = {
  'Content-Type': 'application/json; charset=utf-8',
  'Cache-Control': 'public, max-age=60',
}

interface CardDeps {
  readonly config: Pick<Config, 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl' | 'discordInvite'>
  readonly presences: Presences
  readonly metrics: Metrics
  readonly icons: Pick<KnownIcons, 'get'>
  readonly interest: Pick<Interest, 'look'>
}

/** Cards and badges: a presence as a picture. Always a picture and always 200, because it stands in READMEs. */
export function cardRoutes({ config, presences, metrics, icons, interest }: CardDeps) {
  const cards = new Cards(new CardRenderer(config, metrics, { iconOf: id => icons.get(id) }))

  async function card(request: Request, id: string): Promise<Response> {
    const options = readOptions(queryOf(request))
    const person = presences.person(id)
    if (person !== undefined) interest.look(person.id)
    return answer(person === undefined ? nobody(options) : await cards.of(person, options), request)
  }

  /** Nobody knows of the person: because there is none, because they are hidden, or because they have not arrived yet. */
  function nobody(options: CardOptions) {
    if (presences.readiness === 'starting') {
      return represent(() => Buffer.from(drawStarting(options)), SHORT_LIVED)
    }
    return represent(() => Buffer.from(drawNotMonitored(options, config.discordInvite)), CARD_HEADERS)
  }

  const statusOf = (id: string) => readStatusBadge(presences.person(id)?.presence.status)

  const headersOf = (usual: ContentHeaders): ContentHeaders =>
    presences.readiness === 'starting' ? { ...usual, 'Cache-Control': 'public, max-age=5' } : usual

  function badge(request: Request, id: string): Response | Promise<Response> {
    return answer(
      represent(() => Buffer.from(drawStatusBadge(statusOf(id))), headersOf(CARD_HEADERS)),
      request,
    )
  }

  function endpoint(request: Request, id: string): Response | Promise<Response> {
    const told = { schemaVersion: 1, ...statusOf(id), namedLogo: 'discord', cacheSeconds: SHIELDS_CACHE }
    return answer(
      represent(() => Buffer.from(JSON.stringify(told)), headersOf(BADGE_JSON_HEADERS)),
      request,
    )
  }

  return new Elysia({ name: 'card' })
    .get('/v1/users/:id/card.svg', ({ request, params: { id } }) => card(request, id), CARD)
    .get('/api/:id', ({ request, params: { id } }) => card(request, id), SAME_CARD)
    .get('/v1/users/:id/badge.svg', ({ request, params: { id } }) => badge(request, id), BADGE)
    .get('/v1/users/:id/badge.json', ({ request, params: { id } }) => endpoint(request, id), ENDPOINT)
}
