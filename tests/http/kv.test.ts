import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { ANN, CLEO, failure, type KvServer, kvClient, NO_PERMISSION, startKvServer } from './kv-support.ts'

let server: KvServer
let client: ReturnType<typeof kvClient>
beforeAll(async () => {
  server = await startKvServer()
  client = kvClient(server)
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(() => client.clear())

const ask: typeof client.ask = (...args) => client.ask(...args)
const put: typeof client.put = (...args) => client.put(...args)
const patch: typeof client.patch = (...args) => client.patch(...args)
const shown: typeof client.shown = (...args) => client.shown(...args)

describe('a write', () => {
  const writes: [what: string, method: string, path: string, body: string | null][] = [
    ['PUT of a pair', 'PUT', '/kv/a', 'v'],
    ['PATCH of pairs', 'PATCH', '/kv', '{"a":"v"}'],
    ['PATCH with a slash at the end', 'PATCH', '/kv/', '{"a":"v"}'],
    ['DELETE of a pair', 'DELETE', '/kv/a', null],
    ['DELETE of all pairs', 'DELETE', '/kv', null],
  ]

  test.each(writes)('(%s) answers 204 with nothing in it, by id and as @me', async (_, method, path, body) => {
    for (const id of [ANN, '@me']) {
      const answer = await ask(method, `/v1/users/${id}${path}`, { key: server.ann, ...(body && { body }) })
      expect([answer.status, answer.text]).toEqual([204, ''])
      expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('*')
    }
  })

  test.each(writes)('(%s) needs the key of its owner', async (_, method, path, body) => {
    const headers: Record<string, string>[] = [
      {},
      { Authorization: '' },
      { Authorization: '   ' },
      { Authorization: 'Bearer' },
      { Authorization: 'Bearer ' },
      { Authorization: 'exoix_unknown' },
      { Authorization: 'undefined' },
      { Authorization: server.ben },
      { Authorization: `Bearer ${server.ben}` },
    ]
    await put(`/v1/users/${ANN}/kv/kept`, '1')
    for (const given of headers) {
      const id = ANN
      const answer = await ask(method, `/v1/users/${id}${path}`, { headers: given, ...(body && { body }) })
      expect([answer.status, answer.json()]).toEqual([401, NO_PERMISSION])
    }
    expect((await ask(method, `/v1/users/@me${path}`, body ? { body } : {})).status).toBe(401)
    expect(await shown()).toEqual({ kept: '1' })
  })

  test('takes the key as Bearer too', async () => {
    const headers = { Authorization: `Bearer ${server.ann}` }
    expect((await ask('PUT', `/v1/users/${ANN}/kv/a`, { headers, body: '1' })).status).toBe(204)
  })

  test('of somebody who is not monitored is kept, and shows when they are', async () => {
    expect((await ask('PUT', `/v1/users/${CLEO}/kv/a`, { key: server.cleo, body: '1' })).status).toBe(204)
    expect((await ask('GET', `/v1/users/${CLEO}`)).status).toBe(404)
    expect((await ask('GET', '/v1/users/@me/kv', { key: server.cleo })).json().data).toEqual({ a: '1' })
    server.presences.putMember('2', { user: { id: CLEO, username: 'cleo' } })
    expect(await shown(CLEO)).toEqual({ a: '1' })
    server.presences.removeGuild('2')
  })
})

describe('DELETE', () => {
  test('removes one pair, or all', async () => {
    await patch('{"a":"1","b":"2","c":"3"}')
    await ask('DELETE', `/v1/users/${ANN}/kv/a`, { key: server.ann })
    expect(await shown()).toEqual({ b: '2', c: '3' })
    await ask('DELETE', `/v1/users/${ANN}/kv`, { key: server.ann })
    expect(await shown()).toEqual({})
  })

  test.each(['nothing', 'not-a-key', '%00', '%FF', '%2F', '%', '%0A'])(
    'of %s, which is not there, is 204',
    async key => {
      expect((await ask('DELETE', `/v1/users/${ANN}/kv/${key}`, { key: server.ann })).status).toBe(204)
    },
  )
})

describe('a body over the limit', () => {
  const limits: [method: string, path: string, bytes: number, name: string][] = [
    ['PUT', `/v1/users/${ANN}/kv/a`, 128 * 1024, '128 KiB'],
    ['PATCH', `/v1/users/${ANN}/kv`, 8 * 1024 * 1024, '8 MiB'],
  ]
  const endless = (chunk: number) => {
    let sent = 0
    const body = new ReadableStream({
      async pull(controller) {
        // The other side must get its turn to say no; and should it never, there is an end all the same.
        await new Promise(resolve => setImmediate(resolve))
        if (sent > 64 * 1024 * 1024) return controller.close()
        sent += chunk
        controller.enqueue(new Uint8Array(chunk).fill(0x20))
      },
    })
    return { body, sent: () => sent }
  }

  test.each(limits)('of %s is refused with 413 by its length', async (method, path, bytes, name) => {
    const answer = await ask(method, path, { key: server.ann, body: ' '.repeat(bytes + 1) })
    expect([answer.status, answer.json()]).toEqual([413, failure('payload_too_large', `body must be ${name} or less`)])
    expect((await ask(method, path, { key: server.ann, body: ' '.repeat(bytes) })).status).toBe(400)
  })

  test.each(limits)('of %s is refused with 413 while it is still arriving', async (method, path, bytes) => {
    const { body, sent } = endless(16 * 1024)
    const answer = await ask(method, path, { key: server.ann, body }).catch(() => null)
    // A client may see the connection close before it sees the answer, because it is still sending.
    if (answer !== null) expect(answer.status).toBe(413)
    expect(sent()).toBeLessThan(bytes + 8 * 1024 * 1024)
  })

  test('that ends before its stated length changes nothing', async () => {
    const { hostname, port } = new URL(server.url)
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const socket = await Bun.connect({ hostname, port: Number(port), socket: { data() {}, close: () => resolve() } })
    const head = [
      `PUT /v1/users/${ANN}/kv/a HTTP/1.1`,
      'Host: x',
      `Authorization: ${server.ann}`,
      'Content-Length: 100',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\nhalf`)
    socket.flush()
    socket.shutdown()
    await closed
    expect((await put(`/v1/users/${ANN}/kv/b`, '1')).status).toBe(204)
    expect(await shown()).toEqual({ b: '1' })
  })

  test('is not read at all without the right key', async () => {
    const { body, sent } = endless(16 * 1024)
    const answer = await ask('PATCH', `/v1/users/${ANN}/kv`, { key: server.ben, body }).catch(() => null)
    if (answer !== null) expect(answer.status).toBe(401)
    expect(sent()).toBeLessThan(8 * 1024 * 1024)
  })
})
