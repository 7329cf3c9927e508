import { beforeAll, describe, expect, test } from 'bun:test'
import { ADA, head, parse, startServer } from './harness.ts'

const NOBODY = '999999999999999999'
/** Of these reading takes no end, or is told as a stream. */
const ENDLESS = /\/events$/
/** Their numbers change between two questions. */
const RESTLESS = /^\/(metrics|health)$/

let paths: string[] = []
beforeAll(async () => {
  await using server = startServer()
  const document = (await (await server.get('/swagger/json')).json()) as { paths: Record<string, { get?: object }> }
  paths = Object.entries(document.paths).flatMap(([path, { get }]) => (get === undefined ? [] : [path]))
})

/** A path that can be asked for. */
const fill = (path: string, id: string) =>
  path.replace('{id}', id).replace('{key}', 'a').replace('{extension}', 'png') +
  (path === '/v1/users' ? `?ids=${id}` : '')

describe('every route that can be read', () => {
  test('answers HEAD as it answers GET, and any origin, preflights too', async () => {
    await using server = startServer({ config: { discordCdnUrl: 'http://127.0.0.1:9' } })
    expect(paths.length).toBeGreaterThan(20)
    for (const path of paths.filter(path => !ENDLESS.test(path)).map(path => fill(path, ADA))) {
      const [got, asked] = await Promise.all([
        server.raw(head('GET', path)).then(parse),
        server.raw(head('HEAD', path)).then(parse),
      ])
      expect([path, asked.status, asked.body]).toEqual([path, got.status, ''])
      for (const name of ['content-type', 'etag', 'cache-control', 'content-length']) {
        if (/etag|length/.test(name) && RESTLESS.test(path)) continue
        expect([path, name, asked.headers.get(name)]).toEqual([path, name, got.headers.get(name)])
      }
      for (const { headers } of [got, asked]) {
        expect([path, headers.get('access-control-allow-origin')?.trim()]).toEqual([path, '*'])
        expect([path, headers.get('x-content-type-options')?.trim()]).toEqual([path, 'nosniff'])
      }
      const preflight = parse(await server.raw(head('OPTIONS', path, 'Access-Control-Request-Method: GET')))
      expect([path, preflight.status]).toEqual([path, 204])
    }
  })

  test.each(['starting', 'ready', 'reconnecting'] as const)(
    'tells a hidden person from an unknown one nowhere, while %s',
    async readiness => {
      await using server = startServer({ readiness })
      server.presences.setKv(ADA, new Map([['a', '1']]))
      server.presences.setHidden(ADA, true)
      const about = paths.filter(path => /\{id\}/.test(path) || path === '/v1/users')
      expect(about.length).toBeGreaterThan(8)
      for (const path of about) {
        const [hidden, unknown] = await Promise.all(
          [ADA, NOBODY].map(async id => {
            const response = await server.get(fill(path, id))
            const { date, ...headers } = Object.fromEntries(response.headers)
            return { status: response.status, headers, text: await response.text() }
          }),
        )
        expect([path, hidden]).toEqual([path, unknown])
      }
    },
  )
})
