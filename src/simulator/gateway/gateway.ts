import type { WebSocketHandler } from 'bun'
import type { BotRecorder } from '../recorder.ts'
import type { Json } from '../types.ts'
import { isObject } from './identify.ts'
import type { GatewayOps } from './ops.ts'
import { FINAL_CODES, type Refusal, Refused } from './refusals.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { type Connection, createWire, type Socket, sendOp } from './wire.ts'

export interface GatewayOptions {
  sessions: Sessions
  ops: GatewayOps
  recorder: BotRecorder
  now: () => number
  heartbeatIntervalMs: number
}

/** Docs: Gateway, "Sending Events" and "Rate Limiting". */
const MAX_PAYLOAD_BYTES = 4096
const SENDS_PER_WINDOW = 120
const WINDOW_MS = 60_000

/** The gateway's sockets: HELLO, heartbeats, limits on what the bot sends, and what a close means for the session. */
export class GatewayServer {
  readonly websocket: WebSocketHandler<Connection>
  readonly #sessions: Sessions
  readonly #recorder: BotRecorder
  readonly #now: () => number
  readonly #sockets = new Set<Socket>()
  #drainWaiters: (() => void)[] = []
  readonly #options: GatewayOptions

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#sessions = options.sessions
    this.#recorder = options.recorder
    this.#now = options.now
    this.websocket = {
      open: socket => this.#onOpen(socket),
      message: (socket, raw) => this.#onMessage(socket, raw),
      close: (socket, code) => this.#onClose(socket, code),
      drain: () => this.#wakeDrainWaiters(),
      maxPayloadLength: 1 << 20,
      // A bot that reads slowly is never cut off: the chunks of a huge guild may wait here.
      backpressureLimit: 0,
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
    }
  }

  /** Parts a socket from its session, which goes on without it. */
  leaveSession(socket: Socket): Session | null {
    const { session, wire } = socket.data
    socket.data.session = null
    // Another connection may have taken the session over already.
    if (session && session.wire() === wire) session.detach(this.#now())
    return session
  }

  /** Makes a socket dead while it stays open. */
  silence(socket: Socket): void {
    socket.data.silent = true
    if (socket.data.heartbeatTimer) clearTimeout(socket.data.heartbeatTimer)
  }

  sockets(): Set<Socket> {
    return this.#sockets
  }

  /** Resolves when a socket has sent what it had queued, or is gone. */
  drained(): Promise<void> {
    return new Promise(resolve => this.#drainWaiters.push(resolve))
  }

  #onOpen(socket: Socket): void {
    const { data } = socket
    this.#sockets.add(socket)
    data.wire = createWire(socket)
    this.#recorder.record('connect', { path: data.path, query: data.query })
    if (data.silent) return
    const refusal = refuseQuery(data.query)
    if (refusal) {
      close(socket, refusal)
      return
    }
    sendOp(socket, 10, { heartbeat_interval: this.#options.heartbeatIntervalMs, _trace: [] })
    this.#expectHeartbeat(socket)
  }

  #onMessage(socket: Socket, raw: string | Buffer): void {
    if (socket.data.silent || socket.data.closedWith !== null) return
    const refusal = this.#read(socket, raw)
    if (refusal) close(socket, refusal)
  }

  #read(socket: Socket, raw: string | Buffer): Refusal | null {
    if (this.#tooMany(socket.data)) return Refused.rateLimited
    if (typeof raw !== 'string' || Buffer.byteLength(raw) > MAX_PAYLOAD_BYTES) return Refused.decodeError
    const payload = parse(raw)
    if (!payload || !Number.isInteger(payload.op)) return Refused.decodeError
    if (payload.op === 1) this.#expectHeartbeat(socket)
    return this.#options.ops.handle(socket, payload.op as number, payload.d)
  }

  #onClose(socket: Socket, code: number): void {
    const { data } = socket
    this.#sockets.delete(socket)
    if (data.heartbeatTimer) clearTimeout(data.heartbeatTimer)
    const by = data.closedWith === null ? 'bot' : 'simulator'
    const session = this.leaveSession(socket)
    const finished = by === 'bot' ? code === 1000 || code === 1001 : FINAL_CODES.includes(code)
    if (session && finished) this.#sessions.forget(session)
    this.#wakeDrainWaiters()
    this.#recorder.record('close', { session, code: data.closedWith ?? code, by })
  }

  #tooMany(data: Connection): boolean {
    if (this.#now() - data.windowStart >= WINDOW_MS) Object.assign(data, { windowStart: this.#now(), received: 0 })
    return ++data.received > SENDS_PER_WINDOW
  }

  #expectHeartbeat(socket: Socket): void {
    if (socket.data.heartbeatTimer) clearTimeout(socket.data.heartbeatTimer)
    const timeout = () => close(socket, Refused.sessionTimedOut)
    socket.data.heartbeatTimer = setTimeout(timeout, this.#options.heartbeatIntervalMs * 1.5)
  }

  #wakeDrainWaiters(): void {
    const waiters = this.#drainWaiters
    this.#drainWaiters = []
    for (const wake of waiters) wake()
  }
}

function close(socket: Socket, refusal: Refusal): void {
  socket.data.wire?.close(refusal.code, refusal.reason)
}

function refuseQuery(query: Record<string, string>): Refusal | null {
  if (query.v !== '10' && query.v !== '9') return Refused.invalidVersion
  return (query.encoding ?? 'json') === 'json' ? null : Refused.decodeError
}

function parse(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}
