import type { Config } from '../config.ts'
import type { Calls } from '../domain/calls.ts'
import { FatalError } from '../domain/errors.ts'
import type { Source } from '../domain/presences.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { type Counter, combineReadings, type Metrics, type Readings, renderReadings } from '../lib/metrics.ts'
import { createSharedLimits, forgetThread, type SharedLimits } from '../lib/shared-limits.ts'
import { Journal } from './journal.ts'
import type { FromThread } from './port.ts'
import { answerRequest, passLooks } from './remote-calls.ts'
import { Thread } from './thread.ts'

export interface PoolDeps {
  /** The settings that serving threads get. */
  readonly config: Config
  readonly size: number
  /** Makes a thread that runs {@link runServingThread}. */
  readonly spawn: () => Worker
  readonly source: Source
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  readonly clock?: Clock
}

/** People in one slice: none takes longer than a few milliseconds. */
const SLICE = 500
/** A thread that says nothing for so long is ended, and another takes its place. Milliseconds. */
const PATIENCE = 10 * SECOND
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 5 * SECOND
/** Whoever serves for so long has started well. */
const WELL = 10 * SECOND
/** What a thread may take to finish before it is ended. */
const GRACE = 7 * SECOND

/**
 * Serving threads in this process, each with a copy of all presences and a door of its own at the same port. One that
 * ends is started anew.
 */
export class WorkerPool {
  readonly #deps: PoolDeps
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #limits: SharedLimits
  /** By their place: what one of them counts in shared memory is taken off when it dies. */
  readonly #threads = new Map<number, Thread>()
  readonly #restarts: Counter
  readonly #timer: NodeJS.Timeout
  /** What threads that have ended had counted. */
  #past: Readings = new Map()
  #pause = FIRST_PAUSE
  #stopping = false

  constructor(deps: PoolDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    this.#journal = new Journal(deps.source)
    this.#limits = createSharedLimits(deps.size)
    this.#restarts = deps.metrics.counter('worker_restarts_total', 'Serving threads that ended and were started anew')
    deps.metrics.gauge('workers', 'Serving threads with an open door', () => this.#serving().length)
    this.#journal.onFrame(frame => {
      for (const thread of this.#threads.values()) thread.post({ kind: 'frame', frame })
    })
    this.#timer = setInterval(() => this.#watch(), SECOND)
  }

  /** Resolves when all doors are open. Rejects with FatalError when one cannot be opened. */
  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#deps.size }, (_, place) => this.#begin(place)))
  }

  /** Resolves once every door shows all that the source shows now. */
  async spread(): Promise<void> {
    this.#journal.flush()
    await Promise.all(this.#serving().map(thread => thread.mark()))
  }

  /** The numbers of all threads together, as Prometheus text. */
  async numbers(): Promise<string> {
    const told = await Promise.all(this.#serving().map(thread => thread.measure()))
    const readings = told.filter(one => one !== undefined)
    return renderReadings(combineReadings([this.#deps.metrics.read(), this.#past, ...readings]))
  }

  /** Lets every thread finish what is under way, for a while. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearInterval(this.#timer)
    this.#journal.stop()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const cancel = this.#clock.after(GRACE, resolve)
    for (const thread of this.#threads.values()) thread.post({ kind: 'stop' })
    await Promise.race([Promise.all([...this.#threads.values()].map(thread => thread.whenEnded)), late])
    cancel()
    for (const thread of this.#threads.values()) thread.terminate()
  }

  #serving(): readonly Thread[] {
    return [...this.#threads.values()].filter(({ serving }) => serving)
  }

  /** Starts a thread; resolves when its door is open. */
  #begin(place: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const thread: Thread = new Thread(this.#deps.spawn(), {
      onMessage: message => {
        if (message.kind === 'serving') {
          thread.serving = true
          this.#clock.after(WELL, () => this.#stayed(thread))
          resolve()
        } else if (message.kind === 'failed') {
          reject(new FatalError(message.message))
          thread.terminate()
        } else this.#hear(thread, message)
      },
      onError: message => this.#deps.log.error('a serving thread failed', { error: message }),
      onEnd: code => {
        reject(new FatalError('A serving thread ended before it could serve.'))
        this.#ended(place, thread, code)
      },
    })
    this.#threads.set(place, thread)
    const { config, source } = this.#deps
    const { term, number } = this.#journal
    thread.post({
      kind: 'start',
      config,
      position: { term, number },
      readiness: source.readiness,
      limits: this.#limits,
      thread: place,
    })
    void this.#fill(thread)
    return promise
  }

  /** Tells a new thread of everybody, a few at a time; what happens meanwhile it hears in between. */
  async #fill(thread: Thread): Promise<void> {
    // Of whom nothing is shown nothing can be told.
    while (this.#deps.source.withheld && !thread.ended)
      await new Promise<void>(resolve => this.#clock.after(100, resolve))
    const ids = [...this.#deps.source.ids()]
    for (let at = 0; at < ids.length && !thread.ended; at += SLICE) {
      thread.post({ kind: 'slice', slice: this.#journal.slice(ids.slice(at, at + SLICE)) })
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    thread.post({ kind: 'complete' })
  }

  #hear(thread: Thread, message: FromThread): void {
    const { calls, log } = this.#deps
    switch (message.kind) {
      case 'request':
        void answerRequest(calls, message.request).then(answer => thread.post({ kind: 'answer', answer }))
        break
      case 'looked':
        passLooks(calls, message.userIds)
        break
      case 'log':
        if (message.level !== 'silent') log[message.level](...message.given)
        break
      case 'numbers':
        void this.numbers().then(text => thread.post({ kind: 'numbers', id: message.id, text }))
        break
      case 'stopped':
        thread.terminate()
    }
  }

  #ended(place: number, thread: Thread, code: number): void {
    this.#threads.delete(place)
    forgetThread(this.#limits, place)
    this.#past = combineReadings([this.#past, thread.counted])
    if (this.#stopping) return
    this.#restarts.inc()
    this.#deps.log.warn('a serving thread ended; another takes its place', { code, after_ms: this.#pause })
    this.#clock.after(this.#pause, () => {
      if (!this.#stopping) this.#begin(place).catch(() => {})
    })
    this.#pause = Math.min(LONGEST_PAUSE, this.#pause * 2)
  }

  #stayed(thread: Thread): void {
    if (!thread.ended) this.#pause = FIRST_PAUSE
  }

  /** Ends who does not answer, and keeps what each has counted. */
  #watch(): void {
    for (const thread of this.#threads.values()) {
      if (thread.silentFor > PATIENCE) {
        this.#deps.log.error('a serving thread does not answer; it is ended')
        thread.terminate()
      } else if (thread.serving && thread.silentFor === 0) void thread.count()
    }
  }
}
