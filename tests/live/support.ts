import { connect } from 'node:net'
import { inflateSync } from 'node:zlib'
import { Interest } from '../../src/domain/interest.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createLog, type Log } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Quota, type QuotaOptions } from '../../src/lib/quota.ts'
import { createAddresses } from '../../src/lib/semaphore.ts'
import { Publisher, type PublisherOptions } from '../../src/live/publisher.ts'
import type { SocketOptions } from '../../src/live/session.ts'
import { Sockets } from '../../src/live/websocket.ts'

interface ServerOptions extends Partial<SocketOptions> {
  readonly maxSocketsPerAddress?: number
  readonly publisher?: Partial<PublisherOptions>
  readonly unread?: Partial<QuotaOptions>
  readonly names?: Partial<QuotaOptions>
  readonly log?: Log
  readonly clock?: Clock
}

const UNBOUNDED = { perAddress: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }

/** A server with nothing but the sockets, on a free port. */
export function startServer(options: ServerOptions = {}) {
  const presences = new PresenceStore()
  const onChange = presences.onChange.bind(presences)
  let listeners = 0
  Object.assign(presences, {
    onChange(listener: Parameters<typeof onChange>[0]) {
      const stop = onChange(listener)
      listeners++
      return () => {
        listeners--
        stop()
      }
    },
  })
  const metrics = createMetrics()
  const log = options.log ?? createLog({ level: 'silent', format: 'text' })
  const addresses = createAddresses(options.maxSocketsPerAddress ?? 0)
  const unread = new Quota({ ...UNBOUNDED, ...options.unread })
  const names = new Quota({ ...UNBOUNDED, ...options.names })
  const publisher = new Publisher({ presences, options: options.publisher })
  const clock = options.clock ?? systemClock
  const sockets = new Sockets({
    presences,
    publisher,
    addresses,
    interest: new Interest(undefined),
    unread,
    names,
    metrics,
    log,
    clock,
    options,
  })
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    websocket: sockets.websocket,
    fetch(request, listening) {
      const address = request.headers.get('x-address') ?? '127.0.0.1'
      if (!sockets.admits(address)) return new Response('slow down', { status: 429 })
      return sockets.upgrade(request, listening, address) ? undefined : new Response('no', { status: 400 })
    },
  })
  const clients: { close(): void }[] = []
  const close = () => {
    publisher.close()
    sockets.close()
  }
  const track = <T extends { close(): void }>(client: T): T => {
    clients.push(client)
    return client
  }
  return {
    presences,
    metrics,
    publisher,
    sockets,
    unread,
    names,
    server,
    port: server.port as number,
    close,
    /** Who listens to the store. */
    listeners: () => listeners,
    url: `ws://127.0.0.1:${server.port}/socket`,
    /** A client that speaks WebSocket, plain or compressed. */
    client: (query = '') => openClient(`ws://127.0.0.1:${server.port}/socket${query}`).then(track),
    raw: (head?: string | Buffer) => track(openRaw(server.port as number, head)),
    async stop() {
      for (const client of clients) client.close()
      close()
      await server.stop(true)
    },
  }
}

export type TestServer = Awaited<ReturnType<typeof startServer>>
// biome-ignore lint/suspicious/noExplicitAny: what a frame holds is what the tests check
export type Frame = { op: number; seq: number; t: string; d: any }

export interface Client {
  readonly socket: WebSocket
  /** The next frame, in order of arrival. Rejects when the socket closes before there is one. */
  next(): Promise<Frame>
  /** Sends text as it is, anything else as JSON. */
  send(frame: unknown): void
  /** Subscribes and returns the INIT_STATE. */
  follow(d: object): Promise<Frame>
  /**
   * Everything that arrived before the answer to a question asked now. The question is an op 2 for nobody: whatever
   * the server had queued for this socket is ahead of its answer.
   */
  soFar(): Promise<Frame[]>
  readonly closed: Promise<{ code: number; reason: string }>
  close(): void
}

