import { type TSchema, Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { notFound } from '../domain/errors.ts'
import { inviteUrl } from '../domain/operator.ts'
import type { Person, Presences } from '../domain/presences.ts'
import { Lru } from '../lib/lru.ts'
import { missingPage, withInstance, withPreview } from '../web/head.ts'
import { apiPage, clientModule, elementScript, framablePage, livePage } from '../web/web.ts'
import { prefersHtml } from './compression.ts'
import { operation, type Parameter, USER_ID } from './openapi.ts'
import { describePerson } from './preview.ts'
import { answer, type ContentHeaders, type Representation, represent, representAsset } from './representation.ts'
import { COMMON_HEADERS, copy, failure, inlineCsp } from './response.ts'
import { TEXT } from './schema.ts'

const attribute = (name: string, description: string, schema: TSchema): Parameter => ({
  name,
  in: 'query',
  description,
  schema,
})
const LAYOUT = attribute(
  'layout',
  'How it is arranged',
  t.String({ enum: ['card', 'compact', 'music', 'pill'], default: 'card' }),
)
const SHOW = attribute('show', 'What is shown beside the usual: `kv`', t.String({ examples: ['kv'] }))
const HIDE = attribute(
  'hide',
  'What is left out, separated by blanks',
  t.String({ examples: ['activities badges banner custom'] }),
)
const THEME = attribute(
  'theme',
  'Light or dark; without it as the reader’s system',
  t.String({ enum: ['light', 'dark'] }),
)

const EMBED = operation({
  tag: 'Presence',
  summary: 'A script that shows presences on any page',
  description: `Loaded by a script element whose \`src\` is this address, it defines the element
\`<discord-presence user="ID">\`, which draws a person's presence and keeps it up to date over the socket.`,
  answers: [
    { description: 'The script', content: { 'text/javascript': TEXT } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

const CLIENT = operation({
  tag: 'Socket',
  summary: 'A client for browsers and other runtimes, as a module',
  description: `\`import { follow } from '…/client.js'\`: \`follow(id, { onPresence, onState })\` of one person, several ids or
\`'all'\` keeps a connection that reconnects by itself, and can be read with \`for await\`.`,
  answers: [
    { description: 'The module', content: { 'text/javascript': TEXT } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

const FRAME = operation({
  tag: 'Presence',
  summary: 'A page that shows one person live and nothing else, for frames and overlays',
  description: `For OBS, Notion or an \`<iframe>\`: it has no ground of its own and may be framed by anybody. It takes the
attributes of \`<discord-presence>\` as parameters. For whom nothing is known of it is the same page, which says so.`,
  parameters: [USER_ID, LAYOUT, SHOW, HIDE, THEME],
  answers: [{ description: 'The page', content: { 'text/html': TEXT } }],
})

/** What pages are made of. */
export interface PageDeps {
  readonly config: PageConfig
  /** Which Exoix this is. */
  readonly version: string
}

/** Scripts for other people's pages. */
export function scriptRoutes({ config, version }: PageDeps) {
  let element: Representation | undefined
  let client: Representation | undefined
  let frame: Representation | undefined

  function sendElement(request: Request): Response {
    element ??= representAsset(Buffer.from(elementScript(config, version)), SCRIPT)
    return answer(element, request)
  }

  function sendClient(request: Request): Response {
    client ??= representAsset(Buffer.from(clientModule(version)), SCRIPT)
    return answer(client, request)
  }

  function sendFrame(request: Request): Response {
    frame ??= representFrame({ config, version })
    return answer(frame, request)
  }

  return new Elysia({ name: 'scripts' })
    .get('/embed/:id', ({ request }) => sendFrame(request), FRAME)
    .get('/embed.js', ({ request }) => sendElement(request), EMBED)
    .get('/client.js', ({ request }) => sendClient(request), CLIENT)
}

function representFrame({ config, version }: PageDeps): Representation {
  const html = framablePage(config, version)
  const policy = { 'img-src': pictureSources(config), 'connect-src': "'self'", 'frame-ancestors': '*' }
  const headers = { ...SCRIPT, ...PAGE, 'Content-Security-Policy': inlineCsp(html, policy) }
  return representAsset(Buffer.from(html), headers)
}

const SCRIPT: ContentHeaders = {
  'Content-Type': 'text/javascript; charset=utf-8',
  'Cache-Control': 'public, max-age=300',
  // Pages that are isolated from others load only what says it may be used.
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

type PageConfig = Pick<
  Config,
  | 'botToken'
  | 'discordCdnUrl'
  | 'discordInvite'
  | 'discordMediaUrl'
  | 'externalUrl'
  | 'featuredUsers'
  | 'instanceName'
  | 'privacyUrl'
  | 'spotifyCdnUrl'
  | 'termsUrl'
>

/** Milliseconds for which a page offers the same people to look at. */
const OFFER = 60_000
/** People who are offered where the operator names none, and how many are looked at to find them. */
const MOST_OFFERED = 6
const MOST_LOOKED_AT = 1000

/** Bytes of pages with previews that are kept: crawlers come for the same ones in short order. */
const PREVIEWS = 8 * 1024 * 1024

/** What a page was made of, and until when. */
interface MadePage {
  readonly html: string
  readonly headers: ContentHeaders
  readonly representation: Representation
  /** Milliseconds of `performance.now()`. */
  readonly until: number
}

interface MadePreview {
  readonly page: MadePage
  readonly person: Pick<Person, 'user' | 'presence'>
  readonly representation: Representation
}

/** The live page, ready to be sent. */
export class LivePage {
  readonly #deps: PageDeps & { readonly presences: Presences }
  /** The compressed form stands beside the plain one. */
  readonly #previews = new Lru<MadePreview>(PREVIEWS, ({ page }) => 3 * page.html.length)
  #made: MadePage | undefined

  constructor(deps: PageDeps & { readonly presences: Presences }) {
    this.#deps = deps
  }

  get(): Representation {
    return this.#page().representation
  }

  /** With what previews of links show of somebody; of whom nothing is known it is the page as it always is. */
  of(id: string, origin: string): Representation {
    const person = this.#deps.presences.person(id)
    const page = this.#page()
    if (person === undefined) return page.representation
    const base = this.#deps.config.externalUrl ?? origin
    const key = `${id} ${base}`
    const known = this.#previews.get(key)
    const isKnown =
      known?.page === page && known.person.user === person.user && known.person.presence === person.presence
    if (isKnown) return known.representation
    const picture = `${base}/v1/users/${person.id}/card.svg`
    const html = withPreview(page.html, { ...describePerson(person), page: `${base}/?user=${person.id}`, picture })
    const representation = represent(() => Buffer.from(html), page.headers)
    const { user, presence } = person
    this.#previews.set(key, { page, person: { user, presence }, representation })
    return representation
  }

  #page(): MadePage {
    const now = performance.now()
    if (this.#made === undefined || now >= this.#made.until) this.#made = this.#make(now + OFFER)
    return this.#made
  }

  #make(until: number): MadePage {
    const { config, version, presences } = this.#deps
    const { botToken, externalUrl, featuredUsers: featured } = config
    const offered = featured.length > 0 ? featured : peopleToLookAt(presences)
    const page = livePage(config, { version, externalUrl, featured, offered, addBot: addressToAddBot(botToken) })
    const html = withInstance(page, instanceOf(config))
    const policy = inlineCsp(html, { 'img-src': pictureSources(config), 'connect-src': "'self'" })
    const headers = { ...PAGE, 'Content-Security-Policy': policy, Vary: 'Accept' }
    return { html, headers, representation: represent(() => Buffer.from(html), headers), until }
  }
}

const instanceOf = ({ instanceName: name, privacyUrl, termsUrl }: PageConfig) => ({ name, privacyUrl, termsUrl })

/**
 * Answers who asks for what is not there: browsers with a page, everybody else in the envelope. Both say so by their
 * status.
 */
export function missingAnswer({ externalUrl = '' }: Pick<Config, 'externalUrl'>) {
  let page: Response | undefined
  return (request: Request): Response => {
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    if (!isReading || !prefersHtml(request.headers.get('Accept'))) return failure(notFound())
    page ??= makeMissing(externalUrl)
    return copy(page)
  }
}

function makeMissing(home: string): Response {
  const html = missingPage(home)
  const policy = inlineCsp(html, { 'img-src': 'data:' })
  const headers = { ...COMMON_HEADERS, ...PAGE, 'Cache-Control': 'no-store', 'Content-Security-Policy': policy }
  return new Response(html, { status: 404, headers })
}

const PAGE = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' } as const

/** What presences show. Everything else, the card too, comes from here. */
function pictureSources({ discordCdnUrl, discordMediaUrl, spotifyCdnUrl }: PageConfig): string {
  const origins = [discordCdnUrl, discordMediaUrl, spotifyCdnUrl].map(base => new URL(base).origin)
  return ["'self' data:", ...origins].join(' ')
}

/** Some who are there, those who do something first. */
function peopleToLookAt(presences: Presences): string[] {
  const there: { id: string; busy: boolean }[] = []
  let looked = 0
  for (const id of presences.ids()) {
    if (looked++ >= MOST_LOOKED_AT) break
    const person = presences.person(id)
    if (person === undefined || person.presence.status === 'offline' || person.user.includes('"bot":true')) continue
    there.push({ id, busy: person.presence.activities !== '[]' })
  }
  const sorted = there.sort((one, other) => Number(other.busy) - Number(one.busy))
  return sorted.slice(0, MOST_OFFERED).map(({ id }) => id)
}

/** A token begins with the id of its application, in Base64. Undefined where it does not. Source: Discord docs, "Bot Token". */
function addressToAddBot(token: string | undefined): string | undefined {
  const id = Buffer.from(token?.split('.')[0] ?? '', 'base64').toString('latin1')
  return /^\d{15,20}$/.test(id) ? inviteUrl(id) : undefined
}

/** The page that shows the API document. */
export function representApiPage(): Representation {
  const html = apiPage()
  const own = { 'script-src': "'self'", 'style-src': "'self'", 'img-src': "'self' data:", 'connect-src': "'self'" }
  return representAsset(Buffer.from(html), { ...PAGE, 'Content-Security-Policy': inlineCsp(html, own) })
}
