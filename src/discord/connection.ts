import type { Clock } from '../lib/clock.ts'
import { createInflow } from './frame-queue.ts'
import { type DropReason, invalidSession, readFrame } from './frames.ts'
import { ABNORMAL, openPeer, type Patience, type Peer } from './socket.ts'

/** What @discordjs/ws uses of a WebSocket; a subset of the standard one. */
interface LibrarySocket {
  binaryType: string
  readonly readyState: number
  onopen: (() => void) | null
  onmessage: ((event: { data: string }) => void) | null
  onerror: ((event: { error: unknown }) => void) | null
  onclose: ((event: { code: number }) => void) | null
  send(text: string): void
  close(code?: number, reason?: string): void
}

/** Makes the socket for one connection the library opens. `query` is what it appends to the address, "?" included. */
type Dialer = (query: string) => LibrarySocket

const dialers = new Map<string, Dialer>()
let lastDialer = 0

/**
 * Gives a dialer an address. A manager told that the gateway is there opens its connections through that dialer; once
 * removed, they stay connecting for ever, without a timer or a socket.
 */
function addDialer(dialer: Dialer): { address: string; remove: () => void } {
  const address = `exoix-dialer:${++lastDialer}`
  dialers.set(address, dialer)
  return { address, remove: () => void dialers.delete(address) }
}

function SocketForLibrary(url: string): LibrarySocket {
  const [address = ''] = url.split('?', 1)
  return dialers.get(address)?.(url.slice(address.length)) ?? inertSocket()
}

function inertSocket(): LibrarySocket {
  const handlers = { onopen: null, onmessage: null, onerror: null, onclose: null }
  return { binaryType: '', readyState: WebSocket.CONNECTING, ...handlers, send() {}, close() {} }
}

/**
 * The library takes the global WebSocket when it is loaded and keeps it. It is loaded by `require`, which is a copy of
 * its own, so that this happens here, now, and for nobody else, whoever imported @discordjs/ws before.
 */
function load(): typeof import('@discordjs/ws') {
  const native = globalThis.WebSocket
  globalThis.WebSocket = SocketForLibrary as unknown as typeof WebSocket
  try {
    return require('@discordjs/ws')
  } finally {
    globalThis.WebSocket = native
  }
}

export const { WebSocketManager, WebSocketShardEvents } = load()

/** What a line asks and tells its shard. */
interface LineEvents {
  /** Where the gateway is: a `ws:` or `wss:` address without query. */
  address(): string
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
  /** A connection ended, or could not be made. Told before the library hears of it. */
  closed(code: number, problem: string): void
}

/**
 * A shard's way to the gateway, through all its connections: the library opens, we dial – with back-off, patience and
 * checked frames. At most one connection is open at a time.
 */
interface Line {
  /** Opens lines to the gateway when the library is told that this is its address. */
  readonly address: string
  /** Sends past the library, whose own queue forgets what it holds at a reconnect. False when nothing was sent. */
  send(text: string): boolean
  /** Ends the connection as if the network had. */
  drop(problem: string): void
  /** Says goodbye without ending the session; within so many milliseconds. No connection is opened any more. */
  hangUp(closeMs: number): Promise<void>
}

/** A private close code, which leaves the session resumable; 1000 and 1001 would end it (docs: Gateway, "Resuming"). */
export const GOING_AWAY = 4200

interface Connection {
  send(text: string): boolean
  close(code: number, reason: string, closeMs?: number): void
  fail(problem: string): void
  abandon(): void
  readonly over: Promise<void>
}

export function createLine(events: LineEvents, patience: Patience, clock: Clock): Line {
  let current: Connection | null = null
  const dialer = addDialer(query => {
    // The library lets go of a connection that is still connecting without closing it.
    current?.abandon()
    const opened = createConnection(query, events, patience, clock)
    current = opened.connection
    return opened.socket
  })
  return {
    address: dialer.address,
    send: text => current?.send(text) ?? false,
    drop: problem => current?.fail(problem),
    async hangUp(closeMs) {
      dialer.remove()
      current?.close(GOING_AWAY, 'going away', closeMs)
      await current?.over
    },
  }
}

function createConnection(query: string, events: LineEvents, patience: Patience, clock: Clock) {
  const over = Promise.withResolvers<void>()
  let peer: Peer | null = null
  let greeted = false
  let readyState: number = WebSocket.CONNECTING
  const inflow = createInflow(message)
  const cancelDial = clock.after(events.delayMs(), dial)

  function dial(): void {
    events.dialing()
    peer = openPeer(events.address() + query, { open, message: inflow.take, close: finish }, patience, clock)
  }

  function open(): void {
    readyState = WebSocket.OPEN
    socket.onopen?.()
  }

  function message(data: unknown): void {
    const frame = readFrame(data)
    if (frame.kind === 'dropped') events.dropped(frame.reason)
    else if (frame.kind === 'invalid session') deliver(invalidSession(events.invalidated(frame.resumable)))
    else if (frame.kind === 'hello') greet(frame.text)
    else deliver(frame.text)
  }

  function deliver(text: string): void {
    socket.onmessage?.({ data: text })
  }

  /** Each HELLO starts a heartbeat in the library, so there is one for a connection. */
  function greet(hello: string): void {
    if (greeted) {
      events.dropped('repeated')
      return
    }
    greeted = true
    events.greeted()
    deliver(hello)
  }

  function finish(code: number, problem: string): void {
    if (readyState === WebSocket.CLOSED) return
    release()
    events.closed(code, problem)
    socket.onclose?.({ code })
  }

  function release(): void {
    readyState = WebSocket.CLOSED
    inflow.clear()
    cancelDial()
    over.resolve()
  }

  const connection: Connection = {
    over: over.promise,
    send: text => peer?.send(text) ?? false,
    close(code, reason, closeMs) {
      if (readyState === WebSocket.OPEN) readyState = WebSocket.CLOSING
      if (peer === null) finish(ABNORMAL, 'given up before dialing')
      else peer.close(code, reason, closeMs)
    },
    fail(problem) {
      peer?.abandon()
      finish(ABNORMAL, problem)
    },
    abandon() {
      release()
      peer?.abandon()
    },
  }

  const socket: LibrarySocket = {
    binaryType: 'arraybuffer',
    get readyState() {
      return readyState
    },
    onopen: null,
    onmessage: null,
    // Never called: the library would end a session that can be resumed.
    onerror: null,
    onclose: null,
    send(text) {
      if (connection.send(text)) events.sent(opcodeOf(text))
    },
    close(code = GOING_AWAY, reason = '') {
      connection.close(code === 1000 || (code >= 3000 && code <= 4999) ? code : GOING_AWAY, reason)
    },
  }
  return { connection, socket }
}

/** The library writes the opcode first. */
const opcodeOf = (text: string) => Number(/^\{"op":(\d+)/.exec(text)?.[1] ?? Number.NaN)