/** Connects and takes the Hello, so that `next()` starts behind it. */
export async function openClient(url: string): Promise<Client> {
  const client = openBare(url)
  const hello = await client.next()
  if (hello.op !== 1) throw new Error(`expected hello, got ${JSON.stringify(hello)}`)
  return client
}

/** A client that has not read its Hello. */
export function openBare(url: string): Client {
  const socket = new WebSocket(url)
  socket.binaryType = 'arraybuffer'
  const inbox = createInbox<Frame>()
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  const read = url.endsWith('zlib_json') ? inflateWhole : (data: string) => data
  socket.onmessage = ({ data }) => inbox.put(JSON.parse(read(data)))
  socket.onclose = ({ code, reason }) => {
    inbox.end(new Error(`closed ${code} ${reason}`))
    closed.resolve({ code, reason })
  }
  socket.onerror = () => {}
  const send = (frame: unknown) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  const client: Client = {
    socket,
    next: inbox.take,
    send,
    async follow(d) {
      send({ op: 2, d })
      const frame = await inbox.take()
      if (frame.t !== 'INIT_STATE') throw new Error(`expected INIT_STATE, got ${JSON.stringify(frame)}`)
      return frame
    },
    async soFar() {
      send({ op: 2, d: { subscribe_to_id: 'nobody' } })
      const frames: Frame[] = []
      for (;;) {
        const frame = await inbox.take()
        if (frame.t === 'INIT_STATE' && Object.keys(frame.d).length === 0) return frames
        frames.push(frame)
      }
    },
    closed: closed.promise,
    close: () => socket.close(),
  }
  return client
}

/** Inflates one complete zlib stream and nothing else: neither less nor bytes behind it. */
export function inflateWhole(data: ArrayBuffer | Buffer): string {
  const { buffer, engine } = inflateSync(data, { info: true }) as unknown as {
    buffer: Buffer
    engine: { bytesWritten: number }
  }
  if (engine.bytesWritten !== data.byteLength) throw new Error('bytes behind the zlib stream')
  return buffer.toString()
}

function createInbox<T>() {
  const arrived: T[] = []
  const takers: PromiseWithResolvers<T>[] = []
  let over: Error | undefined
  return {
    put(item: T) {
      const taker = takers.shift()
      if (taker === undefined) arrived.push(item)
      else taker.resolve(item)
    },
    end(error: Error) {
      over = error
      for (const taker of takers) taker.reject(error)
    },
    take(): Promise<T> {
      const item = arrived.shift()
      if (item !== undefined) return Promise.resolve(item)
      if (over !== undefined) return Promise.reject(over)
      const taker = Promise.withResolvers<T>()
      takers.push(taker)
      return taker.promise
    },
  }
}

