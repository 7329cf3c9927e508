import { type ElysiaSwaggerConfig, swagger } from '@elysiajs/swagger'
import { Type } from '@sinclair/typebox'
import { type AnyElysia, Elysia } from 'elysia'
import style from 'swagger-ui-dist/swagger-ui.css' with { type: 'file' }
import script from 'swagger-ui-dist/swagger-ui-bundle.js' with { type: 'file' }
import type { Config } from '../config.ts'
import { operation } from './openapi.ts'
import { representApiPage } from './pages.ts'
import { answer, type Representation, represent } from './representation.ts'
import { JSON_TYPE } from './response.ts'
import { FAILURE, HARMY, PRESENCE, TEXT } from './schema.ts'

/** Swagger UI's code, embedded as it was published. Compressed when it is first asked for, off the main thread. */
async function asset(file: string, type: string): Promise<Representation> {
  const bytes = Buffer.from(await Bun.file(file).arrayBuffer())
  return represent(() => bytes, { 'Content-Type': type, 'Cache-Control': 'no-cache' })
}

/** What the API document is made of. */
export interface Described {
  readonly routes: () => AnyElysia
  /** Paths the routes cannot describe themselves. */
  readonly paths: object
  /** Which Exoix this is. */
  readonly version: string
  readonly config: Pick<Config, 'instanceName' | 'privacyUrl' | 'termsUrl'>
}

/** The API document of the given routes, and a page to read it that needs nothing but this server. */
export function docRoutes(described: Described) {
  let document: Promise<Representation> | undefined
  let page: Representation | undefined
  let uiScript: Promise<Representation> | undefined
  let uiStyle: Promise<Representation> | undefined

  function readPage(request: Request): Response {
    page ??= representApiPage()
    return answer(page, request)
  }

  async function readDocument(request: Request): Promise<Response> {
    document ??= describe(described)
    return answer(await document, request)
  }

  async function readScript(request: Request): Promise<Response> {
    uiScript ??= asset(script, 'text/javascript; charset=utf-8')
    return answer(await uiScript, request)
  }

  async function readStyle(request: Request): Promise<Response> {
    uiStyle ??= asset(style, 'text/css; charset=utf-8')
    return answer(await uiStyle, request)
  }

  return new Elysia({ name: 'docs' })
    .get('/swagger', ({ request }) => readPage(request), PAGE)
    .get('/swagger/json', ({ request }) => readDocument(request), DOCUMENT)
    .get('/swagger/swagger-ui.css', ({ request }) => readStyle(request), HIDDEN)
    .get('/swagger/swagger-ui-bundle.js', ({ request }) => readScript(request), HIDDEN)
}

const HIDDEN = { detail: { hide: true } }

const PAGE = operation({
  tag: 'Service',
  summary: 'This page',
  description: 'It needs nothing but this server.',
  answers: [{ description: 'The API document, to read and to try', content: { 'text/html': TEXT } }],
})

const DOCUMENT = operation({
  tag: 'Service',
  summary: 'The API as an OpenAPI document',
  description: 'For generators of clients, and for this page.',
  answers: [{ description: 'OpenAPI 3.1', content: { 'application/json': Type.Object({}) } }],
})

const INTRODUCTION = `Live Discord presence: who is online, what they play and listen to, and their own key-value pairs.

Every answer that is not a 2xx or 3xx has the body \`{"success":false,"error":{"code","message"}}\`. Any site may call every
route (CORS). User ids are Discord ids as strings. Empty path segments are ignored, and \`HEAD\` works wherever \`GET\` does.`

const CONTACT = { name: 'Exoix', url: 'https://github.com/exoix/exoix' }
const LICENSE = { name: 'MIT', identifier: 'MIT' }

function info({ version, config: { instanceName = 'Exoix', privacyUrl, termsUrl } }: Described) {
  const privacy = privacyUrl === undefined ? '' : `\n\nWhat is kept of people: <${privacyUrl}>`
  return {
    title: instanceName,
    version,
    description: INTRODUCTION + privacy,
    ...(termsUrl !== undefined && { termsOfService: termsUrl }),
    contact: CONTACT,
    license: LICENSE,
  }
}

const documentation = (described: Described) => ({
  openapi: '3.1.0',
  info: info(described),
  tags: [
    { name: 'Presence', description: 'What people do on Discord right now' },
    { name: 'Socket', description: 'The same, told as it changes' },
    { name: 'KV', description: "People's own key-value pairs" },
    { name: 'Avatars', description: 'Pictures under a short address' },
    { name: 'Service', description: 'About this Exoix' },
  ],
  // Relative to the document's own address: the front page, wherever a proxy has put it.
  servers: [{ url: '..' }],
  paths: described.paths,
  components: {
    schemas: { Presence: PRESENCE, Failure: FAILURE, Harmy: HARMY },
    securitySchemes: {
      key: {
        type: 'apiKey',
        in: 'header',
        name: 'Authorization',
        description: "The bot's `.apikey` command makes one",
      },
      bearer: { type: 'http', scheme: 'bearer', description: 'The same key as `Bearer <key>`' },
    },
  },
})

/** Lets the plugin describe the routes on the side: its own page, which loads scripts from elsewhere, is never served. */
async function describe(described: Described): Promise<Representation> {
  const plugin = swagger({
    path: '/plugin',
    excludeStaticFile: false,
    exclude: ['/plugin', '/plugin/json'],
    documentation: documentation(described) as unknown as ElysiaSwaggerConfig['documentation'],
  })
  const response = await new Elysia()
    .use(plugin)
    .use(described.routes())
    .handle(new Request('http://localhost/plugin/json'))
  const document = Buffer.from(await response.arrayBuffer())
  return represent(() => document, { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-cache' })
}
