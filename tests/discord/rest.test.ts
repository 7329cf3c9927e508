import { describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import type { API } from '@discordjs/core/http-only'
import { DiscordRest } from '../../src/discord/rest.ts'
import { createLog } from '../../src/lib/log.ts'
import { USER_AGENT } from '../../src/lib/upstream.ts'
import { type Give, startUpstream, type Upstream } from '../support/upstream.ts'
import { createManualClock } from './clocks.ts'

const ID = '712345678901234567'
const TOKEN = 'a-token-nobody-may-see'
const TIMEOUT = 15_000
const HTML = '<html><body>You are being blocked</body></html>'
const html = (status: number, headers = {}) =>
  new Response(HTML, { status, headers: { 'Content-Type': 'text/html', ...headers } })
const good = () => Response.json({ id: ID })

/** A REST client on that server, and a clock only the test turns. */
function connect(upstream: Pick<Upstream, 'url'>) {
  const manual = createManualClock()
  const waits: number[] = []
  let waiting = Promise.withResolvers<number>()
  const clock: typeof manual = {
    ...manual,
    after(ms, run) {
      if (ms !== TIMEOUT) {
        waits.push(ms)
        waiting.resolve(ms)
      }
      return manual.after(ms, run)
    },
  }
  const logged: string[] = []
  const log = createLog({ level: 'info', format: 'text', write: line => logged.push(line) })
  const rest = new DiscordRest({ botToken: TOKEN, discordApiUrl: `${upstream.url}api` }, log, { clock })
  return {
    rest,
    api: rest.api,
    clock,
    waits,
    logged,
    /** The next time it begins to wait, milliseconds. */
    async nextWait() {
      const ms = await waiting.promise
      waiting = Promise.withResolvers()
      return ms
    },
  }
}

/** What it rejects with. Bun's `expect(…).rejects` would let nothing else happen meanwhile. */
const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => new Error('it did not reject'),
    (error: unknown) => error,
  )

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}

const REQUESTS: readonly [string, (api: API) => Promise<unknown>, Give][] = [
  ['a message', api => api.channels.createMessage(ID, { content: 'hello' }), good],
  ['a DM channel', api => api.users.createDM(ID), good],
  ['an answer to an interaction', api => api.interactions.reply(ID, 'secret.token', {}), good],
  ['commands', api => api.applicationCommands.bulkOverwriteGlobalCommands(ID, []), () => Response.json([])],
]

const limited = (retryAfter: string | undefined, body: object | string) => {
  const headers: Record<string, string> = retryAfter === undefined ? {} : { 'Retry-After': retryAfter }
  return () => (typeof body === 'string' ? html(429, headers) : Response.json(body, { status: 429, headers }))
}

const WITHOUT_LENGTH: readonly [string, () => Response][] = [
  ['nothing more', limited(undefined, {})],
  ['a page', limited(undefined, HTML)],
  ['a date', limited('Wed, 21 Oct 2026 07:28:00 GMT', HTML)],
  ['a negative figure', limited('-5', { message: 'slow down', retry_after: -5 })],
  ['zero', limited('0', { message: 'slow down', retry_after: 0 })],
  ['a word', limited('soon', { message: 'slow down', retry_after: 'soon' })],
  ['an empty body', () => new Response(null, { status: 429 })],
  ['a body that is no object', () => Response.json([1], { status: 429 })],
  [
    'everybody meant',
    () => Response.json({ global: true }, { status: 429, headers: { 'X-RateLimit-Global': 'true' } }),
  ],
]

describe.each(REQUESTS)('a 429 that does not say how long, on %s', (_, ask, answer) => {
  test.each(WITHOUT_LENGTH)(
    'with %s: one request, a pause of 2 to 5 s, then twice as long, said once',
    async (_, give) => {
      await using upstream = startUpstream([give, give, answer])
      const { api, clock, logged, nextWait } = connect(upstream)
      const asking = ask(api)
      const first = await nextWait()
      expect(first).toBeGreaterThanOrEqual(2000)
      expect(first).toBeLessThanOrEqual(5000)
      clock.advance(first - 1)
      await turns()
      expect(upstream.asked).toHaveLength(1)
      clock.advance(1)
      const second = await nextWait()
      expect(second).toBeCloseTo(2 * first)
      expect(upstream.asked).toHaveLength(2)
      clock.advance(second)
      await asking
      expect(upstream.asked).toHaveLength(3)
      expect(logged).toHaveLength(1)
      expect(logged[0]).toContain('without saying how long')
      for (const secret of [TOKEN, ID, 'secret.token']) expect(logged[0]).not.toContain(secret)
    },
  )
})

