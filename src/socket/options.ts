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
