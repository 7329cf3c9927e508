import type { Bytes } from '../compression.ts'
import type { Shared } from './feed.ts'
import type { EventOptions } from './options.ts'
import { type Stream, write } from './stream.ts'

/**
 * Hands events over no faster than clients read. Who has not read the last one gets the newest when they have: each is a
 * whole presence, so only the way there is lost, and nothing has to be kept for them meanwhile.
 */
export interface Delivery {
  /** Sends, or notes that the client is behind. */
  send(stream: Stream, events: Shared): void
  forget(stream: Stream): void
  /** Call every second or so: keeps streams alive, and gives up those whose clients do not read. */
  check(streams: Iterable<Stream>, now: number): void
}

export interface DeliveryDeps {
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