describe('a pause that Discord asks for', () => {
  test.each([
    ['in the header', limited('20', {}), 20_000],
    ['in the body', limited(undefined, { retry_after: 1.5 }), 1500],
    ['as part of an error page', limited('20', HTML), 20_000],
  ])('%s is kept', async (_, give, length) => {
    await using upstream = startUpstream([give, good])
    const { api, clock, logged, nextWait } = connect(upstream)
    const asking = api.users.createDM(ID)
    expect(await nextWait()).toBe(length)
    expect(upstream.asked).toHaveLength(1)
    clock.advance(length)
    expect(await asking).toEqual({ id: ID } as never)
    expect(logged).toEqual([])
  })

  test('after it one request finds out whether it is over, not everybody who waits', async () => {
    let busy = true
    await using upstream = startUpstream(async () => {
      // Nobody is answered before everybody has asked.
      await upstream.askedTimes(10)
      return busy ? limited(undefined, HTML)() : new Response(null, { status: 204 })
    })
    const { api, clock, waits } = connect(upstream)
    const asking = Array.from({ length: 10 }, (_, nth) => api.interactions.reply(ID, `token${nth}`, {}))
    while (waits.length < 10) await turns()
    clock.advance(Math.max(...waits))
    while (waits.length < 11) await turns()
    await turns()
    expect(upstream.asked).toHaveLength(11)
    busy = false
    clock.advance(Math.max(...waits))
    await Promise.all(asking)
    expect(upstream.asked).toHaveLength(21)
  })

  test('for everything holds other requests, too', async () => {
    const global = () => Response.json({ retry_after: 3, global: true }, { status: 429 })
    await using upstream = startUpstream([global, good])
    const { api, clock, nextWait } = connect(upstream)
    const message = api.channels.createMessage(ID, { content: 'hello' })
    await nextWait()
    const other = api.users.createDM(ID)
    await nextWait()
    await turns()
    expect(upstream.asked).toHaveLength(1)
    clock.advance(3000)
    await Promise.all([message, other])
  })

  test('for one place leaves others alone', async () => {
    await using upstream = startUpstream([limited('3', { retry_after: 3 }), good])
    const { api, nextWait, rest } = connect(upstream)
    const message = api.channels.createMessage(ID, { content: 'hello' })
    await nextWait()
    await api.channels.createMessage('812345678901234567', { content: 'hello' })
    const ended = failureOf(message)
    await rest.stop()
    expect(await ended).toMatchObject({ message: 'stopping' })
  })

  test.each([
    ['429 for 30 days', limited('2592000', {})],
    ['429 for ten minutes', limited('600', {})],
    ['429 for 30 days, for everybody', () => Response.json({ retry_after: 2_592_000, global: true }, { status: 429 })],
    ['503 for 30 days', () => html(503, { 'Retry-After': '2592000' })],
    ['500 for a day in the body', () => Response.json({ retry_after: 86_400 }, { status: 500 })],
    ['503 for longer than there are timers', () => html(503, { 'Retry-After': '9'.repeat(300) })],
  ])('and nobody would wait for is given up, and nothing is asked meanwhile: %s', async (_, give) => {
    await using upstream = startUpstream(give)
    const { api, clock, logged, nextWait } = connect(upstream)
    const asking = api.users.createDM(ID)
    const refused = failureOf(asking)
    if (give().status >= 500) clock.advance(await nextWait())
    expect(await refused).toMatchObject({ name: 'PausedError' })
    expect(await failureOf(api.users.createDM(ID))).toMatchObject({ name: 'PausedError' })
    expect(upstream.asked).toHaveLength(1)
    expect(logged).toHaveLength(1)
    expect(logged[0]).toContain('a very long pause')
    clock.advance(3_600_000)
    void failureOf(api.users.createDM(ID))
    await upstream.askedTimes(2)
  })

  test.each([['2592000'], ['-1'], ['soon'], ['1e400'], ['']])(
    'as a limit that is used up for %j s does not hold the next request up',
    async resetAfter => {
      const limits = {
        'X-RateLimit-Limit': '1',
        'X-RateLimit-Remaining': '0',
        'X-RateLimit-Reset-After': resetAfter,
        'X-RateLimit-Bucket': 'bucket',
      }
      await using upstream = startUpstream(() => Response.json({ id: ID }, { headers: limits }))
      const { api } = connect(upstream)
      for (let times = 0; times < 3; times++) await api.channels.createMessage(ID, { content: 'hello' })
      expect(upstream.asked).toHaveLength(3)
    },
  )
})

