import type { Interest } from '../domain/interest.ts'
import { HINTS } from '../domain/operator.ts'
import type { Presences } from '../domain/presences.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import type { Quota } from '../lib/quota.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { spend } from '../lib/token-bucket.ts'
import { Backpressure } from './backpressure.ts'
import { Precedence, Turns } from './fair-queue.ts'
import { Frame, sendFrame } from './frame.ts'
import { InitialStates } from './init-state.ts'
import { LongUpdates } from './long-updates.ts'
import { OpQueue } from './op-queue.ts'
import { CLOSES, type Close, extraCost, HELLO, type Parsed, parseFrame } from './protocol.ts'
import type { Publisher } from './publisher.ts'
import { createSession, DEFAULTS, type Session, type Socket, type SocketOptions } from './session.ts'
import { namedBy, Subscriptions } from './subscriptions.ts'
import { type TopicServer, Topics } from './topics.ts'
import { watch } from './watch.ts'

/** Codes counted each by itself. Clients may close with any of thousands; the rest is counted together. */
const CODES = [1000, 1001, 1005, 1006, 1007, 1009, 4004, 4005, 4006, 4008]

/** Bun closes these by itself, and reports them as 1006 with a reason. */
const BY_REASON: ReadonlyMap<string, number> = new Map([
  ['Received invalid UTF-8', 1007],
  ['Received too big message', 1009],
])

/** Counts closed sockets by close code. */
class CloseCounters {
  readonly #known: ReadonlyMap<number, Counter>
  readonly #other: Counter

  constructor(metrics: Metrics) {
    const counter = (code: string) =>
      metrics.counter('socket_closes_total', 'Closed WebSockets by close code', { code })
    this.#known = new Map(CODES.map(code => [code, counter(String(code))]))
    this.#other = counter('other')
  }

  count(code: number, reason: string): void {
    const known = this.#known.get(BY_REASON.get(reason) ?? code) ?? this.#other
    known.inc()
  }
}

/** What of Bun's server is needed to accept a WebSocket, and to reach all of them. */
interface Upgrader extends TopicServer {
  upgrade(request: Request, options: { data: Session }): boolean
}

/** Until the first socket there is no server, and nobody to be reached. */
const NO_SERVER: TopicServer = { publish: () => 0, subscriberCount: () => 0 }

interface SocketsDeps {
  readonly presences: Presences
  readonly publisher: Publisher
  readonly addresses: Addresses
  readonly interest: Interest
  /** Bytes that wait to be read, and bytes that names of people take: each address and together. */
  readonly unread: Quota
  readonly names: Quota
  readonly metrics: Metrics
  readonly log: Log
  readonly clock?: Clock
  readonly options?: Partial<SocketOptions> | undefined
}

/** Milliseconds. One client under Node loses a Hello that it reads together with the answer to the upgrade. */
const HELLO_DELAY = 5
const HELLO_FRAME = new Frame(HELLO)

/** People from which on an INIT_STATE of everybody keeps others waiting for longer than anything else. */
const LARGE_CROWD = 50_000

/** The WebSocket side: who is connected, whom they follow, and every frame they get. */
export class Sockets {
  /** Handlers for the server that listens. */
  readonly websocket: Bun.WebSocketHandler<Session>
  readonly #options: SocketOptions
  readonly #deps: SocketsDeps
  readonly #sockets = new Set<Socket>()
  readonly #subscriptions: Subscriptions
  readonly #backpressure: Backpressure
  readonly #turns: Turns
  readonly #longUpdates: LongUpdates
  readonly #ops: OpQueue
  readonly #inbound: Counter
  readonly #outbound: Counter
  readonly #slow: Counter
  readonly #silent: Counter
  readonly #closes: CloseCounters
  readonly #stopWatching: () => void
  /** The server of the first socket, and of every one since. */
  #server: TopicServer = NO_SERVER
  #closed = false
  #warned = false

