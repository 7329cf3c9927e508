import { describe, expect, test } from 'bun:test'
import { createRateLimiter } from '../../src/lib/token-bucket.ts'
import { ADA, codeOf, KEY, startServer } from './harness.ts'

const PROXIED = { rateLimitPerMinute: 3, trustedProxies: ['127.0.0.1'] }
const from = (address: string) => ({ 'x-forwarded-for': address })

describe('the rate limit', () => {
  test('refuses who asks too often with 429 rate_limited and Retry-After, on every route', async () => {
    await using server = startServer({ config: PROXIED })
    for (const path of ['/', `/v1/users/${ADA}`, '/nope']) await server.get(path, from('203.0.113.1'))
    for (const path of ['/', `/v1/users/${ADA}`, '/nope', `//v1/users/${ADA}/`, '/socket', '/metrics', `/${ADA}.png`]) {
      const response = await server.get(path, from('203.0.113.1'))
      expect(response.status).toBe(429)
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(response.headers.get('access-control-allow-origin')).toBe('*')
      expect(await codeOf(response)).toBe('rate_limited')
    }
  })

  test('leaves everybody else alone', async () => {
    await using server = startServer({ config: PROXIED })
    for (let i = 0; i < 5; i++) await server.get('/', from('203.0.113.1'))
    expect((await server.get('/', from('203.0.113.2'))).status).toBe(200)
  })

  test('cannot be dodged with a forged header', async () => {
    await using server = startServer({ config: PROXIED })
    const statuses = []
    for (let i = 0; i < 5; i++) statuses.push((await server.get('/', from(`198.51.100.${i}, 203.0.113.1`))).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429])
  })

  test('counts a request with empty path segments once', async () => {
    await using server = startServer({ config: PROXIED })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await server.get('//health//', from('203.0.113.1'))).status)
    expect(statuses).toEqual([200, 200, 200, 429])
  })

  test('does not apply to the machine itself, and not at all when it is off', async () => {
    await using limited = startServer({ config: { rateLimitPerMinute: 1 } })
    await using open = startServer({ config: { ...PROXIED, rateLimitPerMinute: 0 } })
    for (let i = 0; i < 5; i++) {
      expect((await limited.get('/')).status).toBe(200)
      expect((await open.get('/', from('203.0.113.1'))).status).toBe(200)
    }
  })

  test('lets preflights through, or a page could not see that it asks too often', async () => {
    await using server = startServer({ config: PROXIED })
    const preflight = () => server.get('/v1/users/@me/kv/a', from('203.0.113.1'), { method: 'OPTIONS' })
    for (let i = 0; i < 5; i++) expect((await preflight()).status).toBe(204)
    for (let i = 0; i < 3; i++) expect((await server.get('/', from('203.0.113.1'))).status).toBe(200)
    expect((await server.get('/', from('203.0.113.1'))).status).toBe(429)
    expect((await preflight()).status).toBe(204)
  })

  test('counts refusals among the 4xx responses', async () => {
    await using server = startServer({ config: PROXIED })
    for (let i = 0; i < 5; i++) await server.get('/', from('203.0.113.1'))
    expect(server.metrics.render()).toContain('exoix_4xx_responses 2\n')
  })

  test('counts every request, however many come at once', async () => {
    await using server = startServer({ config: { ...PROXIED, rateLimitPerMinute: 600 } })
    const ask = async () => (await server.get('/nope', from('203.0.113.1'))).status
    const statuses = []
    for (let batch = 0; batch < 40; batch++) statuses.push(...(await Promise.all(Array.from({ length: 50 }, ask))))
    // 600 at once, and ten more for each second this took.
    const granted = statuses.filter(status => status === 404).length
    expect(granted).toBeGreaterThanOrEqual(600)
    expect(granted).toBeLessThan(1000)
  })

  test.each(['127.0.0.1', '::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1', 'unknown', '', 'localhost'])(
    'is not escaped by saying to be %p through a proxy',
    async claimed => {
      await using server = startServer({ config: PROXIED })
      const statuses = []
      for (let i = 0; i < 5; i++) statuses.push((await server.get('/', from(claimed))).status)
      expect(statuses).toEqual([200, 200, 200, 429, 429])
      expect((await server.get('/')).status).toBe(200)
    },
  )
})

describe('a write', () => {
  test('counts as what of the presence is sent again to those who follow it', async () => {
    await using server = startServer({ config: { ...PROXIED, rateLimitPerMinute: 12 } })
    const write = async (method: string, key: string) => {
      const init = { method, ...(method === 'PUT' && { body: 'x' }) }
      return (await server.get(`/v1/users/@me/kv/${key}`, { ...from('203.0.113.1'), authorization: KEY }, init)).status
    }
    const long = new Map(Array.from({ length: 120 }, (_, at) => [`k${at}`, 'x'.repeat(30_000)] as const))
    expect(await write('PUT', 'a')).toBe(204)
    server.presences.setKv(ADA, long)
    // Of eleven requests each takes one, and three more for three million characters.
    expect([await write('PUT', 'a'), await write('DELETE', 'k0'), await write('PUT', 'a')]).toEqual([204, 204, 429])
    server.presences.setKv(ADA, new Map())
    expect(await write('PUT', 'a')).toBe(204)
  })
})

describe('a bucket', () => {
  function limiter(perMinute: number, maxAddresses?: number) {
    const clock = { now: 0 }
    return { clock, ...createRateLimiter({ perMinute, now: () => clock.now, ...(maxAddresses && { maxAddresses }) }) }
  }

  test('gives a minute’s worth at once, and then one as often as it is refilled', () => {
    const { take, clock } = limiter(60)
    for (let i = 0; i < 60; i++) expect(take('a')).toBe(0)
    expect(take('a')).toBe(1)
    clock.now += 999
    expect(take('a')).toBe(1)
    clock.now += 1
    expect(take('a')).toBe(0)
    expect(take('a')).toBe(1)
  })

  test('says how long to wait', () => {
    const { take, clock } = limiter(2)
    take('a')
    take('a')
    expect(take('a')).toBe(30)
    clock.now += 15_000
    expect(take('a')).toBe(15)
    clock.now += 15_000
    expect(take('a')).toBe(0)
  })

  test('is not lost when a minute begins, and never holds more than a minute’s worth', () => {
    const { take, clock } = limiter(2)
    clock.now += 59_000
    expect([take('a'), take('a')]).toEqual([0, 0])
    clock.now += 2000
    expect(take('a')).toBeGreaterThan(0)
    clock.now += 3_600_000
    expect([take('a'), take('a')]).toEqual([0, 0])
    expect(take('a')).toBeGreaterThan(0)
  })

  test('is kept for a bounded number of addresses', () => {
    const { take } = limiter(1, 10)
    take('first')
    expect(take('first')).toBeGreaterThan(0)
    for (let i = 0; i < 30; i++) take(`other ${i}`)
    expect(take('first')).toBe(0)
  })

  test('is one for a whole IPv6 /64', () => {
    const { take } = limiter(1)
    expect(take('2001:db8:1:2::1')).toBe(0)
    expect(take('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBeGreaterThan(0)
    expect(take('2001:db8:1:3::1')).toBe(0)
  })
})
