import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { issueKey } from '../support/keys.ts'
import { CLEO, type KvServer, startKvServer } from './kv-support.ts'

const LARGE = 200 * 1024

let server: KvServer
beforeAll(async () => {
  server = await startKvServer()
})
afterAll(() => server[Symbol.asyncDispose]())

/** A body that has begun and waits for its end. */
function begun(length: number) {
  let end = () => {}
  const body = new ReadableStream({
    type: 'direct',
    async pull(controller: ReadableStreamDirectController) {
      const { promise, resolve } = Promise.withResolvers<void>()
      end = resolve
      controller.write(JSON.stringify({ large: 'x' }).padEnd(length))
      controller.flush()
      await promise
      controller.close()
    },
  } as never)
  return { body, end: () => end() }
}

const patch = (key: string, body: string | ReadableStream) =>
  fetch(`${server.url}/v1/users/@me/kv`, { method: 'PATCH', headers: { Authorization: key }, body })

test('one person has so many large bodies on their way, and the next is told to wait until one has arrived', async () => {
  const uploads = Array.from({ length: 4 }, () => begun(LARGE))
  const answers = uploads.map(({ body }) => patch(server.ann, body))
  let refused: Response
  do refused = await patch(server.ann, ' '.repeat(LARGE))
  while (refused.status === 400)
  expect(refused.status).toBe(429)
  expect(refused.headers.get('Retry-After')).toBe('1')
  expect(await refused.json()).toMatchObject({ error: { code: 'rate_limited' } })

  expect((await patch(server.ann, '{"small":"1"}')).status).toBe(204)
  expect((await patch(server.ben, JSON.stringify({ large: 'x' }).padEnd(LARGE))).status).toBe(204)
  for (const { end } of uploads) end()
  for (const answer of answers) expect((await answer).status).toBe(204)
  expect((await patch(server.ann, JSON.stringify({ large: 'x' }).padEnd(LARGE))).status).toBe(204)
})

describe('a body that was still on its way', () => {
  /** Sends the start of a request and resolves when the server has read it: with 100 Continue. */
  async function halfSent(head: string, start: string) {
    const { promise: greeted, resolve } = Promise.withResolvers<void>()
    const { promise: answered, resolve: settle } = Promise.withResolvers<string>()
    let seen = ''
    const tcp = connect(Number(new URL(server.url).port), '127.0.0.1')
    tcp.on('data', bytes => {
      seen += bytes
      if (seen.startsWith('HTTP/1.1 100')) resolve()
    })
    tcp.on('close', () => settle(seen.slice(seen.lastIndexOf('HTTP/1.1 '))))
    tcp.write(`${head}\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n${start}`)
    await greeted
    return async (rest: string) => {
      tcp.write(rest)
      return await answered
    }
  }

  const requests = {
    PUT: (key: string) =>
      halfSent(`PUT /v1/users/@me/kv/late HTTP/1.1\r\nAuthorization: ${key}\r\nContent-Length: 2`, 'v'),
    PATCH: (key: string) =>
      halfSent(`PATCH /v1/users/@me/kv HTTP/1.1\r\nAuthorization: ${key}\r\nContent-Length: 12`, '{"late":"v"'),
  }

  test.each(['PUT', 'PATCH'] as const)('%s is refused when its key was revoked meanwhile', async method => {
    const key = await issueKey(server.keys, CLEO)
    const finish = await requests[method](key)
    await server.keys.revoke(CLEO)
    expect(await finish(method === 'PUT' ? 'v' : '}')).toStartWith('HTTP/1.1 401')
    expect(server.stored(CLEO)).toEqual(new Map())
  })

  test('is stored when its key is still good', async () => {
    const key = await issueKey(server.keys, CLEO)
    const finish = await requests.PUT(key)
    expect(await finish('v')).toStartWith('HTTP/1.1 204')
    expect(server.stored(CLEO)).toEqual(new Map([['late', 'vv']]))
  })
})
