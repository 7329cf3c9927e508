import type { Change, Presences } from '../domain/presences.ts'
import type { Counter } from '../lib/metrics.ts'
import type { Backlogs } from './backpressure.ts'
import { createFrame, deflated, type Frame } from './frame.ts'
import { updateFrame, withUserId } from './protocol.ts'
import type { Sequence } from './sequence.ts'
import type { Session, Socket } from './session.ts'

/** What of Bun's server is needed to reach every subscriber at once. */
export interface Publisher {
  publish(topic: string, data: string | Uint8Array<ArrayBuffer>): number
  subscriberCount(topic: string): number
}

// Bytes differ by `user_id` and by codec only, so there are three families of topics, each plain and compressed.

export const allTopic = ({ zlib }: Pick<Session, 'zlib'>) => (zlib ? 'all.zlib' : 'all')
export const oneTopic = ({ zlib }: Pick<Session, 'zlib'>, id: string) => (zlib ? `one.zlib:${id}` : `one:${id}`)
export const manyTopic = ({ zlib }: Pick<Session, 'zlib'>, id: string) => (zlib ? `many.zlib:${id}` : `many:${id}`)

const PLAIN = { zlib: false }
const ZLIB = { zlib: true }

/** Turns changes of presences into frames for those who follow them. */
export interface Topics {
  /** Takes note of a change, if anybody follows it; it goes out with the others of its burst. */
  change(change: Change): void
  /** Sends what was noted. Whoever subscribes after this call sees none of it, whoever did before sees all. */
  flush(): void
}

export interface TopicsDeps {
  presences: Presences
  publisher: Publisher
  sequence: Sequence
  /** Sockets no topic fits: they follow everybody but some, and are sent to one by one. */
  picky: ReadonlySet<Socket>
  sockets: ReadonlySet<Socket>
  backlogs: Backlogs
  outbound: Counter
  /** Characters or bytes beyond which a message does not go to all at once. */
  maxQueuedBytes: number
}

interface Update {
  readonly id: string
  readonly presence: string
}

/** Characters of one turn: more would queue up at readers who are not slow at all, just not scheduled yet. */
const TURN = 512 * 1024
/** Changes that may wait for the end of their burst. */
const MAX_WAITING = 1000

export function createTopics(deps: TopicsDeps): Topics {
  const { presences, publisher, sequence, picky, sockets, backlogs, outbound, maxQueuedBytes } = deps
  const waiting: Update[] = []
  let scheduled = false

  const listened = (topic: string) => publisher.subscriberCount(topic) > 0

  function followed(id: string): boolean {
    return (
      picky.size > 0 ||
      listened(allTopic(PLAIN)) ||
      listened(allTopic(ZLIB)) ||
      listened(manyTopic(PLAIN, id)) ||
      listened(oneTopic(PLAIN, id)) ||
      listened(manyTopic(ZLIB, id)) ||
      listened(oneTopic(ZLIB, id))
    )
  }

  /** `frame` is called, and so built, only when somebody listens. Returns the characters queued for a listener. */
  function publish(topic: string, frame: () => string | Uint8Array<ArrayBuffer>): number {
    const subscribers = publisher.subscriberCount(topic)
    if (subscribers === 0) return 0
    const data = frame()
    if (data.length > maxQueuedBytes) return publishLong(topic, data)
    publisher.publish(topic, data)
    outbound.inc(subscribers)
    return data.length
  }

  /**
   * A person's pairs can make megabytes. Queued for thousands at once they would take all memory, so such a message goes
   * to whom there is memory for; the others are closed, and come back for an INIT_STATE when it is their turn.
   */
  function publishLong(topic: string, data: string | Uint8Array<ArrayBuffer>): number {
    for (const ws of sockets) if (ws.isSubscribed(topic)) sendLong(ws, data)
    return 0
  }

  function sendLong(ws: Socket, data: string | Uint8Array<ArrayBuffer>): void {
    if (!backlogs.admit(ws)) return
    ws.send(data)
    backlogs.excuse(ws)
    outbound.inc()
  }

  function sendToPicky(id: string, frame: () => Frame): number {
    let length = 0
    for (const ws of picky) {
      if (ws.data.silenced?.has(id)) continue
      const data = ws.data.zlib ? deflated(frame()) : frame().text
      length = Math.max(length, data.length)
      if (data.length > maxQueuedBytes) {
        sendLong(ws, data)
      } else {
        ws.send(data)
        outbound.inc()
      }
    }
    return length
  }

  function send({ id, presence }: Update): number {
    const number = sequence.next()
    const alone = once(() => createFrame(updateFrame(number, presence)))
    const named = once(() => createFrame(updateFrame(number, withUserId(id, presence))))
    const bytes = Math.max(
      publish(allTopic(PLAIN), () => named().text),
      publish(manyTopic(PLAIN, id), () => named().text),
      publish(oneTopic(PLAIN, id), () => alone().text),
      publish(allTopic(ZLIB), () => deflated(named())),
      publish(manyTopic(ZLIB, id), () => deflated(named())),
      publish(oneTopic(ZLIB, id), () => deflated(alone())),
      sendToPicky(id, named),
    )
    backlogs.queued(bytes)
    return bytes
  }

  /** Takes each update out before sending it: sending may close a slow socket, and that may come back here. */
  function sendWaiting(limit: number): void {
    for (let sent = 0; sent < limit; ) {
      const update = waiting.shift()
      if (update === undefined) return
      sent += send(update)
    }
  }

  function flushTurn(): void {
    scheduled = false
    sendWaiting(TURN)
    if (waiting.length > 0) schedule()
  }

  // Fifty publishes in one tick cost a tenth of fifty in ticks of their own. Every message of one read of the gateway's
  // socket is handled before the next setImmediate; microtasks run between them already.
  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(flushTurn)
  }

  const flush = () => sendWaiting(Number.POSITIVE_INFINITY)

  return {
    change({ id, kind }) {
      if (kind === 'left' || !followed(id)) return
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return
      waiting.push({ id, presence: snapshot.json })
      if (waiting.length >= MAX_WAITING) flush()
      else schedule()
    },
    flush,
  }
}

function once<T extends object>(make: () => T): () => T {
  let made: T | null = null
  return () => {
    made ??= make()
    return made
  }
}
