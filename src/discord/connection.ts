import type { Clock } from '../lib/clock.ts'
import { FrameQueue } from './frame-queue.ts'
import { type DropReason, invalidSession, readFrame } from './frames.ts'
import { ABNORMAL, GatewaySocket, type Route, type Timeouts } from './socket.ts'
import { addDialer, type LibrarySocket } from './websocket-shim.ts'

/** Why a connection has ended, as far as that is known. */
export type Ending =
  /** Discord asked to reconnect (op 7). */
  | 'asked'
  /** Heartbeats were not answered. */
  | 'no heartbeat'
  | 'lost'

/** What a connection asks and tells its shard. */
interface ConnectionEvents {
  /** Where the gateway is: its address has no query. */
  route(): Route
  /** How long to wait before dialing, milliseconds. */
  delayMs(): number
  dialing(): void
  /** HELLO came: a gateway is at the other end. */
  greeted(): void
  /** Op 9 came. The answer is whether the library may try to resume. */
  invalidated(resumable: boolean): boolean
  /** The library sent a payload with this opcode. */
  sent(opcode: number): void
  dropped(reason: DropReason): void
  /** A socket was closed, or could not be opened. Told before the library hears of it. */
  closed(code: number, problem: string, ending: Ending): void
}

/** A private close code, which leaves the session resumable; 1000 and 1001 would end it (docs: Gateway, "Resuming"). */
export const GOING_AWAY = 4200

/** What the library says as it closes a connection whose heartbeats are not answered. */
const UNANSWERED = 'Zombie connection'

/**
 * A shard's way to the gateway, through all its sockets: the library opens, we dial – with back-off, patience and checked
 * frames. At most one socket is open at a time.
 */
export class Connection {
  /** Opens sockets to the gateway when the library is told that this is its address. */
  readonly address: string
  readonly #removeDialer: () => void
  #current: Dialed | null = null

  constructor(events: ConnectionEvents, timeouts: Timeouts, clock: Clock) {
    const { address, remove } = addDialer(query => {
      // The library lets go of a connection that is still connecting without closing it.
      this.#current?.abandon()
      this.#current = new Dialed(query, events, timeouts, clock)
      return this.#current
    })
    this.address = address
    this.#removeDialer = remove
  }

  /** Sends past the library, whose own queue forgets what it holds at a reconnect. False when nothing was sent. */
  send(text: string): boolean {
    return this.#current?.write(text) ?? false
  }

  /** Ends the socket as if the network had. */
  drop(problem: string): void {
    this.#current?.fail(problem)
  }

  /** Says goodbye without ending the session; within so many milliseconds. No socket is opened any more. */
  async close(closeMs: number): Promise<void> {
    this.#removeDialer()
    this.#current?.hangUp(GOING_AWAY, 'going away', closeMs)
    await this.#current?.over
  }
}

/** One socket of the library's, with ours behind it. */
class Dialed implements LibrarySocket {
  binaryType = 'arraybuffer'
  onopen: LibrarySocket['onopen'] = null
  onmessage: LibrarySocket['onmessage'] = null
  // Never called: the library would end a session that can be resumed.
  onerror: LibrarySocket['onerror'] = null
  onclose: LibrarySocket['onclose'] = null
  readonly #query: string
  readonly #events: ConnectionEvents
  readonly #timeouts: Timeouts
  readonly #clock: Clock
  readonly #frames = new FrameQueue(data => this.#take(data))
  readonly #over = Promise.withResolvers<void>()
  readonly #cancelDial: () => void
  #socket: GatewaySocket | null = null
  #readyState: number = WebSocket.CONNECTING
  #greeted = false
  #ending: Ending = 'lost'

  constructor(query: string, events: ConnectionEvents, timeouts: Timeouts, clock: Clock) {
    this.#query = query
    this.#events = events
    this.#timeouts = timeouts
    this.#clock = clock
    this.#cancelDial = clock.after(events.delayMs(), () => this.#dial())
  }

  get readyState(): number {
    return this.#readyState
  }

  /** Resolves when the socket is closed. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  send(text: string): void {
    if (this.write(text)) this.#events.sent(opcodeOf(text))
  }

  close(code = GOING_AWAY, reason = ''): void {
    if (reason === UNANSWERED) this.#ending = 'no heartbeat'
    this.hangUp(code === 1000 || (code >= 3000 && code <= 4999) ? code : GOING_AWAY, reason)
  }

  write(text: string): boolean {
    return this.#socket?.send(text) ?? false
  }

  hangUp(code: number, reason: string, closeMs?: number): void {
    if (this.#readyState === WebSocket.OPEN) this.#readyState = WebSocket.CLOSING
    if (this.#socket === null) this.#finish(ABNORMAL, 'given up before dialing')
    else this.#socket.close(code, reason, closeMs)
  }

  fail(problem: string): void {
    this.#socket?.abandon()
    this.#finish(ABNORMAL, problem)
  }

  abandon(): void {
    this.#release()
    this.#socket?.abandon()
  }

  #dial(): void {
    this.#events.dialing()
    const { address, proxy } = this.#events.route()
    const handlers = {
      open: () => this.#open(),
      message: (data: unknown) => this.#frames.take(data),
      close: (code: number, problem: string) => this.#finish(code, problem),
    }
    this.#socket = new GatewaySocket({ address: address + this.#query, proxy }, handlers, this.#timeouts, this.#clock)
  }

  #open(): void {
    this.#readyState = WebSocket.OPEN
    this.onopen?.()
  }

  #take(data: unknown): void {
    const frame = readFrame(data)
    if (frame.kind === 'dropped') this.#events.dropped(frame.reason)
    else if (frame.kind === 'invalid session') this.#deliver(invalidSession(this.#events.invalidated(frame.resumable)))
    else if (frame.kind === 'hello') this.#greet(frame.text)
    else {
      if (frame.kind === 'reconnect') this.#ending = 'asked'
      this.#deliver(frame.text)
    }
  }

  #deliver(text: string): void {
    this.onmessage?.({ data: text })
  }

  /** Each HELLO starts a heartbeat in the library, so there is one for a connection. */
  #greet(hello: string): void {
    if (this.#greeted) {
      this.#events.dropped('repeated')
      return
    }
    this.#greeted = true
    this.#events.greeted()
    this.#deliver(hello)
  }

  #finish(code: number, problem: string): void {
    if (this.#readyState === WebSocket.CLOSED) return
    this.#release()
    this.#events.closed(code, problem, this.#ending)
    this.onclose?.({ code })
  }

  #release(): void {
    this.#readyState = WebSocket.CLOSED
    this.#frames.clear()
    this.#cancelDial()
    this.#over.resolve()
  }
}

/** The library writes the opcode first. */
const opcodeOf = (text: string) => Number(/^\{"op":(\d+)/.exec(text)?.[1] ?? Number.NaN)
