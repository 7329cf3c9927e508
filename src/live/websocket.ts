import type { Change, Presences } from '../domain/presences.ts'
import type { Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { spend } from '../lib/token-bucket.ts'
import { type Backlogs, createBacklogs } from './backpressure.ts'
import { createFrame, sendFrame } from './frame.ts'
import { createInitializer, createInitialStates, type Initializer } from './init-state.ts'
import { CLOSES, type Close, extraCost, HELLO, type Parsed, parseFrame } from './protocol.ts'
import type { Sequence } from './sequence.ts'
import { createSession, DEFAULTS, type Session, type Socket, type SocketOptions } from './session.ts'
import { createSubscriptions, type Subscriptions } from './subscriptions.ts'
import { createTopics, type Publisher } from './topics.ts'

/** Codes counted each by itself. Clients may close with any of thousands; the rest is counted together. */
const CODES = [1000, 1001, 1005, 1006, 1007, 1009, 4004, 4005, 4006, 4008]

/** Bun closes these by itself, and reports them as 1006 with a reason. */
const BY_REASON: ReadonlyMap<string, number> = new Map([
  ['Received invalid UTF-8', 1007],
  ['Received too big message', 1009],
])

/** Counts closed sockets by close code. */
function createCloseCounters(metrics: Metrics): (code: number, reason: string) => void {
  const counter = (code: string) => metrics.counter('socket_closes_total', 'Closed WebSockets by close code', { code })
  const counters = new Map<number, Counter>(CODES.map(code => [code, counter(String(code))]))
  const other = counter('other')
  return (code, reason) => {
    const known = counters.get(BY_REASON.get(reason) ?? code) ?? other
    known.inc()
  }
}

interface HandlersDeps {
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
function createHandlers(deps: HandlersDeps): Bun.WebSocketHandler<Session> {
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

  /** Every kind of frame is a sign of life and counts towards the limit, some as more than one. */
  function charge(ws: Socket, cost = 1): boolean {
    if (spend(ws.data, performance.now(), options.frameBurst, options.framesPerSecond, cost)) return true
    close(ws, CLOSES.rateLimited)
    return false
  }

  function execute(ws: Socket, parsed: Parsed): void {
    if (parsed.kind === 'nothing' || !charge(ws, extraCost(parsed))) return
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
      if (!charge(ws)) return
      const text = typeof message === 'string' ? message : decode(message)
      execute(ws, text === null ? CLOSES.invalidPayload : parseFrame(text))
    },
    ping: ws => void charge(ws),
    pong: ws => void charge(ws),
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

export type { SocketOptions } from './session.ts'

/** The WebSocket side: who is connected, whom they follow, and every frame they get. */
interface Sockets {
  /** Handlers for the server that listens. */
  readonly websocket: Bun.WebSocketHandler<Session>
  /** Whether one more socket may be opened from this address. If not, answer 429. */
  admits(address: string): boolean
  /** Turns a request for `/socket` into a WebSocket. False when it is not a request for one, or everything stops. */
  upgrade(request: Request, server: Upgrader, address: string): boolean
  /** Closes every socket with 1001 and lets go of the store. */
  close(): void
}

/** What of Bun's server is needed to accept a WebSocket, and to reach all of them. */
interface Upgrader extends Publisher {
  upgrade(request: Request, options: { data: Session }): boolean
}

interface SocketsDeps {
  presences: Presences
  /** Numbers every frame. */
  sequence: Sequence
  addresses: Addresses
  metrics: Metrics
  log: Log
  options?: Partial<SocketOptions>
}

export function createSockets(deps: SocketsDeps): Sockets {
  const { presences, sequence, addresses, metrics, log, options: given = {} } = deps
  const options = { ...DEFAULTS, ...given }
  const sockets = new Set<Socket>()
  const outbound = metrics.counter('messages_outbound', 'Messages sent to WebSocket clients')
  const slow = metrics.counter('slow_sockets_closed_total', 'WebSockets closed because the client did not read')
  const silent = metrics.counter('silent_sockets_closed_total', 'WebSockets closed because the client was silent')

  /** The server of the first socket, and of every one since. */
  let server: Publisher | undefined
  const publisher: Publisher = {
    publish: (topic, data) => server?.publish(topic, data) ?? 0,
    subscriberCount: topic => server?.subscriberCount(topic) ?? 0,
  }
  const subscriptions = createSubscriptions(options.maxSubscriptions)
  const backlogs = createBacklogs({ ...options, sockets, closeSlow })
  const topics = createTopics({
    presences,
    publisher,
    sequence,
    picky: subscriptions.picky,
    sockets,
    backlogs,
    outbound,
    maxQueuedBytes: options.maxQueuedBytes,
  })
  const initialStates = createInitialStates(presences, sequence)
  const initializer = createInitializer({
    maxQueuedBytes: options.maxQueuedBytes,
    presences,
    subscriptions,
    initialStates,
    topics,
    backlogs,
    onSent: () => outbound.inc(),
  })
  const websocket = createHandlers({
    options,
    sockets,
    addresses,
    subscriptions,
    backlogs,
    initializer,
    metrics,
    outbound,
  })

  metrics.gauge('connected_sessions', 'Open WebSockets', () => sockets.size)
  metrics.gauge('subscriptions', 'What WebSockets follow', () => subscriptions.everybody, { to: 'everybody' })
  metrics.gauge('subscriptions', 'What WebSockets follow', () => subscriptions.named, { to: 'one_user' })

  /** A close frame would never be read; ending the connection frees the memory at once. */
  function closeSlow(ws: Socket, queued: number): void {
    slow.inc()
    log.debug('closed a WebSocket whose client does not read', { queued })
    ws.terminate()
  }

  function change(change: Change): void {
    initialStates.outdated()
    if (sockets.size > 0) topics.change(change)
  }

  /** Bun's own idle timeout is of no use here: it starts anew with every message sent to the client. */
  function check(): void {
    const now = performance.now()
    for (const ws of sockets) {
      if (now - ws.data.heardAt < options.maxSilence) continue
      silent.inc()
      ws.terminate()
    }
    backlogs.checkProgress(now, initializer.crowded)
    initializer.roomMade() // so that no command waits for ever on a drain event that did not come
  }

  const stopListening = presences.onChange(change)
  const timer = setInterval(check, options.checkInterval)
  let closed = false

  return {
    websocket,
    admits: addresses.admits,
    upgrade(request, upgrader, address) {
      if (closed) return false
      server = upgrader
      const zlib = new URLSearchParams(queryOf(request.url)).get('compression') === 'zlib_json'
      return upgrader.upgrade(request, { data: createSession(zlib, address, options.frameBurst) })
    },
    close() {
      closed = true
      topics.flush()
      initializer.stop()
      for (const ws of sockets) ws.close(CLOSES.goingAway.code, CLOSES.goingAway.reason)
      stopListening()
      clearInterval(timer)
    },
  }
}

/** Not through URL: with a strange Host header, or none, there is no URL to be parsed. */
function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at)
}
