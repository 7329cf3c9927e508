import { beforeAll, describe, expect, test } from 'bun:test'
import { FormatRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { version } from '../../package.json'
import { FAILURE, HEALTH, INFO, PRESENCE, PRESENCE_EXAMPLE, successOf } from '../../src/http/schema.ts'
import { ADA, startServer } from './harness.ts'

interface Operation {
  operationId?: string
  description?: string
  summary?: string
  tags?: string[]
  parameters?: { name: string; in: string; schema: object; description: string; required: boolean }[]
  responses: Record<
    string,
    { description: string; content?: Record<string, { examples?: Record<string, { value: unknown }> }> }
  >
  security?: object[]
  requestBody?: object
}
interface Document {
  openapi: string
  info: { title: string; version: string; contact?: { url: string }; license?: object }
  servers: { url: string }[]
  tags: { name: string; description?: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: object; securitySchemes: Record<string, object> }
}

let document: Document
beforeAll(async () => {
  FormatRegistry.Set('uri', text => URL.canParse(text))
  await using server = startServer()
  document = (await (await server.get('/swagger/json')).json()) as Document
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )

describe('the API document', () => {
  test('is OpenAPI 3.1 with this Exoix’s name and version', () => {
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toMatchObject({ title: 'Exoix', version })
  })

  test('describes every route and no other', () => {
    expect(operations().map(({ path, method }) => `${method} ${path}`)).toEqual(
      expect.arrayContaining([
        'get /',
        'get /v1/users',
        'get /v1/users/{id}',
        'get /v1/users/{id}/card.svg',
        'get /user/@me',
        'get /v1/users/@me',
        'get /v1/users/{id}/kv',
        'patch /v1/users/{id}/kv',
        'delete /v1/users/{id}/kv',
        'get /v1/users/{id}/kv/{key}',
        'put /v1/users/{id}/kv/{key}',
        'delete /v1/users/{id}/kv/{key}',
        'get /{id}.{extension}',
        'get /socket',
        'get /discord',
        'get /metrics',
        'get /health',
        'get /swagger',
        'get /swagger/json',
      ]),
    )
    expect(Object.keys(document.paths).filter(path => /plugin|\*|bundle|\.css|\{file\}/.test(path))).toEqual([])
  })

  test('says of every operation what it is, what it takes and how it can fail', () => {
    const tags = document.tags.map(tag => tag.name)
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`
      expect([name, operation.summary]).toEqual([name, expect.any(String)])
      expect([name, tags.includes(operation.tags?.[0] ?? ''), operation.tags?.length]).toEqual([name, true, 1])
      const named = operation.parameters?.filter(parameter => parameter.in === 'path').map(parameter => parameter.name)
      expect([name, named ?? []]).toEqual([name, Array.from(path.matchAll(/\{(\w+)\}/g), match => match[1] ?? '')])
      for (const parameter of operation.parameters ?? []) expect(parameter.description).toBeString()
      expect(Object.keys(operation.responses)).toContain('429')
    }
  })

  test('shows failures as they are', () => {
    for (const { operation } of operations()) {
      for (const [status, { content }] of Object.entries(operation.responses)) {
        if (!(Number(status) >= 400)) continue
        const examples = Object.entries(content?.['application/json']?.examples ?? {})
        expect(examples.length).toBeGreaterThan(0)
        for (const [code, { value }] of examples) {
          expect(Value.Check(FAILURE, value)).toBe(true)
          expect(value).toMatchObject({ error: { code } })
        }
      }
    }
  })

  test('says which operations need a key', () => {
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`
      const schemes = (operation.security ?? []).flatMap(scheme => Object.keys(scheme))
      const keyed = method !== 'get' || /\/@me(?:\/events)?$/.test(path)
      expect([name, schemes]).toEqual([name, keyed ? ['key', 'bearer'] : []])
    }
    expect(Object.keys(document.components.securitySchemes)).toEqual(['key', 'bearer'])
  })

  test('knows the same parameters of a card as the README', async () => {
    const readme = await Bun.file(new URL('../../README.md', import.meta.url)).text()
    const [, section = ''] = readme.split('### A card for your README')
    const table = section.slice(0, section.indexOf('\n### ')).matchAll(/^\| `(\w+)` \|/gm)
    const parameters = document.paths['/v1/users/{id}/card.svg']?.get?.parameters?.filter(
      ({ in: place }) => place === 'query',
    )
    expect(Array.from(table, ([, name]) => name ?? '').sort()).toEqual(
      (parameters ?? []).map(({ name }) => name).sort(),
    )
  })

  // What Redocly's and Spectral's recommended rules ask for, beyond what is tested here anyway.
  test('passes what linters of API documents look at', () => {
    const found: string[] = []
    const complain = (isWrong: boolean, name: string, problem: string) => isWrong && found.push(`${name}: ${problem}`)
    const ids = operations().map(({ operation }) => operation.operationId)
    complain(new Set(ids).size !== ids.length, 'operations', 'two have one id')
    for (const { path, method, operation } of operations()) {
      const name = `${method} ${path}`
      const statuses = Object.keys(operation.responses)
      complain(!/^[\w.@-]+$/.test(operation.operationId ?? ''), name, 'no operationId')
      complain((operation.description ?? '').trim() === '', name, 'no description')
      complain(operation.tags?.length !== 1, name, 'not one tag')
      complain(!statuses.some(status => /^(2\d\d|default)$/.test(status)), name, 'no success')
      complain(!statuses.some(status => status.startsWith('4')), name, 'no 4xx')
      // A WebSocket is neither.
      complain(path !== '/socket' && !statuses.some(status => /^[23]/.test(status)), name, 'neither 2xx nor 3xx')
      const declared = (operation.parameters ?? []).filter(({ in: place }) => place === 'path').map(({ name }) => name)
      const named = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => name as string)
      complain(`${declared.sort()}` !== `${named.sort()}`, name, 'parameters that are not those of its path')
      complain(/[/?]$/.test(path) && path !== '/', name, 'a path with something behind it')
    }
    const names = Object.keys(document.components.schemas)
    const text = JSON.stringify(document)
    for (const name of names) complain(!text.includes(`"#/components/schemas/${name}"`), name, 'not used')
    for (const [, description = ''] of text.matchAll(/"description":"((?:[^"\\]|\\.)*)"/g)) {
      complain(/<script|eval\(/i.test(description), description, 'script in Markdown')
    }
    complain(document.info.contact?.url === undefined, 'info', 'no contact')
    complain(document.info.license === undefined, 'info', 'no licence')
    complain(
      document.servers.some(({ url }) => /.\/$/.test(url)),
      'servers',
      'a slash at the end',
    )
    complain(
      document.tags.some(({ description = '' }) => description === ''),
      'tags',
      'no description',
    )
    expect(found).toEqual([])
  })

  test('refers only to what it contains', () => {
    const references = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)
    const known = Object.keys(document.components.schemas)
    for (const [, name] of references) expect(known).toContain(name ?? '')
  })

  test('has schemas that real answers satisfy', async () => {
    await using server = startServer()
    server.presences.setKv(ADA, new Map([['location', 'Berlin']]))
    server.presences.patchPresence({ user: { id: ADA }, status: 'dnd', activities: PRESENCE_EXAMPLE.activities })
    const answer = async (path: string) => (await server.get(path)).json()
    const problems = async (schema: Parameters<typeof successOf>[0], path: string) => [
      ...Value.Errors(successOf(schema), await answer(path)),
    ]
    expect(await problems(PRESENCE, `/v1/users/${ADA}`)).toEqual([])
    expect(await problems(INFO, '/')).toEqual([])
    expect(await problems(HEALTH, '/health')).toEqual([])
    expect([...Value.Errors(FAILURE, await answer('/nope'))]).toEqual([])
    expect([...Value.Errors(PRESENCE, PRESENCE_EXAMPLE)]).toEqual([])
  })
})

