import type { Bytes } from '../compression.ts'
import type { Feed } from './feed.ts'

/** A client that is told of one person, kept small: there may be thousands. */
export interface Stream {
  readonly feed: Feed
  /** The client's address, as connections an address are counted. */
  readonly address: string
  readonly sink: Sink
  /** Settles what Bun waits for: resolved, the answer is over; rejected with nothing, the connection is cut. */
  readonly settled: PromiseWithResolvers<void>
  /** Bytes written and not read yet: they wait in the server's memory, and nothing else is written meanwhile. */
  unread: number
  /** When something was written last, in milliseconds of `performance.now()`. */
  wroteAt: number
  /** The person has changed since; the client is told how they are then when it has read. */
  behind: boolean
}

/**
 * What Bun gives for writing an answer piece by piece. `write` hands over to the connection at once; when that takes no
 * more, the bytes wait in memory and a promise tells when they are gone.
 */
export interface Sink {
  write(bytes: Bytes | string): number | Promise<number>
  /** Sends the beginning of the answer. */
  flush(): unknown
  end(): unknown
}

/** Returns a promise when the client did not take it all at once: resolved when it has, or has gone. */
export function write(stream: Stream, bytes: Bytes): Promise<unknown> | undefined {
  stream.wroteAt = performance.now()
  const written = stream.sink.write(bytes)
  if (typeof written === 'number') return undefined
  stream.unread = bytes.byteLength
  return written
}

/** Ends the answer; a client that has not read what it got is cut off, as it would not read the end either. */
export function end(stream: Stream): void {
  if (stream.unread > 0) {
    cut(stream)
    return
  }
  stream.sink.end()
  stream.settled.resolve()
}

/** Frees what waits for the client at once. */
export function cut(stream: Stream): void {
  stream.settled.reject(undefined)
}
