import { describe, expect, test } from 'bun:test'
import { version } from '../../package.json'
import { prefersHtml } from '../../src/http/compression.ts'
import { ADA, codeOf, dataOf, head, parse, startServer } from './harness.ts'

describe('the front page', () => {
  test('tells programs what this is, how many are monitored and where the Discord server is', async () => {
    await using server = startServer({ config: { discordInvite: 'https://discord.gg/exoix' } })
    const response = await server.get('/')
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('vary')).toBe('Accept')
    expect(await response.json()).toEqual({
      success: true,
      data: {
        info: expect.any(String),
        monitored_user_count: 1,
        discord_invite: 'https://discord.gg/exoix',
        version,
      },
    })
  })

  test('counts whom it shows, and has no invite unless one is configured', async () => {
    await using server = startServer()
    server.presences.putMember('1', { user: { id: '2' } })
    const data = async () => await dataOf(await server.get('/'))
    expect(await data()).toMatchObject({ monitored_user_count: 2, discord_invite: null })
    server.presences.setHidden('2', true)
    expect(await data()).toMatchObject({ monitored_user_count: 1 })
  })

  test('is a page for browsers that may load pictures, and nothing else, from elsewhere', async () => {
    await using server = startServer()
    const response = await server.get('/', {
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    })
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(response.headers.get('vary')).toContain('Accept')
    expect(response.headers.get('vary')?.split(', ')).toEqual(['Accept-Encoding', 'Accept'])
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toContain('unsafe')
    const html = await response.text()
    expect(html).toStartWith('<!doctype html>')
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//)
  })

  test.each([
    [null, false],
    ['', false],
    ['*/*', false],
    ['application/json', false],
    ['application/json, text/html', false],
    ['text/html;q=0.5, application/json', false],
    ['text/html;q=0', false],
    ['text/html;q=x', false],
    ['text/html', true],
    ['text/*', true],
    ['TEXT/HTML', true],
    ['application/json;q=0.1, text/html;q=0.2', true],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ])('takes Accept %p for a wish for HTML: %p', (accept, wanted) => {
    expect(prefersHtml(accept)).toBe(wanted)
  })
})

describe('health', () => {
  test('is 200 with the number of people when everything works', async () => {
    await using server = startServer()
    const response = await server.get('/health')
    expect(response.status).toBe(200)
    expect(await dataOf(response)).toMatchObject({ status: 'ready', monitored_user_count: 1, version })
  })

  test.each(['starting', 'reconnecting'] as const)('is 503 with the code %s otherwise', async readiness => {
    await using server = startServer({ readiness })
    const response = await server.get('/health')
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await response.json()).toEqual({ success: false, error: { code: readiness, message: expect.any(String) } })
  })
})

describe('the health of serving', () => {
  test.each([
    ['starting', 503],
    ['ready', 200],
    ['reconnecting', 200],
  ] as const)('is, while %s, %d: reads go on without Discord', async (readiness, status) => {
    await using server = startServer({ readiness })
    const response = await server.get('/health/serving')
    expect([response.status, response.headers.get('cache-control')]).toEqual([status, 'no-store'])
    if (status === 200) expect(await dataOf(response)).toMatchObject({ status: 'serving', version })
    else expect(await codeOf(response)).toBe('starting')
  })
})

describe('metrics', () => {
  /** The samples by name; every line must be one or a comment. */
  async function read(server: ReturnType<typeof startServer>): Promise<Map<string, number>> {
    const text = await (await server.get('/metrics')).text()
    const lines = text.trimEnd().split('\n')
    const samples = lines.filter(line => !line.startsWith('#')).map(line => /^(exoix_\w+)(?:\{.*\})? (\S+)$/.exec(line))
    return new Map(samples.map(match => [match?.[1] ?? 'unreadable', Number(match?.[2])]))
  }

  test('are Prometheus text', async () => {
    await using server = startServer()
    const response = await server.get('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const samples = await read(server)
    expect(samples.has('unreadable')).toBe(false)
    expect(samples.get('exoix_monitored_users')).toBe(1)
    const asked = parse(await server.raw(head('HEAD', '/metrics')))
    expect([asked.status, asked.body, asked.headers.get('content-type')?.trim()]).toEqual([
      200,
      '',
      'text/plain; version=0.0.4; charset=utf-8',
    ])
    expect(Number(asked.headers.get('content-length'))).toBeGreaterThan(100)
  })

  test.each([
    '/metrics/',
    '//metrics',
    '/metrics//',
    '/./metrics',
    '/x/../metrics',
    '/metrics/.',
    '/%6detrics',
    '/metrics%2f',
  ])('are not at %s, which a proxy that shuts /metrics would let through', async path => {
    await using server = startServer()
    for (const method of ['GET', 'HEAD']) expect(parse(await server.raw(head(method, path))).status).toBe(404)
  })

  test('are for everybody, this machine alone or nobody, as METRICS says', async () => {
    const trustedProxies = ['127.0.0.1']
    const ask = async (
      metrics: 'on' | 'loopback' | 'off',
      headers: Record<string, string>,
      trusted = trustedProxies,
    ) => {
      await using server = startServer({ config: { metrics, trustedProxies: trusted } })
      const response = await server.get('/metrics', headers)
      if (response.status !== 200) expect(await codeOf(response)).toBe('not_found')
      return response.status
    }
    const forwarded = { 'x-forwarded-for': '203.0.113.1' }
    expect([await ask('on', {}), await ask('on', forwarded)]).toEqual([200, 200])
    expect([await ask('loopback', {}), await ask('loopback', {}, [])]).toEqual([200, 200])
    expect(await ask('loopback', forwarded)).toBe(404)
    expect(await ask('loopback', { 'x-forwarded-for': '127.0.0.1' })).toBe(404)
    expect(await ask('loopback', forwarded, [])).toBe(404)
    expect([await ask('off', {}), await ask('off', forwarded)]).toEqual([404, 404])
  })

  test('count answers by class', async () => {
    await using server = startServer({ config: { discordInvite: 'https://discord.gg/exoix' } })
    const before = await read(server)
    for (const path of [`/v1/users/${ADA}`, '/discord', '/v1/users/1', '/nope', '/nope/', '/health'])
      await server.get(path)
    server.presences.setReadiness('starting')
    await server.get('/health')
    const after = await read(server)
    const grown = [2, 3, 4, 5]
      .map(digit => `exoix_${digit}xx_responses`)
      .map(name => Number(after.get(name)) - Number(before.get(name)))
    // The reading before counts itself once it is sent.
    expect(grown).toEqual([3, 1, 3, 1])
  })

  test('tell what the process costs', async () => {
    await using server = startServer()
    const samples = await read(server)
    for (const name of ['resident_memory_bytes', 'heap_bytes', 'cpu_seconds_total', 'uptime_seconds']) {
      expect(samples.get(`exoix_process_${name}`)).toBeGreaterThan(0)
    }
    for (const name of ['event_loop_lag_seconds', 'event_loop_lag_max_seconds']) {
      expect(samples.get(`exoix_${name}`)).toBeGreaterThanOrEqual(0)
    }
  })
})

describe('the way to the Discord server', () => {
  test('is a redirect to the configured invite', async () => {
    await using server = startServer({ config: { discordInvite: 'https://discord.gg/exoix' } })
    const response = await server.get('/discord')
    expect([response.status, response.headers.get('location')]).toEqual([302, 'https://discord.gg/exoix'])
  })

  test('is 404 not_found when none is configured', async () => {
    await using server = startServer()
    const response = await server.get('/discord')
    expect([response.status, await codeOf(response)]).toEqual([404, 'not_found'])
  })
})
