import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
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
const patch: typeof client.patch = (...args) => client.patch(...args)
const shown: typeof client.shown = (...args) => client.shown(...args)
const MUST_BE_OBJECT = failure('invalid_kv_value', 'body must be an object')

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
