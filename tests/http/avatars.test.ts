import { describe, expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { quicklinkRoutes } from '../../src/http/avatars.ts'
import { USER_AGENT } from '../../src/lib/upstream.ts'
import { ADA, codeOf, head, parse, startServer } from './harness.ts'

const STILL = '0123456789abcdef0123456789abcdef'

/** A CDN on loopback that remembers what it was asked. */
function startCdn(answer: (request: Request) => Response | Promise<Response>) {
  const asked: { method: string; path: string; headers: Headers; signal: AbortSignal }[] = []
  const cdn = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push({ method: request.method, path: pathname + search, headers: request.headers, signal: request.signal })
      return answer(request)
    },
  })
  return {
    asked,
    config: { discordCdnUrl: `http://127.0.0.1:${cdn.port}` },
    [Symbol.asyncDispose]: () => cdn.stop(true),
  }
}

const picture = () =>
  new Response(new Uint8Array([1, 2, 3]), {
    headers: {
      'content-type': 'image/png',
      etag: '"abc"',
      'cache-control': 'public, max-age=3600',
      'last-modified': 'Mon, 05 Jan 2026 10:00:00 GMT',
      'set-cookie': 'a=b',
      'x-robots-tag': 'noindex',
      server: 'cdn',
    },
  })