  constructor(deps: SocketsDeps) {
    const { presences, publisher, interest, metrics, unread, names, clock = systemClock } = deps
    this.#deps = deps
    this.#options = { ...DEFAULTS, ...deps.options }
    const { maxSubscriptions: maxNamed, maxQueuedBytes, checkInterval } = this.#options
    this.#inbound = metrics.counter('messages_inbound', 'Messages received from WebSocket clients')
    this.#outbound = metrics.counter('messages_outbound', 'Messages sent to WebSocket clients')
    this.#slow = metrics.counter('slow_sockets_closed_total', 'WebSockets closed because the client did not read')
    this.#silent = metrics.counter('silent_sockets_closed_total', 'WebSockets closed because the client was silent')
    this.#closes = new CloseCounters(metrics)
    const subscriptions = new Subscriptions({ presences, interest, names, maxNamed })
    const closeSlow = (ws: Socket, queued: number) => this.#closeSlow(ws, queued)
    const shared = {
      presences,
      interest,
      publisher,
      sockets: this.#sockets,
      subscriptions,
      backpressure: new Backpressure({ ...this.#options, sockets: this.#sockets, unread, closeSlow }),
      turns: new Turns(clock),
      precedence: new Precedence(),
      initialStates: new InitialStates(presences, publisher),
      outbound: this.#outbound,
    }
    const longUpdates = new LongUpdates(shared)
    const ops = new OpQueue({ ...shared, longUpdates, names, maxQueuedBytes, clock })
    publisher.add(new Topics({ ...shared, longUpdates, ops, server: () => this.#server }))
    this.#subscriptions = subscriptions
    this.#backpressure = shared.backpressure
    this.#turns = shared.turns
    this.#longUpdates = longUpdates
    this.#ops = ops
    this.#measure(metrics)
    this.#stopWatching = watch(checkInterval, {
      check: now => this.#check(now),
      resumed: now => this.#backpressure.resumed(now),
    })
    this.websocket = this.#handlers()
  }

  /** Whether one more socket may be opened from this address. If not, answer 429. */
  admits(address: string): boolean {
    return this.#deps.addresses.admits(address)
  }

  /** Turns a request for `/socket` into a WebSocket. False when it is not a request for one, or everything stops. */
  upgrade(request: Request, server: Upgrader, address: string): boolean {
    if (this.#closed) return false
    this.#server = server
    return server.upgrade(request, { data: createSession(request.url, address, this.#options.frameBurst) })
  }

  /** Closes every socket with 1001, behind what the publisher has sent. */
  close(): void {
    this.#closed = true
    this.#turns.stop()
    this.#ops.stop()
    this.#longUpdates.stop()
    for (const ws of this.#sockets) close(ws, CLOSES.goingAway)
    this.#stopWatching()
  }

  #measure(metrics: Metrics): void {
    const { everybody, named } = {
      everybody: () => this.#subscriptions.everybody,
      named: () => this.#subscriptions.named,
    }
    metrics.gauge('connected_sessions', 'Open WebSockets', () => this.#sockets.size)
    metrics.gauge('subscriptions', 'What WebSockets follow', everybody, { to: 'everybody' })
    metrics.gauge('subscriptions', 'What WebSockets follow', named, { to: 'one_user' })
  }

  /** What Bun calls for each connection. */
  #handlers(): Bun.WebSocketHandler<Session> {
    return {
      // Queues are bounded by backpressure.ts. Negotiated compression would make every broadcast ten times as dear.
      // Silence is noticed by ourselves, and answered by nothing but the end: no client has to expect pings.
      backpressureLimit: 0,
      perMessageDeflate: false,
      idleTimeout: 0,
      sendPings: false,
      // Bun closes with 1009 beyond it, and with 1007 when a text frame is not UTF-8.
      maxPayloadLength: this.#options.maxFrameBytes,

      open: ws => {
        this.#sockets.add(ws)
        this.#deps.addresses.opened(ws.data.address)
        setTimeout(() => this.#greet(ws), HELLO_DELAY)
      },
      message: (ws, message) => this.#receive(ws, message),
      ping: ws => void this.#charge(ws),
      pong: ws => void this.#charge(ws),
      drain: ws => {
        this.#backpressure.drained(ws)
        this.#resume()
      },
      close: (ws, code, reason) => {
        this.#closes.count(code, reason)
        this.#forget(ws)
      },
    }
  }

  /** The first frame, however early the client speaks: clients read frames by position. */
  #greet(ws: Socket): void {
    if (ws.data.greeted || ws.readyState !== WebSocket.OPEN) return
    ws.data.greeted = true
    sendFrame(ws, HELLO_FRAME)
    this.#outbound.inc()
  }

  #receive(ws: Socket, message: string | Uint8Array): void {
    this.#inbound.inc()
    this.#greet(ws)
    if (!this.#charge(ws)) return
    this.#execute(ws, parseFrame(message))
  }

  /** Every kind of frame is a sign of life and counts towards the limit, some as more than one. */
  #charge(ws: Socket, cost = 1): boolean {
    const { frameBurst, framesPerSecond } = this.#options
    if (spend(ws.data, performance.now(), frameBurst, framesPerSecond, cost)) return true
    close(ws, CLOSES.rateLimited)
    return false
  }

  #execute(ws: Socket, parsed: Parsed): void {
    if (parsed.kind === 'nothing' || !this.#charge(ws, extraCost(parsed, namedBy(ws.data)))) return
    if (parsed.kind === 'close') close(ws, parsed)
    else if (parsed.kind === 'followAll' && !this.#mayFollowAll()) close(ws, CLOSES.invalidPayload)
    else if (!this.#ops.handle(ws, parsed)) close(ws, CLOSES.rateLimited)
  }

  #mayFollowAll(): boolean {
    const { presences, log } = this.#deps
    if (!this.#options.subscribeToAll) return false
    if (presences.size > LARGE_CROWD && !this.#warned) {
      this.#warned = true
      log.warn(HINTS.largeCrowd(presences.size))
    }
    return true
  }

  /** What waits for memory, or for a reader, may be able to go on. */
  #resume(): void {
    this.#ops.resume()
    this.#longUpdates.resume()
  }

  #forget(ws: Socket): void {
    this.#sockets.delete(ws)
    this.#deps.addresses.closed(ws.data.address)
    this.#subscriptions.forget(ws)
    this.#backpressure.forget(ws)
    this.#ops.forget(ws)
    this.#longUpdates.forget(ws)
    this.#resume()
  }

  /** A close frame would never be read; ending the connection frees the memory at once. */
  #closeSlow(ws: Socket, queued: number): void {
    this.#slow.inc()
    this.#deps.log.debug('closed a WebSocket whose client does not read', { queued })
    ws.terminate()
  }

  /** Bun's own idle timeout is of no use here: it starts anew with every message sent to the client. */
  #check(now: number): void {
    for (const ws of this.#sockets) {
      if (now - ws.data.heardAt < this.#options.maxSilence) continue
      this.#silent.inc()
      ws.terminate()
    }
    this.#backpressure.checkProgress(now, this.#ops.crowded || this.#longUpdates.crowded)
    this.#resume() // so that nothing waits for ever on a drain event that did not come
  }
}

const close = (ws: Socket, { code, reason }: Close) => ws.close(code, reason)
