import { describe, expect, test } from 'bun:test'
import { codeOf, startServer } from './harness.ts'

const echo = (url: string, path: string) =>
  new Promise<string>((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws') + path)
    socket.onopen = () => socket.send('hello')
    socket.onmessage = ({ data }) => {
      resolve(data)
      socket.close()
    }
    socket.onerror = () => reject(new Error('refused'))
  })

const UPGRADE = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-version': '13',
}

describe('the way to the sockets', () => {
  test.each(['/socket', '/socket?compression=zlib_json', '/socket/', '//socket'])('opens one at %s', async path => {
    await using server = startServer()
    expect(await echo(server.url, path)).toBe('hello')
  })

  test('gives the request, the server and the address of the client to whoever speaks WebSocket', async () => {
    const seen: unknown[] = []
    await using server = startServer({
      config: { trustedProxies: ['127.0.0.1'] },
      sockets: {
        upgrade(request, bun, address) {
          seen.push(new URL(request.url).search, bun.port, address)
          return false
        },
      },
    })
    await server.get('/socket/?compression=zlib_json', { ...UPGRADE, 'x-forwarded-for': '203.0.113.1' })
    expect(seen).toEqual(['?compression=zlib_json', server.port, '203.0.113.1'])
  })

  test('answers a request that wants no upgrade, or cannot have one, with 400 upgrade_failed', async () => {
    await using server = startServer({ sockets: { upgrade: () => false } })
    const requests: Record<string, string>[] = [{}, { upgrade: 'h2c' }, UPGRADE]
    for (const headers of requests) {
      const response = await server.get('/socket', headers)
      expect([response.status, await codeOf(response)]).toEqual([400, 'upgrade_failed'])
    }
  })

  test('answers an address that has too many with 429 rate_limited and Retry-After', async () => {
    await using server = startServer({ sockets: { admits: () => false } })
    const response = await server.get('/socket', UPGRADE)
    expect([response.status, await codeOf(response)]).toEqual([429, 'rate_limited'])
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    await expect(echo(server.url, '/socket')).rejects.toThrow()
  })

  test('counts an opened socket in no class of answers', async () => {
    await using server = startServer()
    await echo(server.url, '/socket')
    for (const name of ['2xx', '3xx', '4xx', '5xx'])
      expect(server.metrics.render()).toContain(`exoix_${name}_responses 0\n`)
  })
})
