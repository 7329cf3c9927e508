import type { WebSocketHandler } from 'bun'
import type { BotRecorder } from '../recorder.ts'
import type { Json } from '../types.ts'
import { isObject } from './identify.ts'
import type { GatewayOps } from './ops.ts'
import { FINAL_CODES, type Refusal, Refused } from './refusals.ts'
import type { SessionControl } from './session.ts'
import type { Sessions } from './sessions.ts'
import { type Connection, createWire, type Socket, sendOp } from './wire.ts'

export interface GatewayOptions {
  sessions: Sessions
  ops: GatewayOps
  recorder: BotRecorder
  now: () => number
  heartbeatIntervalMs: number
}

export interface Gateway {
  readonly websocket: WebSocketHandler<Connection>
  sockets(): ReadonlySet<Socket>
  /** Parts a socket from its session, which goes on without it. */
  leaveSession(socket: Socket): void
  /** Makes a socket dead while it stays open. */
  silence(socket: Socket): void
  /** Resolves when a socket has sent what it had queued, or is gone. */
  drained(): Promise<void>
}

/** Docs: Gateway, "Sending Events" and "Rate Limiting". */
const MAX_PAYLOAD_BYTES = 4096
const SENDS_PER_WINDOW = 120
const WINDOW_MS = 60_000

/** The gateway's sockets: HELLO, heartbeats, limits on what the bot sends, and what a close means for the session. */
export function createGateway(options: GatewayOptions): Gateway {
  const { sessions, recorder, now } = options
  const sockets = new Set<Socket>()
  let drainWaiters: (() => void)[] = []

  function onOpen(socket: Socket): void {
    const { data } = socket
    sockets.add(socket)
    data.wire = createWire(socket)
    recorder.record('connect', { path: data.path, query: data.query })
    if (data.silent) return
    const refusal = refuseQuery(data.query)
    if (refusal) {
      close(socket, refusal)
      return
    }
    sendOp(socket, 10, { heartbeat_interval: options.heartbeatIntervalMs, _trace: [] })
    expectHeartbeat(socket)
  }

  function onMessage(socket: Socket, raw: string | Buffer): void {
    if (socket.data.silent || socket.data.closedWith !== null) return
    const refusal = read(socket, raw)
    if (refusal) close(socket, refusal)
  }

  function read(socket: Socket, raw: string | Buffer): Refusal | null {
    if (tooMany(socket.data)) return Refused.rateLimited
    if (typeof raw !== 'string' || Buffer.byteLength(raw) > MAX_PAYLOAD_BYTES) return Refused.decodeError
    const payload = parse(raw)
    if (!payload || !Number.isInteger(payload.op)) return Refused.decodeError
    if (payload.op === 1) expectHeartbeat(socket)
    return options.ops(socket, payload.op as number, payload.d)
  }

  function onClose(socket: Socket, code: number): void {
    const { data } = socket
    sockets.delete(socket)
    if (data.heartbeatTimer) clearTimeout(data.heartbeatTimer)
    const by = data.closedWith === null ? 'bot' : 'simulator'
    const session = leaveSession(socket)
    const finished = by === 'bot' ? code === 1000 || code === 1001 : FINAL_CODES.includes(code)
    if (session && finished) sessions.forget(session)
    wakeDrainWaiters()
    recorder.record('close', { session, code: data.closedWith ?? code, by })
  }

  function leaveSession(socket: Socket): SessionControl | null {
    const { session, wire } = socket.data
    socket.data.session = null
    // Another connection may have taken the session over already.
    if (session && session.wire() === wire) session.detach(now())
    return session
  }

  function silence(socket: Socket): void {
    socket.data.silent = true
    if (socket.data.heartbeatTimer) clearTimeout(socket.data.heartbeatTimer)
  }

  function tooMany(data: Connection): boolean {
    if (now() - data.windowStart >= WINDOW_MS) Object.assign(data, { windowStart: now(), received: 0 })
    return ++data.received > SENDS_PER_WINDOW
  }

  function expectHeartbeat(socket: Socket): void {
    if (socket.data.heartbeatTimer) clearTimeout(socket.data.heartbeatTimer)
    const timeout = () => close(socket, Refused.sessionTimedOut)
    socket.data.heartbeatTimer = setTimeout(timeout, options.heartbeatIntervalMs * 1.5)
  }

  function wakeDrainWaiters(): void {
    const waiters = drainWaiters
    drainWaiters = []
    for (const wake of waiters) wake()
  }

  return {
    websocket: {
      open: onOpen,
      message: onMessage,
      close: onClose,
      drain: wakeDrainWaiters,
      maxPayloadLength: 1 << 20,
      // A bot that reads slowly is never cut off: the chunks of a huge guild may wait here.
      backpressureLimit: 0,
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
    },
    sockets: () => sockets,
    leaveSession,
    silence,
    drained: () => new Promise(resolve => drainWaiters.push(resolve)),
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
