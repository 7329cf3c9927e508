import type { IdSet } from '../lib/id-set.ts'
import type { Allowance } from '../lib/token-bucket.ts'

/** One connection's state, kept small: ten thousand idle sockets have one each. */
export interface Session extends Following, Allowance {
  /** Every frame to this client is one complete zlib stream. */
  readonly zlib: boolean
  /** The client's address, as sockets an address are counted. */
  readonly address: string
  /** Hello was sent. */
  greeted: boolean
  /** The number of the last message that went to this socket alone: no smaller one may follow. */
  lastNumber: number
  /** Bytes that wait to be read, when that was last looked at. */
  unread: number
  /** How many of them may wait beyond the usual bound: what is left of the last INIT_STATE, or of a long presence. */
  excused: number
}

/** Whom a socket follows. Sets are made when needed: most sockets never need more than one. */
export interface Following {
  /** Everybody, except the silenced. With it, nobody is followed by name. */
  all: boolean
  /** Followed alone: updates come without `user_id`. */
  one: Set<string> | null
  /** Followed among many: updates carry `user_id`. Nobody is in two of these sets. */
  many: Set<string> | null
  /** Beyond that; most sockets have none. */
  others: Others | null
}

/** Each made when needed. */
interface Others {
  /** Who is not shown, but would be followed alone, or among many, if they were. */
  awaitedOne: IdSet | null
  awaitedMany: IdSet | null
  silenced: IdSet | null
}

export type Socket = Bun.ServerWebSocket<Session>

export const NO_OTHERS: Readonly<Others> = { awaitedOne: null, awaitedMany: null, silenced: null }

export const FOLLOWS_NOBODY: Readonly<Following> = { all: false, one: null, many: null, others: null }

/** `url` is that of the request, whose query may ask for compression. */
export function createSession(url: string, address: string, tokens: number): Session {
  return {
    zlib: new URLSearchParams(queryOf(url)).get('compression') === 'zlib_json',
    address,
    greeted: false,
    lastNumber: 0,
    unread: 0,
    excused: 0,
    // One by one: what is spread into an object takes memory of its own beside it.
    all: false,
    one: null,
    many: null,
    others: null,
    tokens,
    heardAt: performance.now(),
  }
}

/** Not through URL: with a strange Host header, or none, there is no URL to be parsed. */
function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at)
}

/** Bounds for what clients may ask of the process. */
export interface SocketOptions {
  /** Whether sockets may follow everybody. */
  subscribeToAll: boolean
  /** People one socket may follow by name, or silence. */
  maxSubscriptions: number
  /** Inbound frames at once, and how many more each second. */
  frameBurst: number
  framesPerSecond: number
  /** Bytes of one inbound message. */
  maxFrameBytes: number
  /** Bytes a client may leave unread before it is closed. */
  maxQueuedBytes: number
  /** Bytes a second at which a longer message must be read at least, measured over ten seconds. */
  minReadRate: number
  /** Milliseconds without any frame from the client, pongs included, after which it is dropped. */
  maxSilence: number
  /** Milliseconds between looks for such clients. */
  checkInterval: number
}

export const DEFAULTS: SocketOptions = {
  subscribeToAll: true,
  maxSubscriptions: 20_000,
  frameBurst: 120,
  framesPerSecond: 2,
  maxFrameBytes: 64 * 1024,
  maxQueuedBytes: 1024 * 1024,
  minReadRate: 16 * 1024,
  // A little over the promised minute: browsers let a hidden page heartbeat once a minute, and it must not miss that.
  maxSilence: 61_000,
  checkInterval: 2_000,
}
