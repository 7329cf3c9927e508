import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ANN, BEN, CLEO, type KvServer, startKvServer } from './kv-support.ts'

let server: KvServer
beforeAll(async () => {
  server = await startKvServer()
})
afterAll(() => server[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const id of [ANN, BEN, CLEO]) await ask('DELETE', `/v1/users/${id}/kv`, { key: keyOf(id) })
})

type Sent = string | Uint8Array<ArrayBuffer> | ReadableStream

interface Ask {
  key?: string
  body?: Sent
  headers?: Record<string, string>
}

const keyOf = (id: string) => (id === ANN ? server.ann : id === BEN ? server.ben : server.cleo)

async function ask(method: string, path: string, { key, body, headers = {} }: Ask = {}) {
  const authorization: Record<string, string> = key === undefined ? {} : { Authorization: key }
  const response = await fetch(server.url + path, {
    method,
    headers: { ...authorization, ...headers },
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
}

const put = (path: string, body: Sent, headers?: Record<string, string>) =>
  ask('PUT', path, { key: server.ann, body, ...(headers && { headers }) })
const patch = (body: Sent, id = ANN) => ask('PATCH', `/v1/users/${id}/kv`, { key: server.ann, body })
const shown = async (id = ANN) => (await ask('GET', `/v1/users/${id}`)).json().data.kv
const failure = (code: string, message: string) => ({ success: false, error: { code, message } })
const NO_PERMISSION = failure('no_permission', 'You do not have permission to access this resource')
const NOT_MONITORED = failure('user_not_monitored', 'User is not being monitored by Exoix')
const MUST_BE_OBJECT = failure('invalid_kv_value', 'body must be an object')
const LIMIT = failure('kv_validation_failed', 'request would exceed key limit (512), please delete keys first')
const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, '']))

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

describe('PUT', () => {
  const bodies: [what: string, body: string, type: string][] = [
    ['text', 'héllo \u{1f600}', 'text/plain'],
    ['JSON', '{"a": [1,  2]}', 'application/json'],
    ['broken JSON', '{"a":', 'application/json'],
    ['a form', 'a=1&b=2', 'application/x-www-form-urlencoded'],
    ['half of a multipart form', '--x\r\n', 'multipart/form-data; boundary=x'],
    ['bytes', '\0\x01', 'application/octet-stream'],
    ['text after a byte order mark', '\ufeffhi', 'text/plain'],
    ['blanks and line ends', '  a\r\n\n ', 'text/plain'],
    ['something without a type one can read', 'v', 'nonsense'],
  ]
  test.each(bodies)('keeps %s as it is', async (_, body, type) => {
    expect((await put(`/v1/users/${ANN}/kv/a`, body, { 'Content-Type': type })).status).toBe(204)
    expect(await shown()).toEqual({ a: body })
    expect(server.stored(ANN).get('a')).toBe(body)
  })

  test('of nothing is the empty string', async () => {
    expect((await ask('PUT', `/v1/users/${ANN}/kv/a`, { key: server.ann })).status).toBe(204)
    expect(await shown()).toEqual({ a: '' })
  })

  test('of a streamed body without a length is kept', async () => {
    const body = new ReadableStream({
      start(controller) {
        for (const part of ['one', ' ', 'two']) controller.enqueue(new TextEncoder().encode(part))
        controller.close()
      },
    })
    expect((await put(`/v1/users/${ANN}/kv/a`, body)).status).toBe(204)
    expect(await shown()).toEqual({ a: 'one two' })
  })

  const refused: [what: string, key: string, body: Sent, answer: object][] = [
    ['a key with a dash', 'a-b', 'v', failure('kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)')],
    [
      'a key with an encoded line end',
      'a%0A',
      'v',
      failure('kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)'),
    ],
    [
      'a key with an encoded slash',
      'a%2Fb',
      'v',
      failure('kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)'),
    ],
    ['a key that is no UTF-8', 'a%FF', 'v', failure('kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)')],
    ['a key with a broken escape', 'a%', 'v', failure('kv_validation_failed', 'key must be alphanumeric (a-zA-Z0-9_)')],
    [
      'a key of 256 characters',
      'k'.repeat(256),
      'v',
      failure('kv_validation_failed', 'key must be 255 characters or less'),
    ],
    [
      'a value of 30,001 characters',
      'k',
      'v'.repeat(30_001),
      failure('kv_validation_failed', 'value must be 30000 characters or less'),
    ],
    [
      'bytes that are no UTF-8',
      'k',
      new Uint8Array([0x61, 0xff]),
      failure('invalid_kv_value', 'body must be UTF-8 text'),
    ],
    [
      'half a character as bytes',
      'k',
      new Uint8Array([0xed, 0xa0, 0x80]),
      failure('invalid_kv_value', 'body must be UTF-8 text'),
    ],
  ]
  test.each(refused)('refuses %s with 400, and nothing changes', async (_, key, body, answer) => {
    const response = await put(`/v1/users/${ANN}/kv/${key}`, body)
    expect([response.status, response.json()]).toEqual([400, answer])
    expect(await shown()).toEqual({})
  })

  test('takes 30,000 characters of four bytes each', async () => {
    expect((await put(`/v1/users/${ANN}/kv/a`, '\u{1f600}'.repeat(30_000))).status).toBe(204)
  })

  test('reads an escaped key like a plain one', async () => {
    expect((await put(`/v1/users/${ANN}/kv/%61_%42`, 'v')).status).toBe(204)
    expect(await shown()).toEqual({ a_B: 'v' })
  })

  test('takes the 512th key, overwrites at 512, and refuses the 513th', async () => {
    await patch(JSON.stringify(numbered(511)))
    expect((await put(`/v1/users/${ANN}/kv/last`, '1')).status).toBe(204)
    expect((await put(`/v1/users/${ANN}/kv/last`, '2')).status).toBe(204)
    const answer = await put(`/v1/users/${ANN}/kv/more`, '1')
    expect([answer.status, answer.json()]).toEqual([400, LIMIT])
    expect(Object.keys(await shown())).toHaveLength(512)
  })

  test('of many at once loses none', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) => put(`/v1/users/${ANN}/kv/k${at}`, `${at}`)),
    )
    expect(answers.every(({ status }) => status === 204)).toBe(true)
    expect(await shown()).toEqual(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`k${at}`, `${at}`])))
  })
})

