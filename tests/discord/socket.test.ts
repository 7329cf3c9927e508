import { afterEach, describe, expect, test } from 'bun:test'
import { WebSocketManager } from '../../src/discord/connection.ts'
import { openPeer, type Patience } from '../../src/discord/socket.ts'
import { systemClock } from '../../src/lib/clock.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function open(address: string, patience: Partial<Patience> = {}) {
  const closed = Promise.withResolvers<{ code: number; problem: string }>()
  const opened = Promise.withResolvers<void>()
  const messages: unknown[] = []
  const message = Promise.withResolvers<unknown>()
  let closes = 0
  const peer = openPeer(
    address,
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
    { handshakeMs: 2000, closeMs: 2000, ...patience },
    systemClock,
  )
  return { peer, closed: closed.promise, opened: opened.promise, message: message.promise, closes: () => closes }
}

function serve(greeting: string | undefined) {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('', { status: 503 })),
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
