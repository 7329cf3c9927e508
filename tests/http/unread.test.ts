import { describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { type LargeAnswer, represent } from '../../src/http/representation.ts'
import { Unread } from '../../src/http/unread.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Quota } from '../../src/lib/quota.ts'
import { ADA, codeOf, head, parse, startServer } from './harness.ts'

const MIB = 1024 * 1024
/** More than the system takes for a connection that nobody reads. */
const PAIRS = new Map(Array.from({ length: 500 }, (_, at) => [`k${at}`, `${at} `.repeat(5000).slice(0, 20_000)]))
const PATH = `/v1/users/${ADA}`

/** A server with somebody whose presence is ten million bytes, behind a proxy that tells whom it asks for. */
function startLarge(unread = { perAddress: 25 * MIB, total: 35 * MIB }) {
  const server = startServer({ config: { trustedProxies: ['127.0.0.1'] }, unread, grace: 20 })
  server.presences.setKv(ADA, PAIRS)
  return server
}

/** Somebody who asks and reads the beginning of the answer, no more. */
async function ask(port: number, address: string, path = PATH) {
  const tcp = connect(port, '127.0.0.1')
  tcp.on('error', () => {})
  tcp.write(head('GET', path, `X-Forwarded-For: ${address}`))
  const [start] = (await once(tcp, 'data')) as [Buffer]
  tcp.pause()
  return { status: parse(start.toString('latin1')).status, tcp, start }
}

/** Makes another version, as large as the last. */
function change(server: ReturnType<typeof startServer>): void {
  const pairs = server.presences.kv(ADA)
  server.presences.setKv(ADA, new Map(pairs).set('version', `${Number(pairs.get('version') ?? 0) + 1}`))
}

const unread = (server: ReturnType<typeof startServer>) =>
  Number(/^exoix_unread_answer_bytes (\d+)$/m.exec(server.metrics.render())?.[1])

describe('a large answer', () => {
  test.each([
    [PATH, 'identity'],
    [PATH, 'gzip'],
    [`${PATH}/kv`, 'gzip'],
    [`/user/${ADA}`, 'identity'],
  ])('of %s arrives whole, as %s', async (path, encoding) => {
    await using server = startLarge()
    const response = await fetch(server.url + path, { headers: { 'accept-encoding': encoding }, decompress: false })
    const bytes = Buffer.from(await response.arrayBuffer())
    const body = JSON.parse((encoding === 'gzip' ? gunzipSync(bytes) : bytes).toString())
    expect(body.data?.kv ?? body.KV ?? body.data).toEqual(Object.fromEntries(PAIRS))
    expect(response.headers.get('content-encoding')).toBe(encoding === 'gzip' ? 'gzip' : null)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const tag = response.headers.get('etag') ?? ''
    const again = await server.get(path, { 'if-none-match': tag, 'accept-encoding': encoding })
    expect(again.status).toBe(304)
    expect(unread(server)).toBe(0)
  })

  test('has the same head without its body', async () => {
    await using server = startLarge()
    const answer = parse(await server.raw(head('HEAD', PATH)))
    const got = await server.get(PATH)
    expect([answer.status, answer.body]).toEqual([200, ''])
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control', 'vary']) {
      expect([name, answer.headers.get(name)?.trim() ?? null]).toEqual([name, got.headers.get(name)])
    }
    await got.body?.cancel()
  })

  test('is refused to who has not read enough of what they asked for, and to nobody else', async () => {
    await using server = startLarge()
    const first = await ask(server.port, '203.0.113.1')
    change(server)
    const second = await ask(server.port, '203.0.113.1')
    expect([first.status, second.status]).toEqual([200, 200])
    expect(unread(server)).toBeGreaterThan(18 * MIB)
    change(server)
    const refused = await server.get(PATH, { 'x-forwarded-for': '203.0.113.1' })
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'rate_limited'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    // What is small, and what they have, they get.
    expect((await server.get('/health', { 'x-forwarded-for': '203.0.113.1' })).status).toBe(200)
    expect((await ask(server.port, '203.0.113.2')).status).toBe(200)
  })

  test('counts once however many connections of an address read the same version', async () => {
    await using server = startLarge()
    for (let client = 0; client < 20; client++) expect((await ask(server.port, '203.0.113.1')).status).toBe(200)
    expect(unread(server)).toBeLessThan(12 * MIB)
  })

  test('is refused to everybody when all that waits together is too much, until some of it is read or given up', async () => {
    await using server = startLarge()
    const asked = await Promise.all(['1', '2', '3'].map(last => ask(server.port, `203.0.113.${last}`)))
    expect(asked.map(({ status }) => status)).toEqual([200, 200, 200])
    const refused = await server.get(PATH, { 'x-forwarded-for': '203.0.113.4' })
    expect([refused.status, await codeOf(refused)]).toEqual([503, 'overloaded'])

    // One reads on, one leaves: the room is there for others as soon as the server notices.
    asked[0]?.tcp.resume()
    asked[1]?.tcp.destroy()
    for (const last of ['4', '5']) {
      let response = await server.get(PATH, { 'x-forwarded-for': `203.0.113.${last}` })
      while (response.status === 503) response = await server.get(PATH, { 'x-forwarded-for': `203.0.113.${last}` })
      expect(response.status).toBe(200)
      await response.body?.cancel()
    }
  })

  test('keeps no version alive once its readers have left', async () => {
    await using server = startLarge()
    for (let version = 0; version < 6; version++) {
      server.presences.setKv(ADA, new Map(PAIRS).set('version', String(version)))
      const { status, tcp } = await ask(server.port, '203.0.113.1')
      expect(status).toBe(200)
      tcp.destroy()
      while (unread(server) > 0) await new Promise(setImmediate)
    }
  })

  test('is cut when it is read at less than 16 KiB a second, which is looked at after a minute', async () => {
    const clock = { at: 0, now: () => clock.at }
    const quota = new Quota({ perAddress: 10 * MIB, total: 10 * MIB })
    const unread = new Unread({ addressOf: () => '203.0.113.1', metrics: createMetrics(), quota, clock })
    const content = { 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' }
    const page = represent(() => Buffer.alloc(4 * MIB, 'x'), content)
    const request = new Request('http://localhost')
    const read = async (seconds: number) => {
      const { body } = await unread.send(page.answer(request) as LargeAnswer, request)
      const reader = (body as ReadableStream<Uint8Array>).getReader()
      const begin = clock.at
      for (let length = 0; ; ) {
        const { done, value } = await reader.read()
        if (done) return length
        length += value.byteLength
        clock.at = begin + (length / (4 * MIB)) * seconds * 1000
      }
    }
    expect(await read(200)).toBe(4 * MIB)
    expect(quota.held).toBe(0)
    await expect(read(400)).rejects.toBeUndefined()
    expect(quota.held).toBe(0)
  })
})
