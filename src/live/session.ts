import type { Allowance } from '../lib/token-bucket.ts'

/** One connection's state, kept small: ten thousand idle sockets have one each. */
export interface Session extends Following, Allowance {
  /** Every frame to this client is one complete zlib stream. */
  readonly zlib: boolean
  /** The client's address, as sockets an address are counted. */
  readonly address: string
  /** Hello was sent. */
  greeted: boolean
  /** Sequence number of the last INIT_STATE. */
  lastInitState: number
  /** Bytes that may wait to be read beyond the usual bound: what is left of the last INIT_STATE. */
  excusedBytes: number
}

/** Whom a socket follows. Sets are made when needed: most sockets never need more than one. */
export interface Following {
  /** Everybody, except the silenced. With it, nobody is followed by name. */
  all: boolean
  /** Followed alone: updates come without `user_id`. */
  one: Set<string> | null
  /** Followed among many: updates carry `user_id`. Nobody is in both. */
  many: Set<string> | null
  silenced: Set<string> | null
}

export type Socket = Bun.ServerWebSocket<Session>

export function createSession(zlib: boolean, address: string, tokens: number): Session {
  return {
    zlib,
    address,
    greeted: false,
    lastInitState: 0,
    excusedBytes: 0,
    all: false,
    one: null,
    many: null,
    silenced: null,
    tokens,
    heardAt: performance.now(),
  }
}

/** Bounds for what clients may ask of the process. */
export interface SocketOptions {
  /** People one socket may follow by name, or silence. */
  maxSubscriptions: number
  /** Inbound frames at once, and how many more each second. */
  frameBurst: number
  framesPerSecond: number
  /** Bytes of one inbound message. */
  maxFrameBytes: number
  /** Bytes a client may leave unread before it is closed. */
  maxQueuedBytes: number
  /** A message longer than that is begun only while fewer bytes of others like it are under way. */
  maxInitialBytes: number
  /** Bytes a second at which such a message must be read at least, measured over ten seconds. */
  minReadRate: number
  /** Milliseconds without any frame from the client, pongs included, after which it is dropped. */
  maxSilence: number
  /** Milliseconds between looks for such clients. */
  checkInterval: number
}

export const DEFAULTS: SocketOptions = {
  maxSubscriptions: 20_000,
  frameBurst: 120,
  framesPerSecond: 2,
  maxFrameBytes: 64 * 1024,
  maxQueuedBytes: 1024 * 1024,
  maxInitialBytes: 256 * 1024 * 1024,
  minReadRate: 16 * 1024,
  // A little over the promised minute: browsers let a hidden page heartbeat once a minute, and it must not miss that.
  maxSilence: 61_000,
  checkInterval: 2_000,
}