describe('a quicklink', () => {
  test('streams the avatar with three of the CDN’s headers and no other', async () => {
    await using cdn = startCdn(picture)
    await using server = startServer(cdn)
    server.presences.patchPresence({ user: { id: ADA, avatar: STILL } })
    const response = await server.get(`/${ADA}.png`)
    expect(response.status).toBe(200)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]))
    expect(cdn.asked.map(({ method, path }) => [method, path])).toEqual([
      ['GET', `/avatars/${ADA}/${STILL}.png?size=1024`],
    ])
    const { headers } = response
    expect(headers.get('content-type')).toBe('image/png')
    expect(headers.get('etag')).toBe('"abc"')
    // Whoever hides has to disappear from caches, too.
    expect(headers.get('cache-control')).toBe('public, max-age=300')
    expect(headers.get('last-modified')).toBe('Mon, 05 Jan 2026 10:00:00 GMT')
    expect(headers.get('access-control-allow-origin')).toBe('*')
    for (const name of ['set-cookie', 'x-robots-tag', 'server']) expect(headers.get(name)).toBeNull()
  })

  test('tells the CDN nothing about the client but the ETag it has, and passes 304 on', async () => {
    await using cdn = startCdn(() => new Response(null, { status: 304, headers: { etag: '"abc"' } }))
    await using server = startServer(cdn)
    const response = await server.get(`/${ADA}.webp`, {
      'if-none-match': '"abc"',
      cookie: 'a=b',
      authorization: 'secret',
    })
    expect(response.status).toBe(304)
    expect(response.headers.get('etag')).toBe('"abc"')
    expect(response.headers.get('cache-control')).toBe('public, max-age=300')
    expect(cdn.asked[0]?.headers.get('user-agent')).toBe(USER_AGENT)
    expect(cdn.asked[0]?.headers.get('if-none-match')).toBe('"abc"')
    for (const name of ['cookie', 'authorization', 'x-forwarded-for'])
      expect(cdn.asked[0]?.headers.get(name)).toBeNull()
  })

  test('asks with HEAD what it is asked with HEAD', async () => {
    await using cdn = startCdn(picture)
    await using server = startServer(cdn)
    const response = parse(await server.raw(head('HEAD', `/${ADA}.png`)))
    expect([response.status, response.headers.get('content-type'), response.body]).toEqual([200, 'image/png', ''])
    expect(cdn.asked[0]?.method).toBe('HEAD')
  })

  test('tells no wrong length, asked with HEAD or behind empty segments', async () => {
    await using cdn = startCdn(picture)
    await using server = startServer(cdn)
    for (const path of [`/${ADA}.png`, `//${ADA}.png/`]) {
      const response = parse(await server.raw(head('HEAD', path)))
      expect([response.status, response.body]).toEqual([200, ''])
      expect([null, '3']).toContain(response.headers.get('content-length'))
    }
  })

  const failures: [string, (request: Request) => Response][] = [
    ['an error', () => new Response('gone', { status: 404 })],
    ['a failure', () => new Response('oops', { status: 500 })],
    ['a redirect', request => (request.url.endsWith('/picture') ? picture() : Response.redirect('/picture'))],
    ['a page', () => new Response('<script>', { headers: { 'content-type': 'text/html' } })],
    [
      'a drawing that could carry scripts',
      () => new Response('<svg/>', { headers: { 'content-type': 'image/svg+xml' } }),
    ],
    ['a part of it', () => new Response('x', { status: 206, headers: { 'content-type': 'image/png' } })],
    [
      'what has to be unpacked',
      () =>
        new Response(Bun.gzipSync(new Uint8Array(8)), {
          headers: { 'content-encoding': 'gzip', 'content-type': 'image/png' },
        }),
    ],
    ['nothing it can read', () => new Response('x', { headers: { 'content-encoding': 'gzip', 'content-type': '' } })],
  ]
  test.each(failures)('is 502 upstream_error when the CDN answers with %s', async (_, answer) => {
    await using cdn = startCdn(answer)
    await using server = startServer(cdn)
    const response = await server.get(`/${ADA}.png`)
    expect(response.status).toBe(502)
    expect(await codeOf(response)).toBe('upstream_error')
  })

  test('is 502 when there is no CDN', async () => {
    await using server = startServer({ config: { discordCdnUrl: 'http://127.0.0.1:1' } })
    expect((await server.get(`/${ADA}.png`)).status).toBe(502)
  })

  test('is 502 when the CDN does not answer in time', async () => {
    const never = Promise.withResolvers<Response>()
    await using cdn = startCdn(() => never.promise)
    const presences = new PresenceStore()
    presences.putMember('1', { user: { id: ADA } })
    const routes = quicklinkRoutes({
      presences,
      pictures: new Pictures({ ...readConfig({}), ...cdn.config }),
      missing: () => new Response(),
      patience: 20,
    })
    expect((await routes.handle(new Request(`http://localhost/${ADA}.png`))).status).toBe(502)
    never.resolve(new Response())
  })

  test('stops asking the CDN when the client has gone', async () => {
    const aborted = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    await using cdn = startCdn(request => {
      request.signal.addEventListener('abort', () => aborted.resolve())
      asked.resolve()
      return new Promise<Response>(() => {})
    })
    await using server = startServer(cdn)
    const client = new AbortController()
    const answer = server.get(`/${ADA}.png`, {}, { signal: client.signal }).catch(() => 'gone')
    await asked.promise
    client.abort()
    expect(await answer).toBe('gone')
    await aborted.promise
  })

  test('passes a picture on while it is still arriving', async () => {
    const rest = Promise.withResolvers<void>()
    await using cdn = startCdn(() => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(new Uint8Array([1]))
          await rest.promise
          controller.enqueue(new Uint8Array([2]))
          controller.close()
        },
      })
      return new Response(body, { headers: { 'content-type': 'image/gif' } })
    })
    await using server = startServer(cdn)
    const reader = (await server.get(`/${ADA}.gif`)).body?.getReader()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([1]))
    rest.resolve()
    expect((await reader?.read())?.value).toEqual(new Uint8Array([2]))
  })

  test.each(['1.png', '0.gif', 'nobody.webp', '@me.jpg', '.jpeg', '%00.png'])(
    'of somebody unknown is 404 user_not_monitored: /%s',
    async file => {
      await using server = startServer()
      const response = parse(await server.raw(head('GET', `/${file}`)))
      expect(response.status).toBe(404)
      expect(JSON.parse(response.body).error.code).toBe('user_not_monitored')
    },
  )

  test.each([
    `${ADA}`,
    `${ADA}.`,
    `${ADA}.bmp`,
    `${ADA}.PNG`,
    `${ADA}.svg`,
    `${ADA}.png.gif`,
    `${ADA}..png`,
    `${ADA}.png%0A`,
    `x/${ADA}.png`,
    `${ADA}.png/x`,
    `x%2F${ADA}.png`,
    'favicon.ico',
  ])('of any other form is 404 not_found: /%s', async file => {
    await using server = startServer()
    const response = parse(await server.raw(head('GET', `/${file}`)))
    expect(response.status).toBe(404)
    expect(JSON.parse(response.body).error.code).toBe('not_found')
  })

  test('of a hidden person is answered as that of an unknown one: 404, and 503 while starting', async () => {
    await using cdn = startCdn(picture)
    await using server = startServer(cdn)
    server.presences.setHidden(ADA, true)
    expect((await server.get(`/${ADA}.png`)).status).toBe(404)
    server.presences.setReadiness('starting')
    expect((await server.get(`/${ADA}.png`)).status).toBe(503)
    expect((await server.get('/1.png')).status).toBe(503)
    expect(cdn.asked).toEqual([])
  })
})
