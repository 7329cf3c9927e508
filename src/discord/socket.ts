import type { Clock } from '../lib/clock.ts'
import { describeError } from '../lib/log.ts'

/** The runtime's own WebSocket, whatever the library is given in its place. */
const NativeWebSocket = globalThis.WebSocket

/** How long a peer may keep us waiting, milliseconds. */
export interface Patience {
  /** From dialing until its first message. */
  handshakeMs: number
  /** From our close frame until its own. */
  closeMs: number
}

/** A WebSocket to a peer that may be dead: whatever happens, `close` is told exactly once and within the given patience. */
export interface Peer {
  /** False when the connection is not open; then nothing was sent. */
  send(text: string): boolean
  /** Starts the closing handshake, with less patience than usual where given (milliseconds). */
  close(code: number, reason: string, closeMs?: number): void
  /** Ends the connection without a word to anybody, its own `close` event included. */
  abandon(): void
}

export interface PeerEvents {
  open(): void
  message(data: unknown): void
  /** `code` is 1006 when the connection ended without a close frame; `problem` says what is known beyond that. */
  close(code: number, problem: string): void
}

/** The code of a connection that ended without a close frame (RFC 6455, 7.1.5). */
export const ABNORMAL = 1006

/**
 * Dials. The runtime has no handshake timeout and waits 35 s for a dead peer's close frame, so both are timed here and
 * ended by `terminate()`.
 */
export function openPeer(address: string, events: PeerEvents, patience: Patience, clock: Clock): Peer {
  let problem = ''
  let over = false
  let greeted = false
  let cancelTimer = clock.after(patience.handshakeMs, () => end(ABNORMAL, 'no answer in time'))
  const socket = dial()

  function dial(): WebSocket | undefined {
    try {
      return listen(new NativeWebSocket(address))
    } catch (error) {
      // Not before the caller knows what it has opened.
      queueMicrotask(() => end(ABNORMAL, describeError(error)))
      return undefined
    }
  }

  function listen(opened: WebSocket): WebSocket {
    opened.onopen = () => events.open()
    opened.onmessage = ({ data }) => {
      if (!greeted) greet()
      events.message(data)
    }
    opened.onerror = event => {
      problem = 'message' in event ? String(event.message) : 'connection failed'
    }
    opened.onclose = ({ code, reason }) => end(code, problem || reason)
    return opened
  }

  function greet(): void {
    greeted = true
    cancelTimer()
  }

  function detach(): void {
    over = true
    cancelTimer()
    if (socket === undefined) return
    socket.onopen = socket.onmessage = socket.onerror = socket.onclose = null
    if (socket.readyState !== NativeWebSocket.CLOSED) socket.terminate()
  }

  function end(code: number, why: string): void {
    if (over) return
    detach()
    events.close(code, why)
  }

  return {
    send(text) {
      if (over || socket?.readyState !== NativeWebSocket.OPEN) return false
      socket.send(text)
      return true
    },
    close(code, reason, closeMs = patience.closeMs) {
      if (over) return
      if (socket?.readyState === NativeWebSocket.CONNECTING) return end(ABNORMAL, 'given up while connecting')
      greeted = true
      cancelTimer()
      cancelTimer = clock.after(closeMs, () => end(ABNORMAL, 'no close frame in time'))
      socket?.close(code, reason)
    },
    abandon: detach,
  }
}
