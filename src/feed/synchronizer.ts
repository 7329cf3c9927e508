import { type Clock, pause, SECOND } from '../lib/clock.ts'
import type { Counter } from '../lib/metrics.ts'
import { decodeRecords } from './codec.ts'
import type { EdgeMessage, HubMessage } from './message.ts'
import type { Replica } from './replica.ts'

type Answer = Exclude<HubMessage, { kind: 'call' }>

interface SynchronizerDeps {
  readonly replica: Replica
  readonly tell: (message: EdgeMessage) => void
  /** Counts each time that everybody became known. */
  readonly done: Counter
  /** Milliseconds until an answer that does not come is given up. */
  readonly patience: number
  readonly signal: AbortSignal
  readonly clock: Clock
}

/** People in a slice, and slices asked for at a time. */
const SLICE = 500
const AT_A_TIME = 4
/** Before it is tried anew. Milliseconds. */
const PAUSE = SECOND / 10

/** Asks a hub for everybody, as often as it takes, while frames go on coming. */
export class Synchronizer {
  readonly #deps: SynchronizerDeps
  readonly #asked = new Map<number, (answer: Answer | undefined) => void>()
  readonly #whole = Promise.withResolvers<void>()
  #count = 0
  #running = false
  #again = false

  constructor(deps: SynchronizerDeps) {
    this.#deps = deps
  }

  get running(): boolean {
    return this.#running
  }

  /** Resolves when everybody is known for the first time. */
  get whenWhole(): Promise<void> {
    return this.#whole.promise
  }

  /** Until everybody is known as they were after this call. */
  async run(): Promise<void> {
    this.#again = true
    if (this.#running) return
    this.#running = true
    const { clock, signal } = this.#deps
    while (this.#again && !signal.aborted) {
      this.#again = false
      if (await this.#askForAll()) continue
      this.#again = true
      await pause(clock, PAUSE, signal).catch(() => {})
    }
    this.#running = false
  }

  answered(answer: Answer): void {
    this.#asked.get(answer.id)?.(answer)
  }

  /** False when it has to be tried anew. */
  async #askForAll(): Promise<boolean> {
    const { replica, done } = this.#deps
    replica.begin()
    const begun = await this.#ask(id => ({ kind: 'begin', id }))
    if (begun?.kind !== 'begun') return false
    const { session, people } = begun
    // At least one, which tells whether this is the life that frames tell of.
    const starts = Array.from({ length: Math.max(1, Math.ceil(people / SLICE)) }, (_, at) => at * SLICE)
    for (let at = 0; at < starts.length; at += AT_A_TIME) {
      const asked = starts.slice(at, at + AT_A_TIME)
      const slices = await Promise.all(asked.map(from => this.#ask(id => ({ kind: 'slice', id, session, from }))))
      if (!slices.every(slice => this.#take(slice))) return false
    }
    if (this.#again) return true
    done.inc()
    replica.complete()
    replica.withhold(false)
    this.#whole.resolve()
    return true
  }

  /** A slice of a life that the frames have not told of yet, or no more, is of no use. */
  #take(slice: Answer | undefined): boolean {
    const { replica } = this.#deps
    if (slice?.kind !== 'slice' || slice.position.term !== replica.position.term) return false
    replica.take({ ...slice.position, records: decodeRecords(slice.records) })
    return true
  }

  /** Resolves with undefined when there is no answer in time. */
  #ask(question: (id: number) => EdgeMessage): Promise<Answer | undefined> {
    const { tell, clock, patience } = this.#deps
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
    const id = ++this.#count
    const cancel = clock.after(patience, () => resolve(undefined))
    this.#asked.set(id, resolve)
    tell(question(id))
    return promise.finally(() => {
      cancel()
      this.#asked.delete(id)
    })
  }
}