describe('PATCH', () => {
  test('merges pairs into those that are there', async () => {
    await patch('{"a":"1","b":"2"}')
    await patch('{"b":"3","c":""}')
    expect(await shown()).toEqual({ a: '1', b: '3', c: '' })
  })

  test('takes an object of nothing', async () => {
    expect((await patch('{}')).status).toBe(204)
  })

  test('takes names of object members as ordinary keys, and the last of two equal ones', async () => {
    expect((await patch('{"__proto__":"p","constructor":"c","twice":"1","twice":"2"}')).status).toBe(204)
    expect((await ask('GET', `/v1/users/${ANN}`)).text).toContain(
      '"kv":{"__proto__":"p","constructor":"c","twice":"2"}',
    )
  })

  const NOT_OBJECTS: Sent[] = [
    '',
    'nonsense',
    '{"a":"1"',
    'null',
    '[]',
    '["a"]',
    '"a"',
    '1',
    '{"a":1}',
    '{"a":null}',
    '{"a":{"b":"c"}}',
    '{"good":"1","a":["b"]}',
    new Uint8Array([0x7b, 0xff, 0x7d]),
    '['.repeat(100_000),
  ]
  test('refuses whatever is no object of strings', async () => {
    for (const body of NOT_OBJECTS) {
      const answer = await patch(body)
      expect([body, answer.status, answer.json()]).toEqual([body, 400, MUST_BE_OBJECT])
    }
    expect(await shown()).toEqual({})
  })

  const ONE_IS_WRONG: [what: string, body: string, code: string][] = [
    ['a key with a dash', '{"good":"1","bad-key":"2"}', 'kv_validation_failed'],
    ['an empty key', '{"good":"1","":"2"}', 'kv_validation_failed'],
    ['half a character', '{"good":"1","a":"\\ud800"}', 'invalid_kv_value'],
    ['half a character as key', '{"good":"1","\\ud800":"a"}', 'kv_validation_failed'],
    ['a value too long', JSON.stringify({ good: '1', a: 'v'.repeat(30_001) }), 'kv_validation_failed'],
    ['too many keys', JSON.stringify(numbered(513)), 'kv_validation_failed'],
  ]
  test.each(ONE_IS_WRONG)('with %s is refused as a whole', async (_, body, code) => {
    const answer = await patch(body)
    expect([answer.status, answer.json().error.code]).toEqual([400, code])
    expect(await shown()).toEqual({})
  })

  test('takes what only fills up to 512, and nothing beyond', async () => {
    await patch(JSON.stringify(numbered(500)))
    expect((await patch(JSON.stringify(numbered(512)))).status).toBe(204)
    const answer = await patch('{"k0":"changed","more":"1"}')
    expect([answer.status, answer.json()]).toEqual([400, LIMIT])
    expect((await shown()).k0).toBe('')
  })

  test('takes 512 values of 4,000 characters in one body', async () => {
    const pairs = Object.fromEntries(Array.from({ length: 512 }, (_, at) => [`k${at}`, 'é'.repeat(4000)]))
    expect((await patch(JSON.stringify(pairs))).status).toBe(204)
    expect(await shown()).toEqual(pairs)
  })

  test('of any body stores it whole or refuses it with 400', async () => {
    const body = fc.oneof(
      fc.string(),
      fc.uint8Array({ maxLength: 60 }),
      fc.json(),
      fc.dictionary(fc.string(), fc.string()).map(pairs => JSON.stringify(pairs)),
      fc.dictionary(fc.stringMatching(/^\w{1,9}$/), fc.string({ unit: 'binary' })).map(pairs => JSON.stringify(pairs)),
    )
    await fc.assert(
      fc.asyncProperty(body, async sent => {
        await ask('DELETE', '/v1/users/@me/kv', { key: server.ann })
        const answer = await patch(sent as Sent)
        const wanted = answer.status === 204 ? JSON.parse(Buffer.from(sent as string).toString()) : {}
        expect([204, 400]).toContain(answer.status)
        expect(await shown()).toEqual(wanted)
      }),
      { numRuns: 50 },
    )
  })
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

describe('GET', () => {
  test('shows all pairs to everybody', async () => {
    await patch('{"b":"2","a":"\\u2028\\u0000"}')
    const answer = await ask('GET', `/v1/users/${ANN}/kv`)
    expect([answer.status, answer.text]).toEqual([200, '{"success":true,"data":{"b":"2","a":"\u2028\\u0000"}}'])
    expect(answer.headers.get('Content-Type')).toBe('application/json; charset=utf-8')
    expect((await ask('GET', `/v1/users/${BEN}/kv`)).json()).toEqual({ success: true, data: {} })
  })

  test('shows one value as plain text, exactly', async () => {
    const value = '\ufeff<script>alert(1)</script>\0 \u{1f600}'
    await put(`/v1/users/${ANN}/kv/a`, value)
    const response = await fetch(`${server.url}/v1/users/${ANN}/kv/a`)
    expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(value))
    expect(response.headers.get('Content-Type')).toBe('text/plain; charset=utf-8')
    expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*')
  })

  test('of an empty value is 200 and empty', async () => {
    await put(`/v1/users/${ANN}/kv/a`, '')
    const answer = await ask('GET', `/v1/users/${ANN}/kv/a`)
    expect([answer.status, answer.text]).toEqual([200, ''])
  })

  test.each(['nothing', 'not-a-key', '%00', '%FF', '%2F', '%', '__proto__', 'constructor'])(
    'of %s, which is not there, is 404 kv_not_found',
    async key => {
      const answer = await ask('GET', `/v1/users/${ANN}/kv/${key}`)
      expect([answer.status, answer.json()]).toEqual([404, failure('kv_not_found', 'Key does not exist')])
    },
  )

  test.each(['', '/a'])('of kv%s of somebody unknown is 404 user_not_monitored', async path => {
    for (const id of [CLEO, '1', 'abc', '%00', '__proto__', '💥']) {
      const answer = await ask('GET', `/v1/users/${id}/kv${path}`)
      expect([answer.status, answer.json()]).toEqual([404, NOT_MONITORED])
    }
  })

  test('of somebody hidden is 404 to others, while they see their own as @me', async () => {
    await patch('{"a":"1"}')
    await server.privacy.hide(ANN)
    expect((await ask('GET', `/v1/users/${ANN}/kv`)).json()).toEqual(NOT_MONITORED)
    expect((await ask('GET', `/v1/users/${ANN}/kv/a`)).json()).toEqual(NOT_MONITORED)
    expect((await ask('GET', '/v1/users/@me/kv', { key: server.ann })).json().data).toEqual({ a: '1' })
    expect((await ask('GET', '/v1/users/@me/kv/a', { key: server.ann })).text).toBe('1')
    expect((await put('/v1/users/@me/kv/a', '2')).status).toBe(204)
    await server.privacy.show(ANN)
    expect(await shown()).toEqual({ a: '2' })
  })

  test.each(['', '/a'])('of @me/kv%s needs a key', async path => {
    const answer = await ask('GET', `/v1/users/@me/kv${path}`)
    expect([answer.status, answer.json()]).toEqual([401, NO_PERMISSION])
  })

  test('of somebody unknown while members are still loading is 503', async () => {
    server.be('starting')
    const answer = await ask('GET', `/v1/users/${CLEO}/kv`)
    server.be('ready')
    expect([answer.status, answer.json().error.code]).toEqual([503, 'starting'])
    expect(answer.headers.get('Retry-After')).not.toBeNull()
  })

  test.each(['/kv', '/kv/a'])('of %s works as HEAD, and with slashes too many', async path => {
    await put(`/v1/users/${ANN}/kv/a`, '12345')
    const head = await ask('HEAD', `/v1/users/${ANN}${path}`)
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers.get('Content-Type')).toBe(
      (await ask('GET', `/v1/users/${ANN}${path}`)).headers.get('Content-Type'),
    )
    expect((await ask('GET', `//v1/users//${ANN}${path}/`)).text).toBe(
      (await ask('GET', `/v1/users/${ANN}${path}`)).text,
    )
  })
})

test('a success never has an error key, a failure always has the envelope', async () => {
  await put(`/v1/users/${ANN}/kv/error`, 'v')
  const success = (await ask('GET', `/v1/users/${ANN}/kv`)).json()
  expect(Object.keys(success)).toEqual(['success', 'data'])
  const refusal = await ask('POST', `/v1/users/${ANN}/kv`, { key: server.ann, body: '{}' })
  expect([refusal.status, refusal.json().error.code]).toEqual([404, 'not_found'])
})
