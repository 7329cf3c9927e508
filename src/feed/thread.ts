import type { Readings } from '../lib/metrics.ts'
import type { FromThread, Measure, ToThread } from './port.ts'

/** What is heard of a thread: its messages, but for answers to marks. */
export interface ThreadListeners {
  readonly onMessage: (message: FromThread) => void
  /** It has ended: by itself, or because it was made to. Once. */
  readonly onEnd: (code: number) => void
  /** It is about to end because of this. */
  readonly onError: (message: string) => void
}

/** A serving thread as its owner sees it. */
export class Thread {
  readonly #worker: Worker
  readonly #marks = new Map<number, { readonly done: (readings?: Readings) => void; readonly at: number }>()
  #count = 0
  readonly #end = Promise.withResolvers<void>()
  #ended = false
  /** Whether its door is open. */
  serving = false
  /** What it had counted when it told that last. */
  counted: Readings = new Map()

  constructor(worker: Worker, { onMessage, onEnd, onError }: ThreadListeners) {
    this.#worker = worker
    worker.onmessage = ({ data }: MessageEvent<FromThread>) => {
      if (data.kind === 'at') this.#reached(data.id, data.readings)
      else onMessage(data)
    }
    worker.onerror = ({ message }) => onError(message)
    worker.addEventListener('close', event => {
      this.#ended = true
      this.serving = false
      for (const { done } of this.#marks.values()) done()
      this.#marks.clear()
      this.#end.resolve()
      onEnd('code' in event && typeof event.code === 'number' ? event.code : 0)
    })
  }

  get ended(): boolean {
    return this.#ended
  }

  get whenEnded(): Promise<void> {
    return this.#end.promise
  }

  post(message: ToThread): void {
    if (!this.#ended) this.#worker.postMessage(message)
  }

  /** Resolves once everything that was posted before is taken in, or the thread has ended. */
  async mark(): Promise<void> {
    await this.#mark('none')
  }

  /** Brings {@link counted} up to date. */
  async count(): Promise<void> {
    this.counted = (await this.#mark('counters')) ?? this.counted
  }

  /** All its numbers; undefined when it has ended. */
  measure(): Promise<Readings | undefined> {
    return this.#mark('all')
  }

  #mark(measure: Measure): Promise<Readings | undefined> {
    if (this.#ended) return Promise.resolve(undefined)
    const { promise, resolve } = Promise.withResolvers<Readings | undefined>()
    this.#marks.set(++this.#count, { done: resolve, at: performance.now() })
    this.post({ kind: 'mark', id: this.#count, measure })
    return promise
  }

  /** For how many milliseconds it has not answered; 0 when it has nothing to answer. */
  get silentFor(): number {
    const [oldest] = this.#marks.values()
    return oldest === undefined ? 0 : performance.now() - oldest.at
  }

  terminate(): void {
    this.#worker.terminate()
  }

  #reached(id: number, readings?: Readings): void {
    this.#marks.get(id)?.done(readings)
    this.#marks.delete(id)
  }
}
