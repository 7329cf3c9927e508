import type { Counter, Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { spend } from '../lib/token-bucket.ts'
import type { Backlogs } from './backlogs.ts'
import { createCloseCounters } from './close-counters.ts'
import { createFrame, sendFrame } from './frame.ts'
import type { Initializer } from './initializer.ts'
import type { SocketOptions } from './options.ts'
import { CLOSES, type Close, HELLO, type Parsed, parseFrame } from './protocol.ts'
import type { Session, Socket } from './session.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface HandlersDeps {
  options: SocketOptions
  /** Kept up to date: every open socket. */
  sockets: Set<Socket>
  addresses: Addresses
  subscriptions: Subscriptions
  backlogs: Backlogs
  initializer: Initializer
  metrics: Metrics
  outbound: Counter
}

/** Milliseconds. One client under Node loses a Hello that it reads together with the answer to the upgrade. */
const HELLO_DELAY = 5

/** What Bun calls for each connection. */
export function createHandlers(deps: HandlersDeps): Bun.WebSocketHandler<Session> {
  const { options, sockets, addresses, subscriptions, backlogs, initializer, metrics, outbound } = deps
  const inbound = metrics.counter('messages_inbound', 'Messages received from WebSocket clients')
  const countClose = createCloseCounters(metrics)
  const hello = createFrame(HELLO)

  /** The first frame, however early the client speaks: clients read frames by position. */
  function greet(ws: Socket): void {
    if (ws.data.greeted || ws.readyState !== WebSocket.OPEN) return
    ws.data.greeted = true
    sendFrame(ws, hello)
    outbound.inc()
  }

  /** Every kind of frame is a sign of life and counts towards the limit. */
  function hear(ws: Socket): boolean {
    if (spend(ws.data, performance.now(), options.frameBurst, options.framesPerSecond)) return true
    close(ws, CLOSES.rateLimited)
    return false
  }

  function obey(ws: Socket, parsed: Parsed): void {
    if (parsed.kind === 'nothing') return
    if (parsed.kind === 'close') close(ws, parsed)
    else if (!initializer.handle(ws, parsed)) close(ws, CLOSES.rateLimited)
  }

  return {
    // Queues are bounded by backlogs.ts. Negotiated compression would make every broadcast ten times as dear. Silence is
    // noticed by ourselves, and answered by nothing but the end: no client has to expect pings.
    backpressureLimit: 0,
    perMessageDeflate: false,
    idleTimeout: 0,
    sendPings: false,
    // Bun closes with 1009 beyond it, and with 1007 when a text frame is not UTF-8.
    maxPayloadLength: options.maxFrameBytes,

    open(ws) {
      sockets.add(ws)
      addresses.opened(ws.data.address)
      setTimeout(greet, HELLO_DELAY, ws)
    },
    message(ws, message) {
      inbound.inc()
      greet(ws)
      if (!hear(ws)) return
      const text = typeof message === 'string' ? message : decode(message)
      obey(ws, text === null ? CLOSES.invalidText : parseFrame(text))
    },
    ping: ws => void hear(ws),
    pong: ws => void hear(ws),
    drain(ws) {
      backlogs.drained(ws)
      initializer.roomMade()
    },
    close(ws, code, reason) {
      countClose(code, reason)
      sockets.delete(ws)
      addresses.closed(ws.data.address)
      subscriptions.forget(ws)
      backlogs.forget(ws)
      initializer.forget(ws)
      initializer.roomMade()
    },
  }
}

const close = (ws: Socket, { code, reason }: Close) => ws.close(code, reason)
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}
