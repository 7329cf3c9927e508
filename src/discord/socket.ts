import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/log.ts'
import { USER_AGENT } from '../lib/upstream.ts'

/** The runtime's own WebSocket, whatever the library is given in its place. */
const NativeWebSocket = globalThis.WebSocket

/** How long a peer may keep us waiting, milliseconds. */
export interface Timeouts {
  /** From dialing until its first message. */
  handshakeMs: number
  /** From our close frame until its own. */
  closeMs: number
}

export interface SocketEvents {
  open(): void
  message(data: unknown): void
  /** `code` is 1006 when the connection ended without a close frame; `problem` says what is known beyond that. */
  close(code: number, problem: string): void
}

/** A gateway, and the proxy on the way to it, if any. */
export interface Route {
  /** A `ws:` or `wss:` address. */
  readonly address: string
  readonly proxy: string | undefined
}

/** The code of a connection that ended without a close frame (RFC 6455, 7.1.5). */
export const ABNORMAL = 1006

/**
 * A WebSocket to a gateway that may be dead: whatever happens, `close` is told exactly once and in time. The runtime has
 * no handshake timeout and waits 35 s for a dead peer's close frame, so both are timed here and ended by `terminate()`.
 */
export class GatewaySocket {
  readonly #events: SocketEvents
  readonly #timeouts: Timeouts
  readonly #clock: Clock
  readonly #socket: WebSocket | undefined
  #cancelTimer: () => void
  #problem = ''
  #over = false
  #greeted = false

  constructor(route: Route, events: SocketEvents, timeouts: Timeouts, clock: Clock) {
    this.#events = events
    this.#timeouts = timeouts
    this.#clock = clock
    this.#cancelTimer = clock.after(timeouts.handshakeMs, () => this.#end(ABNORMAL, 'no answer in time'))
    this.#socket = this.#dial(route)
  }

  /** False when the connection is not open; then nothing was sent. */
  send(text: string): boolean {
    if (this.#over || this.#socket?.readyState !== NativeWebSocket.OPEN) return false
    this.#socket.send(text)
    return true
  }

  /** Starts the closing handshake, in less time than usual where given (milliseconds). */
  close(code: number, reason: string, closeMs = this.#timeouts.closeMs): void {
    if (this.#over) return
    if (this.#socket?.readyState === NativeWebSocket.CONNECTING) {
      this.#end(ABNORMAL, 'given up while connecting')
      return
    }
    this.#greeted = true
    this.#cancelTimer()
    this.#cancelTimer = this.#clock.after(closeMs, () => this.#end(ABNORMAL, 'no close frame in time'))
    this.#socket?.close(code, reason)
  }

  /** Ends the connection without a word to anybody, its own `close` event included. */
  abandon(): void {
    this.#over = true
    this.#cancelTimer()
    const socket = this.#socket
    if (socket === undefined) return
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
    if (socket.readyState !== NativeWebSocket.CLOSED) socket.terminate()
  }

  #dial({ address, proxy }: Route): WebSocket | undefined {
    try {
      const headers = { 'User-Agent': USER_AGENT }
      return this.#listen(new NativeWebSocket(address, { headers, ...(proxy !== undefined && { proxy }) }))
    } catch (error) {
      // Not before the caller knows what it has opened.
      queueMicrotask(() => this.#end(ABNORMAL, describeError(error)))
      return undefined
    }
  }

  #listen(opened: WebSocket): WebSocket {
    opened.onopen = () => this.#events.open()
    opened.onmessage = ({ data }) => {
      if (!this.#greeted) this.#greet()
      this.#events.message(data)
    }
    opened.onerror = event => {
      this.#problem = 'message' in event ? String(event.message) : 'connection failed'
    }
    opened.onclose = ({ code, reason }) => this.#end(code, this.#problem || reason)
    return opened
  }

  #greet(): void {
    this.#greeted = true
    this.#cancelTimer()
  }

  #end(code: number, why: string): void {
    if (this.#over) return
    this.abandon()
    this.#events.close(code, why)
  }
}
