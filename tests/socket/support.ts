import { connect } from 'node:net'
import { inflateSync } from 'node:zlib'
import { createLog } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createPresenceStore, type PresenceStore } from '../../src/presence-store.ts'
import { createSockets, type SocketOptions } from '../../src/socket/sockets.ts'

/** A server with nothing but the sockets, on a free port. */
export function startServer(options: Partial<SocketOptions> = {}) {
  const presences = createPresenceStore()
  const metrics = createMetrics()
  const log = createLog({ level: 'silent', format: 'text' })
  const sockets = createSockets({ presences, metrics, log, options })
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
  sockets.attach(server)
  const clients: { close(): void }[] = []
  const track = <T extends { close(): void }>(client: T): T => {
    clients.push(client)
    return client
  }
  return {
    presences,
    metrics,
    sockets,
    server,
    port: server.port as number,
    url: `ws://127.0.0.1:${server.port}/socket`,
    /** A client that speaks WebSocket, plain or compressed. */
    client: (query = '') => openClient(`ws://127.0.0.1:${server.port}/socket${query}`).then(track),
    raw: (head?: string) => track(openRaw(server.port as number, head)),
    async stop() {
      for (const client of clients) client.close()
      sockets.close()
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
  socket.onmessage = ({ data }) => inbox.put(JSON.parse(typeof data === 'string' ? data : inflateWhole(data)))
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
function inflateWhole(data: ArrayBuffer): string {
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

export const UPGRADE = [
  'GET /socket HTTP/1.1',
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
export function openRaw(port: number, head = `${UPGRADE.join('\r\n')}\r\n\r\n`) {
  const tcp = connect(port, '127.0.0.1')
  const frames = createInbox<WireFrame>()
  const response = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  const closed = Promise.withResolvers<void>()
  let seen: Buffer = Buffer.alloc(0)
  let upgraded = false
  tcp.on('data', chunk => {
    chunks.push(Buffer.from(chunk))
    seen = Buffer.concat([seen, chunk])
    if (!upgraded) {
      const end = seen.indexOf('\r\n\r\n')
      if (end === -1) return
      upgraded = true
      response.resolve(seen.subarray(0, end).toString('latin1'))
      seen = seen.subarray(end + 4)
    }
    for (let frame = readFrame(seen); frame !== null; frame = readFrame(seen)) {
      frames.put(frame)
      seen = seen.subarray(frame.length)
    }
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

export function readFrame(bytes: Buffer): (WireFrame & { length: number }) | null {
  if (bytes.length < 2) return null
  const short = (bytes[1] as number) & 0x7f
  const start = short < 126 ? 2 : short === 126 ? 4 : 10
  if (bytes.length < start) return null
  const size = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < start + size) return null
  const first = bytes[0] as number
  return {
    opcode: first & 0x0f,
    rsv: (first >> 4) & 0x07,
    payload: bytes.subarray(start, start + size),
    length: start + size,
  }
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
