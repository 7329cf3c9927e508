import { type Clock, pause, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { areRecords, decodeRecords, readId } from './codec.ts'
import { RedisLink, type RedisSettings, readStreams } from './link.ts'
import { type EdgeMessage, type HubMessage, type Names, namesOf } from './message.ts'
import { lastId } from './outbox.ts'
import type { Position, Records } from './record.ts'
import { RemoteCalls } from './remote-calls.ts'
import type { Replica } from './replica.ts'
import { Synchronizer } from './synchronizer.ts'

export interface TailDeps {
  readonly settings: RedisSettings
  readonly replica: Replica
  /** Resolves once every thread here shows what the replica shows. */
  readonly spread: () => Promise<void>
  /** Milliseconds without the engine after which nobody is shown any more. */
  readonly staleAfter: number
  readonly log: Log
  readonly metrics: Metrics
  readonly clock?: Clock
}

const BLOCK = 1 * SECOND
/** Frames and answers in one read: a few MB at most. */
const AT_ONCE = '32'
/** Milliseconds without a beat after which the hub counts as away. */
const SILENCE = 3.5 * SECOND
/** How long whoever asks waits for an answer. */
const PATIENCE = 4 * SECOND
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 2 * SECOND
/** How often an edge says that it is there. */
const TELL_EVERY = 2 * SECOND
/** Requests that are kept for a hub that does not read them. */
const REQUESTS = '10000'

/** Follows a hub over Redis: keeps a replica as the hub's presences are, and brings requests there. */
export class Tail {
  readonly calls: RemoteCalls
  readonly #deps: TailDeps
  readonly #clock: Clock
  readonly #names: Names
  readonly #name = crypto.randomUUID().slice(0, 8)
  readonly #stopping = new AbortController()
  readonly #synchronizer: Synchronizer
  /** Answers that wait for the frame behind which they were given. */
  readonly #early: Extract<HubMessage, { kind: 'call' }>[] = []
  readonly #counters: { readonly lost: Counter; readonly gaps: Counter }
  #link: RedisLink | undefined
  #lastLog: string | undefined
  #lastReply = '0-0'
  #beatAt = Number.NEGATIVE_INFINITY
  #engineAt: number
  #lag = 0
  #toldAt = Number.NEGATIVE_INFINITY
  #running: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: TailDeps) {
    const { settings, metrics } = deps
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    this.#engineAt = this.#clock.monotonic()
    this.#names = namesOf(settings.prefix)
    this.calls = new RemoteCalls({
      send: request => this.#tell({ kind: 'call', request }),
      looked: userIds => this.#tell({ kind: 'looked', userIds }),
      patience: PATIENCE,
      clock: this.#clock,
    })
    this.#synchronizer = new Synchronizer({
      replica: deps.replica,
      tell: message => this.#tell(message),
      done: metrics.counter('feed_resyncs_total', 'Times that everything was asked for'),
      patience: PATIENCE,
      signal: this.#stopping.signal,
      clock: this.#clock,
    })
    this.#counters = {
      lost: metrics.counter('link_lost_total', 'Connections to Redis that were lost'),
      gaps: metrics.counter('feed_gaps_total', 'Frames of the hub that were missing'),
    }
    metrics.gauge('feed_lag_seconds', 'Age of what the hub told last, when it came', () => this.#lag / SECOND)
    metrics.gauge('feed_term', 'Which life of the hub is followed', () => deps.replica.position.term)
  }

  /** Resolves when everybody is known for the first time. */
  get whenWhole(): Promise<void> {
    return this.#synchronizer.whenWhole
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), SECOND / 2)
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    this.calls.flushLooks()
    this.#tell({ kind: 'bye' })
    await this.#link?.send('PING').catch(() => {})
    this.#stopping.abort()
    this.#link?.close()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let wait = FIRST_PAUSE
    while (!signal.aborted) {
      try {
        const link = await RedisLink.open(this.#deps.settings)
        this.#link = link
        wait = FIRST_PAUSE
        await this.#follow(link).finally(() => link.close())
      } catch (error) {
        if (signal.aborted) return
        this.#counters.lost.inc()
        this.#deps.log.warn('no connection to Redis', { error: describeError(error), retry_ms: wait })
      }
      await pause(this.#clock, wait + Math.random() * wait, signal).catch(() => {})
      wait = Math.min(LONGEST_PAUSE, wait * 2)
    }
  }

  async #follow(link: RedisLink): Promise<void> {
    const { replica } = this.#deps
    const { log } = this.#names
    const replies = this.#names.replies(this.#name)
    if (this.#lastLog === undefined) {
      const last = await lastId(link, log)
      replica.begin(last)
      this.#lastLog = `${last.term}-${last.number}`
      void this.#synchronizer.run()
    }
    this.#tellPosition()
    // They may have been lost with the last link. To write the same twice does no harm.
    this.calls.resend()
    while (link.isOpen) {
      const streams = ['STREAMS', log, replies, this.#lastLog, this.#lastReply]
      const answer = readStreams(await link.read(BLOCK, 'XREAD', 'COUNT', AT_ONCE, 'BLOCK', String(BLOCK), ...streams))
      this.#engineAt = this.#clock.monotonic()
      for (const { id, text } of answer.get(log) ?? []) {
        this.#lastLog = id
        this.#take(readId(id), decodeRecords(text))
      }
      for (const { id, text } of answer.get(replies) ?? []) {
        this.#lastReply = id
        for (const message of JSON.parse(text) as readonly HubMessage[]) this.#hear(message)
      }
      this.#answerEarly()
    }
    throw await link.lost
  }

  #take(position: Position, records: Records): void {
    if (!areRecords(records)) return
    const { replica } = this.#deps
    const before = replica.position
    const follows = replica.apply({ ...position, records })
    this.#notice(records)
    if (follows) {
      // What comes in order proves that nothing was missed while the engine was away.
      if (!this.#synchronizer.running) replica.withhold(false)
      return
    }
    if (before.term === position.term) this.#counters.gaps.inc(position.number - before.number - 1)
    void this.#synchronizer.run()
  }

  #notice(records: Records): void {
    const beat = records.lastIndexOf('B')
    if (beat !== -1) {
      this.#beatAt = this.#clock.monotonic()
      this.#lag = Math.max(0, this.#clock.now() - Number(records[beat + 2]))
    }
    if (records.includes('C')) void this.#deps.spread().then(() => this.#tellPosition())
  }

  #hear(message: HubMessage): void {
    if (message.kind === 'call') this.#early.push(message)
    else this.#synchronizer.answered(message)
  }

  /** Whoever wrote reads their own write: in every thread, too. */
  #answerEarly(): void {
    const { position } = this.#deps.replica
    const ripe = this.#early.filter(({ after }) => isBehind(position, after))
    if (ripe.length === 0) return
    this.#early.splice(0, this.#early.length, ...this.#early.filter(message => !ripe.includes(message)))
    void this.#deps.spread().then(() => {
      for (const { answer } of ripe) this.calls.answered(answer)
    })
  }

  /** What cannot be sent is not answered. */
  #tell(message: EdgeMessage): void {
    const text = JSON.stringify({ edge: this.#name, message })
    this.#link?.send('XADD', this.#names.requests, 'MAXLEN', '~', REQUESTS, '*', 'q', text).catch(() => {})
  }

  #tellPosition(): void {
    this.#toldAt = this.#clock.monotonic()
    this.#tell({ kind: 'at', position: this.#deps.replica.position })
  }

  /** Whether hub and engine are still there. */
  #look(): void {
    const { replica, staleAfter, log } = this.#deps
    const now = this.#clock.monotonic()
    if (now - this.#beatAt > SILENCE) replica.setReadiness('reconnecting')
    if (now - this.#engineAt > staleAfter && replica.whole) {
      log.error('Redis has been away for too long: nobody is shown until it is back')
      replica.withhold(true)
    }
    if (now - this.#toldAt > TELL_EVERY) this.#tellPosition()
  }
}

const isBehind = (position: Position, after: Position) =>
  position.term > after.term || (position.term === after.term && position.number >= after.number)
