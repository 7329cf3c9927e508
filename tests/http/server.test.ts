import { describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { FatalError } from '../../src/domain/errors.ts'
import { head, KEY, parse, startServer } from './harness.ts'

function failing(config: Parameters<typeof startServer>[0]): FatalError {
  try {
    startServer(config)
  } catch (error) {
    if (error instanceof FatalError) return error
    throw error
  }
  throw new Error('it started')
}

describe('listening', () => {
  test('on a port that is taken fails with one sentence that says what to do', async () => {
    await using first = startServer()
    const { port } = first
    const { message } = failing({ config: { port } })
    expect(message).toBe(
      `Port ${port} is already in use on 127.0.0.1: stop the program that has it, or set PORT to another one.`,
    )
  })

  test.each(['no such host', '203.0.113.77', 'host.invalid'])('on %p fails with a sentence about HOST', host => {
    expect(failing({ config: { host } }).message).toMatch(/^HOST ".+" is no address this machine can listen on: .+\.$/)
  })

  test('tells an address that can be opened', async () => {
    for (const host of ['127.0.0.1', '0.0.0.0', '::']) {
      await using server = startServer({ config: { host } })
      expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
      expect((await server.get('/health')).status).toBe(200)
    }
    await using server = startServer({ config: { host: '::1' } })
    expect(server.url).toBe(`http://[::1]:${server.port}`)
    expect((await server.get('/health')).status).toBe(200)
  })
})

describe('stopping', () => {
  test('lets a request under way finish, and takes no new one', async () => {
    const asked = Promise.withResolvers<void>()
    const written = Promise.withResolvers<void>()
    const server = startServer({
      kv: {
        async put() {
          asked.resolve()
          await written.promise
        },
      },
    })
    const init = { method: 'PUT', body: 'x', headers: { authorization: 'exoix_adas-key' } }
    const answer = fetch(`${server.url}/v1/users/@me/kv/a`, init)
    await asked.promise
    const stopped = server.stop()
    await expect(server.get('/')).rejects.toThrow()
    written.resolve()
    expect((await answer).status).toBe(204)
    await stopped
  })

  test('does not wait for connections that ask nothing', async () => {
    const server = startServer()
    const idle = connect(server.port, '127.0.0.1')
    idle.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await once(idle, 'data')
    const closed = once(idle, 'close')
    await server.stop()
    await closed
  })

  test('cuts off what does not finish in time', async () => {
    const asked = Promise.withResolvers<void>()
    const put = () => {
      asked.resolve()
      return new Promise<void>(() => {})
    }
    const server = startServer({ kv: { put }, grace: 20 })
    const init = { method: 'PUT', body: 'x', headers: { authorization: 'exoix_adas-key' } }
    const answer = fetch(`${server.url}/v1/users/@me/kv/a`, init).catch(() => 'cut off')
    await asked.promise
    await server.stop()
    expect(await answer).toBe('cut off')
  })

  test('frees the port', async () => {
    const first = startServer()
    const { port } = first
    await first.stop()
    await using second = startServer({ config: { port } })
    expect(second.port).toBe(port as number)
  })
})

describe('hostile requests', () => {
  test.each([
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost: x\r\nBroken\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no HTTP at all', '\u0016\u0003\u0001\u0002\u0000'],
    ['a header of 100 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`],
    ['a strange host', 'GET //x/ HTTP/1.1\r\nHost: [[%%\r\nConnection: close\r\n\r\n'],
  ])('with %s leave the server as it was', async (_, bytes) => {
    await using server = startServer()
    const answer = await server.raw(bytes).catch(() => '')
    expect(answer).not.toContain('HTTP/1.1 2')
    expect(answer).not.toContain('HTTP/1.1 500')
    expect((await server.get('/health')).status).toBe(200)
  })

  test.each([
    ['/v1/users/@me/kv/a', 'Content-Length: 100000'],
    ['/v1/users/@me/kv/a', 'Transfer-Encoding: chunked'],
    ['//v1/users/@me/kv/a/', 'Content-Length: 100000'],
    ['//v1/users/@me/kv/a/', 'Transfer-Encoding: chunked'],
  ])('are given up when their body drips for longer than is allowed: %s, %s', async (path, framing) => {
    const written: unknown[] = []
    await using server = startServer({ bodyPatience: 100, kv: { put: async (...pair) => void written.push(pair) } })
    const tcp = connect(server.port, '127.0.0.1')
    tcp.write(`PUT ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${KEY}\r\n${framing}\r\n\r\n`)
    const drip = setInterval(() => tcp.write(framing.includes('chunked') ? '1\r\nx\r\n' : 'x'), 5)
    tcp.on('error', () => {})
    const [answer] = (await once(tcp, 'data')) as [Buffer]
    clearInterval(drip)
    expect(parse(answer.toString()).status).toBe(400)
    expect(answer.toString()).toContain('incomplete_body')
    expect(written).toEqual([])
  })

  test.each([
    ['PUT', '/v1/users/@me/kv/a', 'v'],
    ['PATCH', '/v1/users/@me/kv', '{}'],
    ['DELETE', '/v1/users/@me/kv/a', ''],
    ['DELETE', '/v1/users/@me/kv', ''],
    ['PUT', '//v1/users/@me/kv/a/', 'v'],
    ['DELETE', '//v1/users/@me/kv/a', ''],
  ])('write nothing whose client is cut off because a second came along: %s %s', async (method, path, body) => {
    const written: string[] = []
    const put = async () => void written.push('')
    const kv = { put, merge: put, clear: put, delete: async () => written.push('') > 0 }
    await using server = startServer({ kv })
    const key = `Authorization: ${KEY}`
    const length = `Content-Length: ${body.length}`
    const first = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${key}\r\n${length}\r\n\r\n${body}`
    for (const second of [first, head('GET', '/health')]) expect(await server.raw(first + second)).toBe('')
    expect(written).toEqual([])
    const alone = parse(await server.raw(`${head(method, path, key, length)}${body}`))
    expect([alone.status, written.length]).toEqual([204, 1])
  })

  test('are answered without reading their body into memory', async () => {
    await using server = startServer()
    const chunk = `10000\r\n${'a'.repeat(65_536)}\r\n`
    const request = head('PUT', '/v1/users/@me/kv/a', 'Authorization: exoix_adas-key', 'Transfer-Encoding: chunked')
    const response = parse(await server.raw(`${request}${chunk.repeat(3)}`))
    expect(response.status).toBe(413)
    expect(JSON.parse(response.body).error.code).toBe('payload_too_large')
  })
})
