import type { Presences, Snapshot } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import type { Sequence } from './sequence.ts'
import type { EventOptions } from './sse.ts'

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
function write(stream: Stream, bytes: Bytes): Promise<unknown> | undefined {
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

/** Text that is made into bytes when the first client takes it, and then shared. */
type Shared = () => Bytes

/** What is told of one person, to everybody who follows them. */
export interface Feed {
  readonly id: string
  readonly streams: Set<Stream>
  /** Notes that the person has changed. Returns the characters that wait. */
  note(): number
  /** The events noted since the last call; undefined when there are none. */
  take(): Shared | undefined
  /** The person as they are now; undefined when they are not shown. */
  latest(): Shared | undefined
}

/** One event: a whole presence. Kept while it is the last one, for those who come or have fallen behind. */
interface Event {
  readonly snapshot: Snapshot
  readonly seq: number
  readonly bytes: Shared
}

export function createFeed(id: string, presences: Presences, sequence: Sequence): Feed {
  let waiting: Event[] = []
  let characters = 0
  let last: Event | null = null

  function next(snapshot: Snapshot): Event {
    const seq = sequence.next()
    last = { snapshot, seq, bytes: shared(() => text(seq, snapshot)) }
    return last
  }

  return {
    id,
    streams: new Set(),
    note() {
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return characters
      waiting.push(next(snapshot))
      characters += snapshot.json.length
      return characters
    },
    take() {
      const events = waiting
      waiting = []
      characters = 0
      if (events.length < 2) return events[0]?.bytes
      return shared(() => events.map(({ seq, snapshot }) => text(seq, snapshot)).join(''))
    },
    latest() {
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return undefined
      return (last?.snapshot === snapshot ? last : next(snapshot)).bytes
    },
  }
}

/** A presence is JSON without line breaks, so one `data` line holds it. No name: `onmessage` hears those alone. */
const text = (seq: number, { json }: Snapshot) => `id: ${seq}\ndata: ${json}\n\n`

const encoder = new TextEncoder()

function shared(make: () => string): Shared {
  let bytes: Bytes | null = null
  return () => {
    bytes ??= encoder.encode(make())
    return bytes
  }
}

/**
 * Hands events over no faster than clients read. Who has not read the last one gets the newest when they have: each is a
 * whole presence, so only the way there is lost, and nothing has to be kept for them meanwhile.
 */
interface Delivery {
  /** Sends, or notes that the client is behind. */
  send(stream: Stream, events: Shared): void
  forget(stream: Stream): void
  /** Call every second or so: keeps streams alive, and gives up those whose clients do not read. */
  check(streams: Iterable<Stream>, now: number): void
}

interface DeliveryDeps {
  options: EventOptions
  /** Sends what waits for the end of its burst, so that what is told next comes after it. */
  flush: (stream: Stream) => void
  giveUp: (stream: Stream) => void
}

const KEEP_ALIVE = new TextEncoder().encode(': keep-alive\n\n')

export function createDelivery({ options, flush, giveUp }: DeliveryDeps): Delivery {
  const { keepAlive, long, maxUnread, patience, crowdedPatience } = options
  /** Streams for whose long event there was no memory, those who wait longest first. */
  const hungry = new Set<Stream>()
  /** Bytes of long events that wait to be read. */
  let unread = 0

  const hasRoom = (bytes: number) => bytes <= long || unread === 0 || unread + bytes <= maxUnread

  function send(stream: Stream, events: Shared): void {
    if (stream.unread > 0 || stream.behind) {
      stream.behind = true
    } else if (hasRoom(events().byteLength)) {
      hungry.delete(stream)
      put(stream, events())
    } else {
      stream.behind = true
      hungry.add(stream)
    }
  }

  function put(stream: Stream, bytes: Bytes): void {
    const reading = write(stream, bytes)
    if (reading === undefined) return
    if (stream.unread > long) unread += stream.unread
    const read = () => {
      release(stream)
      catchUp(stream)
      feedHungry()
    }
    void reading.then(read, read)
  }

  function release(stream: Stream): void {
    if (stream.unread > long) unread -= stream.unread
    stream.unread = 0
  }

  function catchUp(stream: Stream): void {
    if (!stream.behind || stream.unread > 0) return
    flush(stream)
    stream.behind = false
    const latest = stream.feed.latest()
    if (latest === undefined) hungry.delete(stream)
    else send(stream, latest)
  }

  function feedHungry(): void {
    for (const stream of [...hungry]) {
      catchUp(stream)
      if (stream.behind && stream.unread === 0) return
    }
  }

  function isSlow({ unread: bytes, wroteAt }: Stream, now: number): boolean {
    return now - wroteAt > (hungry.size > 0 && bytes > long ? crowdedPatience : patience)
  }

  return {
    send,
    forget(stream) {
      release(stream)
      stream.behind = false
      hungry.delete(stream)
    },
    check(streams, now) {
      for (const stream of streams) {
        if (stream.unread === 0 && now - stream.wroteAt >= keepAlive) put(stream, KEEP_ALIVE)
        else if (stream.unread > 0 && isSlow(stream, now)) giveUp(stream)
      }
      feedHungry()
    },
  }
}