describe('the page that shows the document', () => {
  test('loads nothing from elsewhere, and everything it loads is there', async () => {
    await using server = startServer()
    for (const path of ['/swagger', '/swagger/']) {
      const response = await server.get(path, { accept: 'text/html' })
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      const html = await response.text()
      const loaded = Array.from(html.matchAll(/(?:src|href)(?:="|: ?["'])([^"']+)/g), match => match[1] ?? '')
      expect(loaded.toSorted()).toEqual(
        ['.', 'data:,', 'swagger/json', 'swagger/swagger-ui-bundle.js', 'swagger/swagger-ui.css'].toSorted(),
      )
      for (const url of loaded.filter(url => url.startsWith('swagger'))) {
        expect(url).toStartWith('swagger/')
        const asset = await server.get(`/${url}`)
        expect(asset.status).toBe(200)
        expect((await asset.bytes()).byteLength).toBeGreaterThan(10_000)
      }
    }
  })

  test('sends its large parts compressed and only once', async () => {
    await using server = startServer()
    const path = '/swagger/swagger-ui-bundle.js'
    const response = await server.get(path, { 'accept-encoding': 'gzip' })
    expect(response.headers.get('content-encoding')).toBe('gzip')
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
    const etag = response.headers.get('etag') ?? ''
    expect((await server.get(path, { 'if-none-match': etag })).status).toBe(304)
  })
})