const NOT_DISCORD: readonly [string, () => Response][] = [
  ['401 and a page', () => html(401)],
  ['401 and JSON of a proxy', () => Response.json({ error: 'unauthorized' }, { status: 401 })],
  ['403 and a page', () => html(403)],
  ['404 and a page', () => html(404)],
  ['400 and a number', () => Response.json(1, { status: 400 })],
  ['400 and null', () => Response.json(null, { status: 400 })],
  ['200 and a page', () => html(200)],
  ['200 and a page called JSON', () => html(200, { 'Content-Type': 'application/json' })],
  ['200 and {}', () => Response.json({})],
  ['200 and []', () => Response.json([])],
  ['200 and null', () => Response.json(null)],
  ['200 and nothing', () => new Response(null)],
  ['500', () => Response.json({ message: 'Internal Server Error', code: 0 }, { status: 500 })],
  ['503 and a page', () => html(503)],
  ['an answer that breaks off', () => new Response(cutOff())],
]

/** A first byte, and the connection is cut. */
function cutOff(): ReadableStream {
  let begun = false
  return new ReadableStream({
    async pull(controller) {
      if (begun) await new Promise(setImmediate)
      if (begun) controller.error(new Error('cut by the test'))
      else controller.enqueue(new TextEncoder().encode('{'))
      begun = true
    },
  })
}

