import { describe, expect, test } from 'bun:test'
import { createSampling, SAMPLE, SAMPLED_ABOVE } from '../../src/http/admission.ts'
import { createRateLimiter } from '../../src/lib/token-bucket.ts'
import { ADA, codeOf, startServer } from './harness.ts'

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

  test('is there under heavy traffic too, when not every request is looked at', async () => {
    await using server = startServer({ config: { ...PROXIED, rateLimitPerMinute: 600 } })
    const ask = async () => (await server.get('/nope', from('203.0.113.1'))).status
    const statuses = []
    for (let batch = 0; batch < 40; batch++) statuses.push(...(await Promise.all(Array.from({ length: 50 }, ask))))
    expect(statuses.filter(status => status === 429).length).toBeGreaterThan(1000)
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

  test('lets an estimate through while there is room, and never refuses because of one alone', () => {
    const { take, estimate } = limiter(60)
    expect(estimate('a', 50)).toBe(true)
    expect(estimate('a', 50)).toBe(false)
    for (let i = 0; i < 30; i++) expect(take('a')).toBe(0)
    expect(take('a')).toBeGreaterThan(0)
  })

  test('is one for a whole IPv6 /64', () => {
    const { take } = limiter(1)
    expect(take('2001:db8:1:2::1')).toBe(0)
    expect(take('2001:db8:1:2:ffff:ffff:ffff:ffff')).toBeGreaterThan(0)
    expect(take('2001:db8:1:3::1')).toBe(0)
  })
})

describe('sampling', () => {
  function sampling() {
    const clock = { now: 0 }
    const { weigh, alarm } = createSampling(() => clock.now)
    const weights = (requests: number) => Array.from({ length: requests }, weigh)
    return { clock, alarm, weights }
  }
  const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)

  test('looks at every request while there are few', () => {
    const { clock, weights } = sampling()
    for (let second = 0; second < 5; second++) {
      expect(weights(SAMPLED_ABOVE)).toEqual(Array(SAMPLED_ABOVE).fill(1))
      clock.now += 1000
    }
  })

  test('lets one in a few stand for all of them when there are many', () => {
    const { weights } = sampling()
    weights(SAMPLED_ABOVE)
    const many = weights(1000 * SAMPLE)
    expect(sum(many)).toBe(1000 * SAMPLE)
    expect(many.filter(weight => weight > 0)).toHaveLength(1000)
  })

  test('looks at every request again in the next second', () => {
    const { clock, weights } = sampling()
    weights(SAMPLED_ABOVE + 1)
    clock.now += 1000
    expect(weights(SAMPLE).slice(-1)).toEqual([1])
    expect(weights(SAMPLED_ABOVE - 2)).not.toContain(0)
  })

  test('looks at every request from an alarm until it has been quiet', () => {
    const { clock, alarm, weights } = sampling()
    weights(SAMPLED_ABOVE + 1)
    alarm()
    expect(weights(50_000)).not.toContain(0)
    clock.now += 11_000
    weights(SAMPLED_ABOVE + 1)
    expect(weights(SAMPLE)).toContain(0)
  })
})
