import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type KvServer, startKvServer } from './kv-support.ts'

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
