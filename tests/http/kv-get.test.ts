import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import {
  ANN,
  BEN,
  CLEO,
  failure,
  type KvServer,
  kvClient,
  NO_PERMISSION,
  NOT_MONITORED,
  startKvServer,
} from './kv-support.ts'

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