describe("an answer that is not Discord's own", () => {
  test.each(NOT_DISCORD)('is asked for again: %s', async (_, give) => {
    await using upstream = startUpstream([give, give, good])
    const { api, clock, nextWait } = connect(upstream)
    const asking = api.users.createDM(ID)
    clock.advance(await nextWait())
    clock.advance(await nextWait())
    expect(await asking).toEqual({ id: ID } as never)
    expect(upstream.asked.map(({ headers }) => headers.get('authorization'))).toEqual(Array(3).fill(`Bot ${TOKEN}`))
  })

  test('is given up in the end, in words that say what came, and the token is kept', async () => {
    const page = () => html(401)
    await using upstream = startUpstream([page, page, page, good])
    const { api, clock, nextWait } = connect(upstream)
    const asking = failureOf(api.users.createDM(ID))
    clock.advance(await nextWait())
    clock.advance(await nextWait())
    expect(String(await asking)).toContain("not Discord's own (status 401, text/html)")
    expect(await api.users.createDM(ID)).toEqual({ id: ID } as never)
  })

  test('is none when it is a list where one was asked for', async () => {
    await using upstream = startUpstream([() => Response.json({}), () => Response.json([])])
    const { api, clock, nextWait } = connect(upstream)
    const asking = api.applicationCommands.getGlobalCommands(ID)
    clock.advance(await nextWait())
    expect(await asking).toEqual([])
  })

  test.each([
    ['a redirect', (other: string) => new Response(null, { status: 302, headers: { Location: other } })],
    [
      'a compressed one',
      () =>
        new Response(gzipSync('{"id":"1"}'), {
          headers: { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' },
        }),
    ],
  ])('may be %s, which is neither followed nor unpacked', async (_, give) => {
    await using other = startUpstream(good)
    await using upstream = startUpstream(() => give(other.url))
    const { api } = connect(upstream)
    expect(await failureOf(api.users.createDM(ID))).toMatchObject({ name: 'UpstreamError' })
    expect([upstream.asked.length, other.asked.length]).toEqual([1, 0])
  })
})

describe("Discord's own word", () => {
  test.each([
    [400, { code: 50_035, message: 'Invalid Form Body' }],
    [401, { code: 0, message: '401: Unauthorized' }],
    [403, { code: 50_001, message: 'Missing Access' }],
    [404, { code: 10_062, message: 'Unknown interaction' }],
  ])('%i is believed at once, and the token is kept', async (status, body) => {
    await using upstream = startUpstream([() => Response.json(body, { status }), good])
    const { api } = connect(upstream)
    const error = await failureOf(api.users.createDM(ID))
    expect(error).toMatchObject({ status, code: body.code, message: body.message })
    expect(await api.users.createDM(ID)).toEqual({ id: ID } as never)
    expect(upstream.asked).toHaveLength(2)
  })

  test('may be nothing', async () => {
    await using upstream = startUpstream(() => new Response(null, { status: 204 }))
    await connect(upstream).api.interactions.deferMessageUpdate(ID, 'secret.token')
    expect(upstream.asked).toHaveLength(1)
  })

  test('is asked for under our name, and uncompressed', async () => {
    await using upstream = startUpstream(good)
    await connect(upstream).api.users.createDM(ID)
    const { headers } = upstream.asked[0] ?? {}
    expect(headers?.get('user-agent')).toBe(USER_AGENT)
    expect(headers?.get('accept-encoding')).toBe('identity')
  })
})

describe('stopping', () => {
  test.each([
    ['for a pause', limited('20', {})],
    ['to ask again', () => html(502)],
  ])('gives up at once what waits %s', async (_, give) => {
    await using upstream = startUpstream(give)
    const { api, rest, nextWait } = connect(upstream)
    const asking = failureOf(api.users.createDM(ID))
    await nextWait()
    await rest.stop()
    expect(await asking).toMatchObject({ message: 'stopping' })
  })

  test('gives up what waits for a limit to end, and what waits behind that', async () => {
    const limits = { 'X-RateLimit-Limit': '1', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset-After': '20' }
    await using upstream = startUpstream(() => Response.json({ id: ID }, { headers: limits }))
    const { api, rest, nextWait } = connect(upstream)
    const say = () => api.channels.createMessage(ID, { content: 'hello' })
    await say()
    const asking = Promise.allSettled([say(), say(), say()])
    await nextWait()
    await rest.stop()
    expect((await asking).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(upstream.asked).toHaveLength(1)
  })

  test('lets what is under way finish for a second', async () => {
    const answer = Promise.withResolvers<Response>()
    await using upstream = startUpstream(() => answer.promise)
    const { api, rest } = connect(upstream)
    const asking = api.users.createDM(ID)
    await upstream.askedTimes(1)
    const stopped = rest.stop()
    answer.resolve(good())
    await stopped
    expect(await asking).toEqual({ id: ID } as never)
  })

  test('ends after that second what was begun in it, too', async () => {
    await using upstream = startUpstream(() => new Promise<never>(() => {}))
    const { api, rest, clock } = connect(upstream)
    await rest.stop()
    const asking = failureOf(api.users.createDM(ID))
    await upstream.askedTimes(1)
    clock.advance(1000)
    expect(await asking).toMatchObject({ message: 'stopping' })
    expect(await failureOf(api.users.createDM(ID))).toMatchObject({ message: 'stopping' })
    expect(upstream.asked).toHaveLength(1)
  })

  test('ends after that second what is never answered', async () => {
    await using upstream = startUpstream(() => new Promise<never>(() => {}))
    const { api, rest, clock } = connect(upstream)
    const asking = failureOf(api.users.createDM(ID))
    await upstream.askedTimes(1)
    const stopped = rest.stop()
    clock.advance(1000)
    await stopped
    expect(await asking).toMatchObject({ message: 'stopping' })
  })
})
