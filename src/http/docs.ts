import { type ElysiaSwaggerConfig, swagger } from '@elysiajs/swagger'
import { Type } from '@sinclair/typebox'
import { type AnyElysia, Elysia } from 'elysia'
import { VERSION } from '../version.ts'
import { HARMY } from './harmy-schema.ts'
import { JSON_TYPE } from './headers.ts'
import { operation } from './operation.ts'
import { QUICKLINK_PATH } from './quicklinks.ts'
import { answer, type Representation, represent } from './representation.ts'
import { FAILURE, PRESENCE, TEXT } from './schema.ts'
import { swaggerPage, swaggerScript, swaggerStyle } from './swagger/swagger-page.ts'

/** The API document of the given routes, and a page to read it that needs nothing but this server. */
export function docRoutes(described: () => AnyElysia) {
  let document: Promise<Representation> | undefined

  async function readDocument(request: Request): Promise<Response> {
    document ??= describe(described())
    return answer(await document, request)
  }

  return new Elysia({ name: 'docs' })
    .get('/swagger', ({ request }) => answer(swaggerPage(), request), PAGE)
    .get('/swagger/json', ({ request }) => readDocument(request), DOCUMENT)
    .get('/swagger/swagger-ui.css', async ({ request }) => answer(await swaggerStyle(), request), HIDDEN)
    .get('/swagger/swagger-ui-bundle.js', async ({ request }) => answer(await swaggerScript(), request), HIDDEN)
}

const HIDDEN = { detail: { hide: true } }

const PAGE = operation({
  tag: 'Service',
  summary: 'This page',
  answers: [{ description: 'The API document, to read and to try', content: { 'text/html': TEXT } }],
})

const DOCUMENT = operation({
  tag: 'Service',
  summary: 'The API as an OpenAPI document',
  answers: [{ description: 'OpenAPI 3.1', content: { 'application/json': Type.Object({}) } }],
})

const INTRODUCTION = `Live Discord presence: who is online, what they play and listen to, and their own key-value pairs.

Every answer that is not a 2xx or 3xx has the body \`{"success":false,"error":{"code","message"}}\`. Any site may call every
route (CORS). User ids are Discord ids as strings. Empty path segments are ignored, and \`HEAD\` works wherever \`GET\` does.`

const DOCUMENTATION = {
  openapi: '3.1.0',
  info: { title: 'Exoix', version: VERSION, description: INTRODUCTION, license: { name: 'MIT', identifier: 'MIT' } },
  tags: [
    { name: 'Presence', description: 'What people do on Discord right now' },
    { name: 'Socket', description: 'The same, told as it changes' },
    { name: 'KV', description: "People's own key-value pairs" },
    { name: 'Avatars', description: 'Pictures under a short address' },
    { name: 'Service', description: 'About this Exoix' },
  ],
  // Relative to the document's own address: the front page, wherever a proxy has put it.
  servers: [{ url: '..' }],
  paths: QUICKLINK_PATH,
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
}

/** Lets the plugin describe the routes on the side: its own page, which loads scripts from elsewhere, is never served. */
async function describe(routes: AnyElysia): Promise<Representation> {
  const plugin = swagger({
    path: '/plugin',
    excludeStaticFile: false,
    exclude: ['/plugin', '/plugin/json'],
    documentation: DOCUMENTATION as unknown as ElysiaSwaggerConfig['documentation'],
  })
  const response = await new Elysia().use(plugin).use(routes).handle(new Request('http://localhost/plugin/json'))
  const document = Buffer.from(await response.arrayBuffer())
  return represent(() => document, { 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-cache' })
}
