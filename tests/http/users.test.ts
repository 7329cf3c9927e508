import { describe, expect, test } from 'bun:test'
import { ADA, codeOf, dataOf, head, KEY, parse, startServer } from './harness.ts'

const NOT_MONITORED = {
  success: false,
  error: { code: 'user_not_monitored', message: 'User is not being monitored by Exoix' },
}
const NO_PERMISSION = {
  success: false,
  error: { code: 'no_permission', message: 'You do not have permission to access this resource' },
}

describe('a presence over REST', () => {
  test('is the snapshot inside the success envelope', async () => {
    await using server = startServer()
    const response = await server.get(`/v1/users/${ADA}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.text()).toBe(`{"success":true,"data":${server.presences.snapshot(ADA)?.json}}`)
  })

  test('shows every change at once', async () => {
    await using server = startServer()
    const status = async () => (await dataOf(await server.get(`/v1/users/${ADA}`))).discord_status
    expect(await status()).toBe('online')
    server.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
    expect(await status()).toBe('dnd')
  })

  test.each([
    '1',
    '0',
    ADA.slice(1),
    `0${ADA}`,
    'ada',
    '%00',
    '%zz',
    '%E0%A4%A',
    '__proto__',
    'a'.repeat(9000),
    '%F0%9F%90%88',
  ])('of an id nobody knows is 404 user_not_monitored, of whatever form: %p', async id => {
    await using server = startServer()
    const response = parse(await server.raw(head('GET', `/v1/users/${id}`)))
    expect(response.status).toBe(404)
    expect(JSON.parse(response.body)).toEqual(NOT_MONITORED)
  })

  test('of somebody who left or is hidden is 404', async () => {
    await using server = startServer()
    server.presences.setHidden(ADA, true)
    expect((await server.get(`/v1/users/${ADA}`)).status).toBe(404)
    server.presences.setHidden(ADA, false)
    expect((await server.get(`/v1/users/${ADA}`)).status).toBe(200)
    server.presences.removeGuild('1')
    expect((await server.get(`/v1/users/${ADA}`)).status).toBe(404)
  })

  test('of an unknown id is 503 with Retry-After while the first members are still arriving', async () => {
    await using server = startServer({ readiness: 'starting' })
    const response = await server.get('/v1/users/1')
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await codeOf(response)).toBe('starting')
    expect((await server.get(`/v1/users/${ADA}`)).status).toBe(200)
    server.presences.setReadiness('reconnecting')
    expect((await server.get('/v1/users/1')).status).toBe(404)
  })

  test.each(['starting', 'ready', 'reconnecting'] as const)(
    'of a hidden person is to the byte what an unknown one has, while %s, on every route',
    async readiness => {
      await using server = startServer({ readiness })
      server.presences.setHidden(ADA, true)
      const unknown = ADA.replace(/.$/, '0')
      const told = async (path: string) => {
        const answer = await server.get(path)
        const headers = [...answer.headers].filter(([name]) => name !== 'date')
        return [answer.status, headers, (await answer.text()).replaceAll(ADA, '').replaceAll(unknown, '')]
      }
      const routes = ['', '/kv', '/kv/a', '/events', '/card.svg'].map(rest => `/v1/users/:${rest}`)
      for (const path of [...routes, '/user/:', '/:.png']) {
        expect(await told(path.replace(':', ADA))).toEqual(await told(path.replace(':', unknown)))
      }
    },
  )
})

describe('one’s own presence', () => {
  test.each([KEY, `Bearer ${KEY}`, `bearer  ${KEY}`])('is found by the key %p', async authorization => {
    await using server = startServer()
    for (const path of ['/v1/users/@me', '/v1/users/%40me']) {
      const response = await server.get(path, { authorization })
      expect((await dataOf(response)).discord_user.id).toBe(ADA)
      expect(response.headers.get('cache-control')).toBe('private, no-cache')
    }
  })

  test.each([undefined, '', ' ', 'Bearer', 'Bearer ', 'exoix_other', `${KEY}x`, `Basic ${KEY}`, 'undefined', 'null'])(
    'is 401 no_permission with the key %p',
    async authorization => {
      await using server = startServer()
      const response = await server.get('/v1/users/@me', authorization === undefined ? {} : { authorization })
      expect(response.status).toBe(401)
      expect(await response.json()).toEqual(NO_PERMISSION)
    },
  )

  test('is 404 when the owner of the key is not monitored', async () => {
    await using server = startServer()
    server.presences.removeGuild('1')
    const response = await server.get('/v1/users/@me', { authorization: KEY })
    expect(await response.json()).toEqual(NOT_MONITORED)
  })
})

describe('revalidation', () => {
  test('answers 304 without a body to a client that has the present version, in any form of If-None-Match', async () => {
    await using server = startServer()
    const etag = (await server.get(`/v1/users/${ADA}`)).headers.get('etag') ?? ''
    expect(etag).toMatch(/^W\/".+"$/)
    for (const known of [etag, etag.slice(2), `"other", ${etag}`, `W/"x",${etag.slice(2)}`, '*']) {
      const response = await server.get(`/v1/users/${ADA}`, { 'if-none-match': known })
      expect(response.status).toBe(304)
      expect(response.headers.get('etag')).toBe(etag)
      expect(response.headers.get('cache-control')).toBe('public, no-cache')
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await response.text()).toBe('')
    }
  })

  test('looks for the version in a list of ordinary length only: a longer one costs more than the answer', async () => {
    await using server = startServer()
    const etag = (await server.get(`/v1/users/${ADA}`)).headers.get('etag') ?? ''
    const ask = async (length: number) =>
      (await server.get(`/v1/users/${ADA}`, { 'if-none-match': `${etag}, ${','.repeat(length)}"x"` })).status
    expect([await ask(900), await ask(1100)]).toEqual([304, 200])
  })

  test('answers in full to a client that has another version', async () => {
    await using server = startServer()
    const etag = (await server.get(`/v1/users/${ADA}`)).headers.get('etag') ?? ''
    for (const known of ['"other"', etag.slice(2, -1), etag.replaceAll('"', ''), '', 'W/""']) {
      expect((await server.get(`/v1/users/${ADA}`, { 'if-none-match': known })).status).toBe(200)
    }
    server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
    expect((await server.get(`/v1/users/${ADA}`, { 'if-none-match': etag })).status).toBe(200)
  })

  test('knows a presence again that changed and changed back', async () => {
    await using server = startServer()
    const etag = async () => (await server.get(`/v1/users/${ADA}`)).headers.get('etag')
    const before = await etag()
    server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
    expect(await etag()).not.toBe(before)
    server.presences.patchPresence({ user: { id: ADA }, status: 'online' })
    expect(await etag()).toBe(before)
  })
})

describe('compression', () => {
  const busy = (length: number) => ({ user: { id: ADA }, status: 'online', activities: [{ name: 'ü'.repeat(length) }] })

  for (const length of [2000, 100_000]) {
    test.each([
      ['zstd', 'gzip, deflate, br, zstd'],
      ['gzip', 'gzip, deflate, br'],
      ['gzip', 'zstd;q=0, *'],
      [null, 'identity'],
      [null, 'zstd;q=0, gzip;q=0'],
      [null, 'br'],
    ])(`sends ${length} characters as %p to a client that accepts %p`, async (encoding, accepted) => {
      await using server = startServer()
      server.presences.patchPresence(busy(length))
      for (const _ of ['made', 'ready made']) {
        const response = await server.get(`/v1/users/${ADA}`, { 'accept-encoding': accepted })
        expect(response.headers.get('content-encoding')).toBe(encoding)
        expect(response.headers.get('vary')).toBe('Accept-Encoding')
        expect((await dataOf(response)).activities[0]?.name).toBe('ü'.repeat(length))
      }
    })
  }

  test('leaves a small body as it is, and says that it would depend on the client', async () => {
    await using server = startServer()
    const response = await server.get(`/v1/users/${ADA}`, { 'accept-encoding': 'zstd, gzip' })
    expect(response.headers.get('content-encoding')).toBeNull()
    expect(response.headers.get('vary')).toBe('Accept-Encoding')
  })

  test('keeps the ETag, so that a client may change its mind', async () => {
    await using server = startServer()
    server.presences.patchPresence(busy(2000))
    const zstd = await server.get(`/v1/users/${ADA}`, { 'accept-encoding': 'zstd' })
    const plain = await server.get(`/v1/users/${ADA}`, { 'accept-encoding': 'identity' })
    expect(zstd.headers.get('etag')).toBe(plain.headers.get('etag'))
  })
})
