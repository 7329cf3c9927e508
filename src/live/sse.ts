import type { Change, Presences } from '../domain/presences.ts'
import { MINUTE } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import type { Sequence } from './sequence.ts'
import { createDelivery, createFeed, cut, end, type Feed, type Sink, type Stream } from './sse-stream.ts'

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
  patience: MINUTE,
  crowdedPatience: 15_000,
  checkInterval: 1_000,
}

/** Everybody who is told of somebody by server-sent events. Source: HTML Living Standard, 9.2. */
export interface EventStreams {
  /** The body of an answer that begins with how the person is now and goes on with every change. */
  open(id: string, address: string): ReadableStream
  /** Ends all of them. Who comes later is told the beginning, and that it is the end. */
  close(): void
}

export interface EventStreamsDeps {
  presences: Presences
  sequence: Sequence
  addresses: Addresses
  metrics: Metrics
  log: Log
  options?: Partial<EventOptions>
}

/**
 * Milliseconds until a browser comes back. Spread out, because after a restart all of them do; and not sooner than a
 * restart takes, because to a proxy's 502 they would not come back any more.
 */
const retry = () => `retry: ${2000 + Math.floor(Math.random() * 3000)}\n`

export function createEventStreams(deps: EventStreamsDeps): EventStreams {
  const { presences, sequence, addresses, metrics, log } = deps
  const options = { ...DEFAULTS, ...deps.options }
  const streams = new Set<Stream>()
  const feeds = new Map<string, Feed>()
  /** Feeds with events that wait for the end of their burst. */
  const noted = new Set<Feed>()
  const delivery = createDelivery({ options, flush: ({ feed }) => flush(feed), giveUp })
  const slow = metrics.counter(
    'slow_event_streams_closed_total',
    'Event streams closed because the client did not read',
  )
  metrics.gauge('event_streams', 'Open event streams', () => streams.size)
  let rest: (() => void) | null = null
  let closing = false

  // A burst costs one write a stream; see the socket's topics for what belongs to one.
  function change({ id, kind }: Change): void {
    const feed = feeds.get(id)
    if (feed === undefined || kind === 'left') return
    if (noted.size === 0) setImmediate(flushAll)
    noted.add(feed)
    if (feed.note() >= options.long) flush(feed)
  }

  function flushAll(): void {
    for (const feed of noted) flush(feed)
  }

  function flush(feed: Feed): void {
    noted.delete(feed)
    const events = feed.take()
    if (events === undefined) return
    for (const stream of feed.streams) delivery.send(stream, events)
  }

  /** One listener and one timer for all streams, and none without any. */
  function work(): () => void {
    const stopListening = presences.onChange(change)
    const timer = setInterval(() => delivery.check(streams, performance.now()), options.checkInterval)
    return () => {
      stopListening()
      clearInterval(timer)
    }
  }

  function begin(id: string, address: string, sink: Sink): Stream {
    const feed = feeds.get(id) ?? createFeed(id, presences, sequence)
    feeds.set(id, feed)
    flush(feed)
    const settled = Promise.withResolvers<void>()
    const stream = { feed, address, sink, settled, unread: 0, wroteAt: 0, behind: false }
    streams.add(stream)
    feed.streams.add(stream)
    addresses.opened(address)
    rest ??= work()
    sink.write(retry())
    const latest = feed.latest()
    if (latest !== undefined) delivery.send(stream, latest)
    sink.flush()
    return stream
  }

  function gone(stream: Stream): void {
    if (!streams.delete(stream)) return
    const { feed, address } = stream
    delivery.forget(stream)
    addresses.closed(address)
    feed.streams.delete(stream)
    if (feed.streams.size === 0) feeds.delete(feed.id)
    if (streams.size > 0) return
    rest?.()
    rest = null
  }

  function giveUp(stream: Stream): void {
    slow.inc()
    log.debug('closed an event stream whose client does not read', { unread: stream.unread })
    gone(stream)
    cut(stream)
  }

  function finish(stream: Stream): void {
    end(stream)
    gone(stream)
  }

  return {
    open(id, address) {
      let stream: Stream | null = null
      return new ReadableStream({
        type: 'direct',
        pull(sink) {
          stream = begin(id, address, sink)
          if (closing) finish(stream)
          return stream.settled.promise
        },
        cancel() {
          if (stream !== null) gone(stream)
        },
      })
    },
    close() {
      closing = true
      flushAll()
      for (const stream of streams) finish(stream)
    },
  }
}
