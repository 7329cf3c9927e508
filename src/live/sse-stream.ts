import type { Presences, Snapshot } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import type { Quota } from '../lib/quota.ts'
import type { Publisher, Update } from './publisher.ts'
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

/** One event: a whole presence. */
interface Event extends Update {
  readonly bytes: Shared
}

/** What is told of one person, to everybody who follows them. */
export class Feed {
  readonly id: string
  readonly streams = new Set<Stream>()
  readonly #presences: Presences
  readonly #publisher: Publisher
  #waiting: Event[] = []
  #characters = 0
  /** Kept while it is the last one, for those who come or have fallen behind. */
  #last: Event | null = null

  constructor(id: string, presences: Presences, publisher: Publisher) {
    this.id = id
    this.#presences = presences
    this.#publisher = publisher
  }

  /** Notes an update for the end of the turn. Returns the characters that wait. */
  note(update: Update): number {
    this.#waiting.push(this.#event(update))
    this.#characters += update.snapshot.json.length
    return this.#characters
  }

  /** The events noted since the last call; undefined when there are none. */
  take(): Shared | undefined {
    const events = this.#waiting
    this.#waiting = []
    this.#characters = 0
    if (events.length < 2) return events[0]?.bytes
    return shared(() => events.map(text).join(''))
  }

  /** The person as they are now; undefined when they are not shown. */
  latest(): Shared | undefined {
    const snapshot = this.#presences.snapshot(this.id)
    if (snapshot === undefined) return undefined
    this.#publisher.made(snapshot)
    if (this.#last?.snapshot === snapshot) return this.#last.bytes
    return this.#event({ snapshot, seq: this.#publisher.next() }).bytes
  }

  #event(update: Update): Event {
    this.#last = { ...update, bytes: shared(() => text(update)) }
    return this.#last
  }
}

/** A presence is JSON without line breaks, so one `data` line holds it. No name: `onmessage` hears those alone. */
const text = ({ seq, snapshot }: { seq: number; snapshot: Snapshot }) => `id: ${seq}\ndata: ${snapshot.json}\n\n`

const encoder = new TextEncoder()

function shared(make: () => string): Shared {
  let bytes: Bytes | null = null
  return () => {
    bytes ??= encoder.encode(make())
    return bytes
  }
}

interface DeliveryDeps {
  readonly options: EventOptions
  readonly publisher: Publisher
  /** Bytes that wait to be read, over all kinds of answers: each address and together. */
  readonly unread: Quota
  readonly giveUp: (stream: Stream) => void
}

const KEEP_ALIVE = new TextEncoder().encode(': keep-alive\n\n')
/** Milliseconds that are written to those who are behind before others have their turn. */
const SLICE = 10

/**
 * Hands events over no faster than clients read. Who has not read the last one gets the newest when they have: each is a
 * whole presence, so only the way there is lost, and nothing has to be kept for them meanwhile.
 */
export class Delivery {
  readonly #deps: DeliveryDeps
  /** Streams that could be written to, those who wait longest first: for memory, or for their turn. */
  readonly #hungry = new Set<Stream>()
  #pause: NodeJS.Timeout | undefined

  constructor(deps: DeliveryDeps) {
    this.#deps = deps
  }

  /** Sends, or notes that the client is behind. */
  send(stream: Stream, events: Shared): void {
    if (stream.unread > 0 || stream.behind) stream.behind = true
    else if (this.#hasRoom(stream, events().byteLength)) this.#put(stream, events())
    else this.fallBehind(stream)
  }

  /** The client is told how the person is when it is its turn. */
  fallBehind(stream: Stream): void {
    stream.behind = true
    if (stream.unread === 0) this.#hungry.add(stream)
  }

  forget(stream: Stream): void {
    this.#release(stream)
    stream.behind = false
    this.#hungry.delete(stream)
  }

  /** Call every second or so: keeps streams alive, and gives up those whose clients do not read. */
  check(streams: Iterable<Stream>, now: number): void {
    for (const stream of streams) {
      if (stream.unread === 0 && now - stream.wroteAt >= this.#deps.options.keepAlive) this.#put(stream, KEEP_ALIVE)
      else if (stream.unread > 0 && this.#isSlow(stream, now)) this.#deps.giveUp(stream)
    }
    this.feed()
  }

  /** The process stood still until now: for so long nothing could leave it. */
  resumed(streams: Iterable<Stream>, now: number): void {
    for (const stream of streams) stream.wroteAt = now
    this.feed()
  }

  /** Those who are behind go on, one after the other, for half of the time at most. */
  feed(): void {
    if (this.#pause !== undefined) return
    const startedAt = performance.now()
    for (const stream of [...this.#hungry]) {
      this.#catchUp(stream)
      const took = performance.now() - startedAt
      if (took < SLICE) continue
      this.#pause = setTimeout(() => {
        this.#pause = undefined
        this.feed()
      }, took)
      return
    }
  }

  stop(): void {
    clearTimeout(this.#pause)
  }

  #hasRoom({ address }: Stream, bytes: number): boolean {
    return bytes <= this.#deps.options.long || this.#deps.unread.room(address) > 0
  }

  #put(stream: Stream, bytes: Bytes): void {
    const reading = write(stream, bytes)
    if (reading === undefined) return
    const { unread, options, giveUp } = this.#deps
    unread.add(stream.address, stream.unread)
    // For what is long there was room; of what is short there may be too many who do not read.
    if (stream.unread <= options.long && unread.room(stream.address) < 0) {
      giveUp(stream)
      return
    }
    const read = () => {
      this.#release(stream)
      if (stream.behind) this.#hungry.add(stream)
      this.feed()
    }
    void reading.then(read, read)
  }

  #release(stream: Stream): void {
    this.#deps.unread.add(stream.address, -stream.unread)
    stream.unread = 0
  }

  #catchUp(stream: Stream): void {
    const { publisher } = this.#deps
    // What waits has larger numbers than this would have, and is older.
    if (!publisher.settle(id => id === stream.feed.id)) return
    this.#hungry.delete(stream)
    if (!stream.behind || stream.unread > 0) return
    stream.behind = false
    const latest = stream.feed.latest()
    if (latest !== undefined) this.send(stream, latest)
  }

  #isSlow({ unread, wroteAt }: Stream, now: number): boolean {
    const { long, patience, crowdedPatience } = this.#deps.options
    return now - wroteAt > (this.#hungry.size > 0 && unread > long ? crowdedPatience : patience)
  }
}
