import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { clientModule, elementScript, livePage } from '../web/web.ts'
import { operation } from './openapi.ts'
import { answer, type ContentHeaders, type Representation, represent } from './representation.ts'
import { inlineCsp } from './response.ts'
import { TEXT } from './schema.ts'

const EMBED = operation({
  tag: 'Presence',
  summary: 'A script that shows presences on any page',
  description: `\`<script src="…/embed.js" async></script>\` defines the element \`<discord-presence user="ID">\`, which draws a
person's presence and keeps it up to date over the socket.`,
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

  function sendElement(request: Request): Response | Promise<Response> {
    element ??= represent(() => Buffer.from(elementScript(config, version)), SCRIPT)
    return answer(element, request)
  }

  function sendClient(request: Request): Response | Promise<Response> {
    client ??= represent(() => Buffer.from(clientModule(version)), SCRIPT)
    return answer(client, request)
  }

  return new Elysia({ name: 'scripts' })
    .get('/embed.js', ({ request }) => sendElement(request), EMBED)
    .get('/client.js', ({ request }) => sendClient(request), CLIENT)
}

const SCRIPT: ContentHeaders = {
  'Content-Type': 'text/javascript; charset=utf-8',
  'Cache-Control': 'public, max-age=300',
  // Pages that are isolated from others load only what says it may be used.
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

type PageConfig = Pick<Config, 'featuredUsers' | 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl'>

/** The live page, ready to be sent. */
export function representPage({ config, version }: PageDeps): Representation {
  const html = livePage(config, version, config.featuredUsers)
  // What presences show. Everything else, the card too, comes from here.
  const pictures = [config.discordCdnUrl, config.discordMediaUrl, config.spotifyCdnUrl].map(
    base => new URL(base).origin,
  )
  return represent(() => Buffer.from(html), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': inlineCsp(html, {
      'img-src': ["'self' data:", ...pictures].join(' '),
      'connect-src': "'self'",
    }),
    Vary: 'Accept',
  })
}
