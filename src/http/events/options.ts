/** Bounds for what event streams may ask of the process. */
export interface EventOptions {
  /** Milliseconds without an event after which a comment keeps a stream alive: proxies cut silent ones, and so do we. */
  keepAlive: number
  /** Characters of a burst that are written at once, and bytes beyond which an event is long. */
  long: number
  /** A long event is begun only while fewer bytes of others like it wait to be read. */
  maxUnread: number
  /** Milliseconds a client may take to read what was written, and how long when others wait for the memory. */
  patience: number
  crowdedPatience: number
  /** Milliseconds between looks at all that. */
  checkInterval: number
}

export const DEFAULTS: EventOptions = {
  keepAlive: 15_000,
  long: 64 * 1024,
  maxUnread: 64 * 1024 * 1024,
  patience: 60_000,
  crowdedPatience: 15_000,
  checkInterval: 1_000,
}
