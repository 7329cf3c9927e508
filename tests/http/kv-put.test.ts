import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { ANN, failure, type KvServer, kvClient, LIMIT, numbered, type Sent, startKvServer } from './kv-support.ts'

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
