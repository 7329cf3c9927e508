import type { Interest } from '../domain/interest.ts'
import type { Change } from '../domain/presences.ts'
import type { Counter } from '../lib/metrics.ts'
import type { Backpressure } from './backpressure.ts'
import { Frame } from './frame.ts'
import type { InitialStates } from './init-state.ts'
import type { LongUpdates } from './long-updates.ts'
import type { OpQueue } from './op-queue.ts'
import { updateFrame, withUserId } from './protocol.ts'
import type { Transport, Update } from './publisher.ts'
import type { Session } from './session.ts'
import type { Subscriptions } from './subscriptions.ts'

/** What of Bun's server is needed to reach every subscriber at once. */
export interface TopicServer {
  publish(topic: string, data: string | Uint8Array<ArrayBuffer>): number
  subscriberCount(topic: string): number
}

// Bytes differ by `user_id` and by codec only, so there are three families of topics, each plain and compressed.

export const allTopic = ({ zlib }: Pick<Session, 'zlib'>) => (zlib ? 'all.zlib' : 'all')
export const oneTopic = ({ zlib }: Pick<Session, 'zlib'>, id: string) => (zlib ? `one.zlib:${id}` : `one:${id}`)
export const manyTopic = ({ zlib }: Pick<Session, 'zlib'>, id: string) => (zlib ? `many.zlib:${id}` : `many:${id}`)

const PLAIN = { zlib: false }
const ZLIB = { zlib: true }

interface TopicsDeps {
  readonly server: () => TopicServer
  readonly subscriptions: Subscriptions
  /** Told who is followed by name, while they are. */
  readonly interest: Pick<Interest, 'look'>
  readonly longUpdates: LongUpdates
  readonly backpressure: Backpressure
  readonly initialStates: Pick<InitialStates, 'changed'>
  readonly ops: Pick<OpQueue, 'resume'>
  readonly outbound: Counter
}

/** Brings updates to WebSockets: each is one publication on every topic that somebody listens to. */
export class Topics implements Transport {
  readonly #deps: TopicsDeps

  constructor(deps: TopicsDeps) {
    this.#deps = deps
  }

  changed(change: Change): void {
    this.#deps.initialStates.changed(change)
  }

  follows(id: string): boolean {
    const { subscriptions } = this.#deps
    subscriptions.arrived(id)
    if (subscriptions.everybody > 0) return true
    return subscriptions.named > 0 && this.#topicsOf(id).some(topic => this.#count(topic) > 0)
  }

  publish({ snapshot: { id, json }, seq }: Update): number {
    const { subscriptions, backpressure, longUpdates } = this.#deps
    longUpdates.settled(id)
    const alone = once(() => new Frame(updateFrame(seq, json)))
    const named = once(() => new Frame(updateFrame(seq, withUserId(id, json))))
    const byName =
      subscriptions.named === 0
        ? 0
        : this.#publish(manyTopic(PLAIN, id), () => named().text) +
          this.#publish(oneTopic(PLAIN, id), () => alone().text) +
          this.#publish(manyTopic(ZLIB, id), () => named().zlib) +
          this.#publish(oneTopic(ZLIB, id), () => alone().zlib)
    if (byName > 0) this.#deps.interest.look(id)
    const readers =
      this.#publish(allTopic(PLAIN), () => named().text) +
      this.#publish(allTopic(ZLIB), () => named().zlib) +
      byName +
      this.#sendToExceptions(id, named)
    if (readers > 0) backpressure.queued(json.length)
    return readers
  }

  publishLong(id: string): void {
    this.#deps.longUpdates.note(id)
  }

  endTurn(idle: boolean): void {
    if (idle) this.#deps.ops.resume()
  }

  #topicsOf(id: string): string[] {
    return [manyTopic(PLAIN, id), oneTopic(PLAIN, id), manyTopic(ZLIB, id), oneTopic(ZLIB, id)]
  }

  #count(topic: string): number {
    return this.#deps.server().subscriberCount(topic)
  }

  /** `frame` is called, and so built, only when somebody listens. Returns how many do. */
  #publish(topic: string, frame: () => string | Uint8Array<ArrayBuffer>): number {
    const subscribers = this.#count(topic)
    if (subscribers === 0) return 0
    this.#deps.server().publish(topic, frame())
    this.#deps.outbound.inc(subscribers)
    return subscribers
  }

  #sendToExceptions(id: string, frame: () => Frame): number {
    let sent = 0
    for (const ws of this.#deps.subscriptions.exceptions) {
      if (ws.data.others?.silenced?.has(id)) continue
      ws.send(ws.data.zlib ? frame().zlib : frame().text)
      sent++
    }
    this.#deps.outbound.inc(sent)
    return sent
  }
}

function once<T extends object>(make: () => T): () => T {
  let made: T | null = null
  return () => {
    made ??= make()
    return made
  }
}
