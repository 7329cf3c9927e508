import { constants, deflateRawSync } from 'node:zlib'
import type { ServerWebSocket } from 'bun'
import type { Session, Wire } from './session.ts'

/** What the simulator knows of one gateway socket. */
export interface Connection {
  readonly path: string
  readonly query: Record<string, string>
  session: Session | null
  wire: Wire | null
  /** Dead to the bot: nothing is read, nothing is sent, the socket stays open. */
  silent: boolean
  /** Set when the simulator ends the connection itself. */
  closedWith: number | null
  heartbeatTimer: Timer | null
  /** Start of the send-limit window (milliseconds) and what was received in it. */
  windowStart: number
  received: number
}

export type Socket = ServerWebSocket<Connection>

export function createConnection(path: string, query: Record<string, string>, now: number): Connection {
  const timers = { heartbeatTimer: null, windowStart: now, received: 0 }
  return { path, query, session: null, wire: null, silent: false, closedWith: null, ...timers }
}

/** Wraps a socket, with `zlib-stream` transport compression where the bot asked for it (docs: Gateway, "Transport Compression"). */
export function createWire(socket: Socket): Wire {
  const connection = socket.data
  const encode = connection.query.compress === 'zlib-stream' ? createZlibStream() : null
  return {
    send(text) {
      if (connection.silent) return true
      return (encode ? socket.sendBinary(encode(text)) : socket.sendText(text)) !== 0
    },
    close(code, reason) {
      connection.closedWith = code
      socket.close(code, reason)
    },
    batch(run) {
      socket.cork(run)
    },
    backlog: () => socket.getBufferedAmount(),
  }
}

/** One zlib stream over all messages, each ended by a sync flush; blocks never look back, which a stream may do freely. */
function createZlibStream(): (text: string) => Uint8Array {
  let started = false
  return text => {
    const block = deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH })
    if (started) return block
    started = true
    return Buffer.concat([Buffer.from([0x78, 0x9c]), block])
  }
}

/** Sends a payload that is no dispatch: `s` and `t` are null (docs: Gateway Events, "Payload Structure"). */
export function sendOp(socket: Socket, op: number, d: unknown): void {
  socket.data.wire?.send(JSON.stringify({ t: null, s: null, op, d }))
}
