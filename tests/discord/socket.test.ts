import { afterEach, describe, expect, test } from 'bun:test'
import { GatewaySocket, type Timeouts } from '../../src/discord/socket.ts'
import { WebSocketManager } from '../../src/discord/websocket-shim.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function open(address: string, timeouts: Partial<Timeouts> = {}, proxy?: string) {
  const closed = Promise.withResolvers<{ code: number; problem: string }>()
  const opened = Promise.withResolvers<void>()
  const messages: unknown[] = []
  const message = Promise.withResolvers<unknown>()
  let closes = 0
  const peer = new GatewaySocket(
    { address, proxy },
    {
      open: opened.resolve,
      message(data) {
        messages.push(data)
        message.resolve(data)
      },
      close(code, problem) {
        closes++
        closed.resolve({ code, problem })
      },
    },
    { handshakeMs: 2000, closeMs: 2000, ...timeouts },
    systemClock,
  )
  return { peer, closed: closed.promise, opened: opened.promise, message: message.promise, closes: () => closes }
}

/** Who has asked for an upgrade, in their own words. */
const agents: (string | null)[] = []

function serve(greeting: string | undefined) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch(request, self) {
      agents.push(request.headers.get('User-Agent'))
      return self.upgrade(request) ? undefined : new Response('', { status: 503 })
    },
    websocket: {
      open(socket) {
        if (greeting !== undefined) socket.send(greeting)
      },
      message(socket, text) {
        socket.send(text)
      },
    },
  })
  cleanups.push(() => server.stop(true))
  return `ws://127.0.0.1:${server.port}`
}

/** Takes TCP connections; answers the handshake when told to, and nothing else, ever. */
function serveDead(answer: boolean) {
  const ended = Promise.withResolvers<void>()
  const listener = Bun.listen({
    port: 0,
    hostname: '127.0.0.1',
    socket: {
      data(socket, bytes) {
        const key = /sec-websocket-key: (\S+)/i.exec(bytes.toString())?.[1]
        if (!answer || key === undefined) return
        const accept = new Bun.CryptoHasher('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64')
        const head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
        // HELLO, unmasked, two letters long.
        socket.write(Buffer.concat([Buffer.from(head), Buffer.from([0x81, 0x02, 0x68, 0x69])]))
      },
      close: () => ended.resolve(),
    },
  })
  cleanups.push(() => listener.stop(true))
  return { address: `ws://127.0.0.1:${listener.port}`, ended: ended.promise }
}

describe('a peer', () => {
  test('that is well sends, receives and closes', async () => {
    const { peer, opened, message, closed, closes } = open(serve('hello'))
    expect(peer.send('too early')).toBe(false)
    await opened
    expect(await message).toBe('hello')
    expect(peer.send('x')).toBe(true)
    peer.close(4200, 'bye')
    expect((await closed).code).toBe(4200)
    expect(peer.send('too late')).toBe(false)
    peer.close(4200, 'again')
    expect(closes()).toBe(1)
  })

  test('is told who asks', async () => {
    await open(serve('hello')).message
    expect(agents.at(-1)).toMatch(/^DiscordBot \(https:\/\/\S+, \d+\.\d+\.\d+\)/)
  })

  test('is reached through a proxy, which is told the password and nobody else is', async () => {
    await using proxy = await startForwardProxy()
    const address = serve('hello')
    expect(await open(address, {}, `http://user:sesame@${proxy.host}`).message).toBe('hello')
    const authorization = `Basic ${btoa('user:sesame')}`
    expect(proxy.tunnels).toEqual([{ target: address.slice('ws://'.length), authorization }])
    expect(agents.at(-1)).toStartWith('DiscordBot')
    const { problem } = await open(address, {}, 'http://user:sesame@127.0.0.1:1').closed
    expect(problem).not.toContain('sesame')
  })

  test('that never answers the handshake is given up', async () => {
    const { address, ended } = serveDead(false)
    const { closed } = open(address, { handshakeMs: 30 })
    expect(await closed).toEqual({ code: 1006, problem: 'no answer in time' })
    await ended
  })

  test('that opens and then says nothing is given up', async () => {
    const { closed } = open(serve(undefined), { handshakeMs: 30 })
    expect(await closed).toEqual({ code: 1006, problem: 'no answer in time' })
  })

  test('that does not answer a close is given up', async () => {
    const { address, ended } = serveDead(true)
    const { peer, message, closed } = open(address, { closeMs: 30 })
    expect(await message).toBe('hi')
    peer.close(4200, 'bye')
    expect(await closed).toEqual({ code: 1006, problem: 'no close frame in time' })
    await ended
  })

  test('can be met with less patience at the end', async () => {
    const { address } = serveDead(true)
    const { peer, message, closed } = open(address, { closeMs: 60_000 })
    await message
    peer.close(4200, 'bye', 20)
    expect((await closed).code).toBe(1006)
  })

  test('that refuses is told as a connection that could not be made', async () => {
    const { closed } = open('ws://127.0.0.1:1')
    expect((await closed).code).toBe(1006)
    const refusing = Bun.serve({ port: 0, fetch: () => new Response('', { status: 503 }) })
    cleanups.push(() => refusing.stop(true))
    expect(await open(`ws://127.0.0.1:${refusing.port}`).closed).toMatchObject({
      code: 1006,
      problem: expect.stringContaining('503'),
    })
  })

  test('at an address that is none is told as a connection that could not be made', async () => {
    for (const address of ['', 'nonsense', 'https://x', 'wss://a b'])
      expect(await open(address).closed).toMatchObject({ code: 1006 })
  })

  test('given up while connecting is closed at once', async () => {
    const { address } = serveDead(false)
    const { peer, closed } = open(address)
    peer.close(4200, 'bye')
    expect((await closed).code).toBe(1006)
  })

  test('that is abandoned tells nothing more', async () => {
    const { address, ended } = serveDead(true)
    const { peer, message, closes } = open(address)
    await message
    peer.abandon()
    await ended
    expect(closes()).toBe(0)
  })
})

describe('the library', () => {
  test('has a WebSocket of its own, and everybody else the usual one', async () => {
    expect(WebSocketManager).toBeFunction()
    const socket = new WebSocket(serve('hello'))
    const { promise, resolve } = Promise.withResolvers<unknown>()
    socket.onmessage = ({ data }) => resolve(data)
    expect(await promise).toBe('hello')
    expect(socket).toBeInstanceOf(WebSocket)
    socket.close()
  })
})