const HANDSHAKE = [
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** One WebSocket frame as it is on the wire. */
export interface WireFrame {
  opcode: number
  payload: Buffer
  rsv: number
}

/** TCP with the WebSocket handshake sent: what no WebSocket client lets one do. */
export function openRaw(port: number, head: string | Buffer = upgradeHead()) {
  const tcp = connect(port, '127.0.0.1')
  const frames = createInbox<WireFrame>()
  const response = Promise.withResolvers<string>()
  const closed = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  const reader = createFrameReader(response.resolve, frames.put)
  tcp.on('data', chunk => {
    const bytes = Buffer.from(chunk)
    chunks.push(bytes)
    reader(bytes)
  })
  tcp.on('error', () => {})
  tcp.on('close', () => {
    frames.end(new Error('closed'))
    closed.resolve()
  })
  tcp.write(head)
  return {
    tcp,
    /** Status line and headers of the answer. */
    response: response.promise,
    /** What the kernel gave in one piece each. */
    chunks,
    next: frames.take,
    write: (...bytes: Buffer[]) => void tcp.write(Buffer.concat(bytes)),
    send: (frame: unknown) => void tcp.write(wireFrame(1, JSON.stringify(frame))),
    closed: closed.promise,
    close: () => tcp.destroy(),
  }
}

export type RawClient = ReturnType<typeof openRaw>

/** The handshake, with more headers if need be. */
export function upgradeHead(headers: readonly string[] = [], path = '/socket'): string {
  return `${[`GET ${path} HTTP/1.1`, ...HANDSHAKE, ...headers].join('\r\n')}\r\n\r\n`
}

/** Splits what arrives into the head of the answer and frames; joins bytes only when a whole frame is there. */
function createFrameReader(onHead: (head: string) => void, onFrame: (frame: WireFrame) => void) {
  let parts: Buffer[] = []
  let length = 0
  let needed = 0
  let upgraded = false
  return (chunk: Buffer) => {
    parts.push(chunk)
    length += chunk.length
    if (length < needed) return
    let bytes: Buffer = Buffer.concat(parts)
    if (!upgraded) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end !== -1) {
        upgraded = true
        onHead(bytes.subarray(0, end).toString('latin1'))
        bytes = bytes.subarray(end + 4)
      }
    }
    if (upgraded) ({ rest: bytes, needed } = readFrames(bytes, onFrame))
    parts = [bytes]
    length = bytes.length
  }
}

/** Returns what is left, and how long it must be before it makes sense to look again. */
function readFrames(bytes: Buffer, onFrame: (frame: WireFrame) => void): { rest: Buffer; needed: number } {
  for (let rest = bytes; ; ) {
    const short = rest.length < 2 ? 0 : (rest[1] as number) & 0x7f
    const start = short < 126 ? 2 : short === 126 ? 4 : 10
    if (rest.length < start) return { rest, needed: start }
    const size = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2))
    if (rest.length < start + size) return { rest, needed: start + size }
    const first = rest[0] as number
    onFrame({ opcode: first & 0x0f, rsv: (first >> 4) & 0x07, payload: rest.subarray(start, start + size) })
    rest = rest.subarray(start + size)
  }
}

/** A masked client frame; the mask is zero, so the payload is readable as it is. */
export function wireFrame(opcode: number, payload: string | Buffer, fin = true): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const head = Buffer.alloc(14)
  head[0] = (fin ? 0x80 : 0) | opcode
  const size = body.length < 126 ? 2 : body.length < 65_536 ? 4 : 10
  head[1] = 0x80 | (size === 2 ? body.length : size === 4 ? 126 : 127)
  if (size === 4) head.writeUInt16BE(body.length, 2)
  if (size === 10) head.writeBigUInt64BE(BigInt(body.length), 2)
  return Buffer.concat([head.subarray(0, size), Buffer.alloc(4), body])
}

/** Code and reason of a close frame. */
export function closeOf(frame: WireFrame): { code: number; reason: string } {
  if (frame.opcode !== 8) throw new Error(`expected a close frame, got opcode ${frame.opcode}`)
  return { code: frame.payload.readUInt16BE(0), reason: frame.payload.subarray(2).toString() }
}

/** A member joins the one guild of these tests. */
export function join(presences: PresenceStore, id: string, presence: object = { status: 'online' }): void {
  const member = { user: { id, username: `user${id}`, discriminator: '0' } }
  if (!presences.putMember('1', member, presence as never)) throw new Error(`cannot join ${id}`)
}

export function setStatus(presences: PresenceStore, id: string, status: string): void {
  if (!presences.patchPresence({ user: { id }, status })) throw new Error(`cannot update ${id}`)
}

/** Every `setKv` is a change of its own: numbers one's updates so that none can go missing unseen. */
export function setNumber(presences: PresenceStore, id: string, number: number, filler = ''): void {
  presences.setKv(id, new Map([['n', String(number)], ...(filler === '' ? [] : [['filler', filler] as const])]))
}

export const numbers = (frames: Frame[]) => frames.map(frame => Number(frame.d.kv.n))
