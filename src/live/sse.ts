import type { Interest } from '../domain/interest.ts'
import type { Presences } from '../domain/presences.ts'
import { MINUTE } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import type { Quota } from '../lib/quota.ts'
import type { Addresses } from '../lib/semaphore.ts'
import type { Publisher, Transport, Update } from './publisher.ts'
import { cut, Delivery, end, Feed, type Sink, type Stream } from './sse-stream.ts'
import { watch } from './watch.ts'

/** Bounds for what event streams may ask of the process. */
export interface EventOptions {
  /** Milliseconds without an event after which a comment keeps a stream alive: proxies cut silent ones, and so do we. */
  keepAlive: number
  /** Characters of a burst that are written at once, and bytes beyond which an event is long. */
  long: number
  /** Milliseconds a client may take to read what was written, and how long when others wait for the memory. */
  patience: number
  crowdedPatience: number
  /** Milliseconds between looks at all that. */
  checkInterval: number
}

export const DEFAULTS: EventOptions = {
  keepAlive: 15_000,
  long: 64 * 1024,
  patience: MINUTE,
  crowdedPatience: 15_000,
  checkInterval: 1_000,
}

export interface EventStreamsDeps {
  readonly presences: Presences
  readonly publisher: Publisher
  readonly addresses: Addresses
  readonly interest: Interest
  /** Bytes that wait to be read, over all kinds of answers: each address and together. */
  readonly unread: Quota
  readonly metrics: Metrics
  readonly log: Log
  readonly options?: Partial<EventOptions> | undefined
}

/**
 * Milliseconds until a browser comes back. Spread out, because after a restart all of them do; and not sooner than a
 * restart takes, because to a proxy's 502 they would not come back any more.
 */
const retry = () => `retry: ${2000 + Math.floor(Math.random() * 3000)}\n`

/** Everybody who is told of somebody by server-sent events. Source: HTML Living Standard, 9.2. */
export class EventStreams implements Transport {
  readonly #deps: EventStreamsDeps
  readonly #options: EventOptions
  readonly #streams = new Set<Stream>()
  readonly #feeds = new Map<string, Feed>()
  /** Feeds with events that wait for the end of the turn. */
  readonly #noted = new Set<Feed>()
  readonly #delivery: Delivery
  readonly #slow: Counter
  #stopWatching: (() => void) | null = null
  #closing = false

  constructor(deps: EventStreamsDeps) {
    const { publisher, unread, metrics } = deps
    this.#deps = deps
    this.#options = { ...DEFAULTS, ...deps.options }
    this.#delivery = new Delivery({
      options: this.#options,
      publisher,
      unread,
      giveUp: stream => this.#giveUp(stream),
    })
    this.#slow = metrics.counter(
      'slow_event_streams_closed_total',
      'Event streams closed because the client did not read',
    )
    metrics.gauge('event_streams', 'Open event streams', () => this.#streams.size)
    publisher.add(this)
  }

  /** The body of an answer that begins with how the person is now and goes on with every change. */
  open(id: string, address: string): ReadableStream {
    let stream: Stream | null = null
    return new ReadableStream({
      type: 'direct',
      pull: sink => {
        stream = this.begin(id, address, sink)
        if (this.#closing) this.#finish(stream)
        return stream.settled.promise
      },
      cancel: () => {
        if (stream !== null) this.#gone(stream)
      },
    })
  }

  /** Ends all of them. Who comes later is told the beginning, and that it is the end. */
  close(): void {
    this.#closing = true
    this.#delivery.stop()
    for (const stream of this.#streams) this.#finish(stream)
  }

  follows(id: string): boolean {
    return this.#feeds.has(id)
  }

  /** A turn costs one write a stream. */
  publish(update: Update): number {
    const feed = this.#feeds.get(update.snapshot.id)
    if (feed === undefined) return 0
    this.#deps.interest.look(update.snapshot.id)
    this.#noted.add(feed)
    if (feed.note(update) >= this.#options.long) this.#flush(feed)
    return feed.streams.size
  }

  publishLong(id: string): void {
    for (const stream of this.#feeds.get(id)?.streams ?? []) this.#delivery.fallBehind(stream)
  }

  endTurn(): void {
    for (const feed of this.#noted) this.#flush(feed)
    this.#delivery.feed()
  }

  /** Tells a client the beginning. */
  begin(id: string, address: string, sink: Sink): Stream {
    const { presences, publisher, addresses, interest } = this.#deps
    interest.look(id)
    const settled = Promise.withResolvers<void>()
    const isOut = publisher.settle(waiting => waiting === id)
    const feed = this.#feeds.get(id) ?? new Feed(id, presences, publisher)
    this.#feeds.set(id, feed)
    const stream = { feed, address, sink, settled, unread: 0, wroteAt: 0, behind: false }
    this.#streams.add(stream)
    feed.streams.add(stream)
    addresses.opened(address)
    this.#stopWatching ??= this.#watch()
    sink.write(retry())
    const latest = feed.latest()
    if (!isOut) this.#delivery.fallBehind(stream)
    else if (latest !== undefined) this.#delivery.send(stream, latest)
    sink.flush()
    return stream
  }

  #flush(feed: Feed): void {
    this.#noted.delete(feed)
    const events = feed.take()
    if (events === undefined) return
    for (const stream of feed.streams) this.#delivery.send(stream, events)
  }

  /** One timer for all streams, and none without any. */
  #watch(): () => void {
    return watch(this.#options.checkInterval, {
      check: now => this.#delivery.check(this.#streams, now),
      resumed: now => this.#delivery.resumed(this.#streams, now),
    })
  }

  #gone(stream: Stream): void {
    if (!this.#streams.delete(stream)) return
    const { feed, address } = stream
    this.#delivery.forget(stream)
    this.#deps.addresses.closed(address)
    feed.streams.delete(stream)
    if (feed.streams.size === 0) this.#feeds.delete(feed.id)
    if (this.#streams.size > 0) return
    this.#stopWatching?.()
    this.#stopWatching = null
  }

  #giveUp(stream: Stream): void {
    this.#slow.inc()
    this.#deps.log.debug('closed an event stream whose client does not read', { unread: stream.unread })
    this.#gone(stream)
    cut(stream)
  }

  #finish(stream: Stream): void {
    end(stream)
    this.#gone(stream)
  }
}
