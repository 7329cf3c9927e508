import { describe, expect, test } from 'bun:test'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { DAY, MINUTE } from '../../src/lib/clock.ts'
import {
  askUpstream,
  Backoff,
  openUpstream,
  type Question,
  readRetryAfter,
  USER_AGENT,
} from '../../src/lib/upstream.ts'
import { createManualClock } from '../discord/clocks.ts'

const MIB = 1024 * 1024

/** A server that is not ours. */
function startUpstream(answer: (request: Request) => Response | Promise<Response>) {
  const asked = Promise.withResolvers<Headers>()
  let questions = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      questions++
      asked.resolve(new Headers(request.headers))
      return answer(request)
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    /** The first question's headers. */
    asked: asked.promise,
    get questions() {
      return questions
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}

const question = (more: Partial<Question> = {}): Question => ({ timeoutMs: MINUTE, maxBytes: MIB, ...more })
const never = () => new Promise<never>(() => {})

/** Both ways to ask, as one: the whole answer as text. */
const WAYS = [
  ['whole', async (url: string, asking: Question) => (await askUpstream(url, asking)).bytes.toString()],
  ['as it comes in', async (url: string, asking: Question) => await (await openUpstream(url, asking)).text()],
] as const

describe.each(WAYS)('an answer that is read %s', (_, read) => {
  test('is what the server said', async () => {
    await using upstream = startUpstream(() => new Response('hello'))
    expect(await read(upstream.url, question())).toBe('hello')
  })

  test('is asked for under our name and uncompressed, whatever the caller wants', async () => {
    await using upstream = startUpstream(() => new Response('hello'))
    await read(upstream.url, question({ headers: { 'Accept-Encoding': 'zstd', Authorization: 'Bot x' } }))
    const headers = await upstream.asked
    expect(headers.get('user-agent')).toBe(USER_AGENT)
    expect(headers.get('user-agent')).toMatch(/^DiscordBot \(https:\/\/\S+, \d+\.\d+\.\d+\)/)
    expect(headers.get('accept-encoding')).toBe('identity')
    expect(headers.get('authorization')).toBe('Bot x')
  })

  test.each([301, 302, 303, 307, 308, 300, 399])(
    'is a failure with status %i, and nobody else is asked',
    async status => {
      await using other = startUpstream(() => new Response('inside'))
      await using upstream = startUpstream(() => new Response(null, { status, headers: { Location: other.url } }))
      await expect(read(upstream.url, question())).rejects.toMatchObject({ reason: 'redirect' })
      await read(other.url, question())
      expect(other.questions).toBe(1)
    },
  )

  test('may be 304', async () => {
    await using upstream = startUpstream(() => new Response(null, { status: 304 }))
    expect(await read(upstream.url, question())).toBe('')
  })

  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
    ['gzip, zstd', (bytes: Buffer) => zstdCompressSync(gzipSync(bytes))],
    ['x-unheard-of', (bytes: Buffer) => bytes.subarray(0, 10)],
  ])('is never unpacked: %s', async (encoding, compress) => {
    const bomb = compress(Buffer.alloc(16 * MIB))
    await using upstream = startUpstream(() => new Response(bomb, { headers: { 'Content-Encoding': encoding } }))
    await expect(read(upstream.url, question({ maxBytes: 64 * MIB }))).rejects.toMatchObject({ reason: 'compressed' })
  })

  test('may say that it is not compressed', async () => {
    await using upstream = startUpstream(() => new Response('hi', { headers: { 'Content-Encoding': 'identity' } }))
    expect(await read(upstream.url, question())).toBe('hi')
  })

  test.each([
    ['says so', () => new Response(Buffer.alloc(MIB + 1))],
    ['does not say so', () => new Response(endless())],
  ])('is given up when it is too large and %s', async (_, answer) => {
    await using upstream = startUpstream(answer)
    await expect(read(upstream.url, question())).rejects.toMatchObject({ reason: 'too large' })
  })

  test('may be as large as that', async () => {
    await using upstream = startUpstream(() => new Response(Buffer.alloc(MIB, 'a')))
    expect(await read(upstream.url, question())).toHaveLength(MIB)
  })

  test.each([
    ['never begins', never],
    ['never ends', () => new Response(stalling())],
  ])('is given up in time when it %s', async (_, answer) => {
    const clock = createManualClock()
    await using upstream = startUpstream(answer)
    const reading = read(upstream.url, question({ clock }))
    let over = false
    reading.catch(() => {
      over = true
    })
    await upstream.asked
    while (!over) {
      clock.advance(MINUTE)
      await new Promise(setImmediate)
    }
    await expect(reading).rejects.toMatchObject({ reason: 'timeout' })
    expect(clock.pending()).toBe(0)
  })

  test('ends with the reason of whoever gives up, before and while asking', async () => {
    const stop = new AbortController()
    await using upstream = startUpstream(never)
    const reading = read(upstream.url, question({ signal: stop.signal }))
    reading.catch(() => {})
    await upstream.asked
    stop.abort(new Error('stopping'))
    await expect(reading).rejects.toThrow('stopping')
    await expect(read(upstream.url, question({ signal: stop.signal }))).rejects.toThrow('stopping')
    expect(upstream.questions).toBe(1)
  })

  test('is none where nobody listens, and that quotes nothing of the question', async () => {
    const secret = 'http://127.0.0.1:9/secret-in-the-address'
    const error = await read(secret, question({ headers: { Authorization: 'secret' } })).catch(error => error)
    expect(error).toMatchObject({ name: 'UpstreamError', reason: 'unreachable' })
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause}`).not.toContain('secret')
  })

  test('leaves no timer behind', async () => {
    const clock = createManualClock()
    await using upstream = startUpstream(() => new Response('hello'))
    await read(upstream.url, question({ clock }))
    expect(clock.pending()).toBe(0)
  })
})

describe('an answer that is passed on', () => {
  test('is not read faster than somebody wants it', async () => {
    let sent = 0
    const count = (bytes: number) => {
      sent += bytes
    }
    await using upstream = startUpstream(() => new Response(endless(count)))
    const { body } = await openUpstream(upstream.url, question({ maxBytes: 1024 * MIB }))
    const reader = body?.getReader()
    await reader?.read()
    // Time enough to send 256 MiB; what the sockets of both sides hold is far less.
    for (let turn = 0; turn < 4096; turn++) await new Promise(setImmediate)
    expect(sent).toBeLessThan(64 * MIB)
    await reader?.cancel()
  })

  test('is not called slow because its reader is', async () => {
    const clock = createManualClock()
    await using upstream = startUpstream(() => new Response('hello'))
    const response = await openUpstream(upstream.url, question({ clock }))
    clock.advance(DAY)
    expect(await response.text()).toBe('hello')
  })
})

describe('how long an answer asks to wait', () => {
  const headers = (retryAfter?: string) => new Headers(retryAfter === undefined ? {} : { 'Retry-After': retryAfter })

  test.each([
    ['20', {}, 20_000],
    [' 0.35 ', undefined, 350],
    ['2592000', {}, 30 * DAY],
    ['3', { retry_after: 64.5 }, 3000],
    [undefined, { retry_after: 64.57, global: false }, 64_570],
    ['0', { retry_after: 1.5 }, 1500],
    ['soon', { retry_after: 1.5 }, 1500],
  ])('is read from the header or the body: %j, %j', (header, body, expected) => {
    expect(readRetryAfter(headers(header), body)).toBe(expected)
  })

  test.each([
    [undefined],
    ['0'],
    ['0.0'],
    ['-5'],
    ['+5'],
    ['Wed, 21 Oct 2026 07:28:00 GMT'],
    ['NaN'],
    ['Infinity'],
    ['1e5'],
    ['0x10'],
    ['5, 5'],
    ['5 seconds'],
    ['٣'],
  ])('is unknown when the header is %j', header => {
    expect(readRetryAfter(headers(header === '٣' ? encodeURIComponent(header) : header))).toBeUndefined()
  })

  test.each([[null], ['5'], [[5]], [{}], [{ retry_after: '5' }], [{ retry_after: null }], [{ retry_after: 0 }]])(
    'is unknown when the body is %j',
    body => expect(readRetryAfter(headers(), body)).toBeUndefined(),
  )

  test.each([[{ retry_after: Number.NaN }], [{ retry_after: -1 }], [{ retry_after: [1] }]])(
    'is unknown when the body is odd',
    body => expect(readRetryAfter(headers(), body)).toBeUndefined(),
  )

  test('is a positive number of milliseconds and at most a year, or unknown, whatever is sent', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'0123456789.-+eE ,xn') }),
      fc.double().map(String),
      fc.integer().map(String),
      fc.bigInt().map(String),
      fc.constant('9'.repeat(500)),
      fc.date({ noInvalidDate: true }).map(date => date.toUTCString()),
    )
    const inBody = fc.oneof(fc.jsonValue(), fc.record({ retry_after: fc.oneof(fc.double(), fc.jsonValue()) }))
    fc.assert(
      fc.property(text, inBody, (header, body) => {
        const wait = readRetryAfter(headers(header), body)
        if (wait === undefined) return
        expect(wait).toBeGreaterThan(0)
        expect(wait).toBeLessThanOrEqual(365 * DAY)
      }),
      { numRuns: 2000 },
    )
  })

  test('is what was said, of every number that makes sense', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30_000_000 }), seconds => {
        expect(readRetryAfter(headers(String(seconds)))).toBe(seconds * 1000)
        expect(readRetryAfter(headers(), { retry_after: seconds / 1000 })).toBe(seconds)
      }),
    )
  })
})

describe('a back-off', () => {
  test('begins with 2 to 5 seconds, doubles, has an end, and begins anew after a success', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), random => {
        const backoff = new Backoff({ random: () => random })
        const first = backoff.next()
        expect(first).toBeGreaterThanOrEqual(2000)
        expect(first).toBeLessThanOrEqual(5000)
        expect([backoff.next(), backoff.next()]).toEqual([2 * first, 4 * first])
        for (let failures = 0; failures < 2000; failures++) backoff.next()
        expect(backoff.next()).toBe(10 * MINUTE)
        backoff.reset()
        expect(backoff.next()).toBe(first)
      }),
    )
  })
})

const CHUNK = Buffer.alloc(64 * 1024)

function endless(sent: (bytes: number) => void = () => {}): ReadableStream {
  return new ReadableStream({
    async pull(controller) {
      await new Promise(setImmediate)
      controller.enqueue(CHUNK)
      sent(CHUNK.length)
    },
  })
}

/** A first byte, and no second one. */
function stalling(): ReadableStream {
  return new ReadableStream({ start: controller => controller.enqueue(new Uint8Array([1])) })
}
