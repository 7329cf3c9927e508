import type { Calls } from '../domain/calls.ts'
import type { Copy } from '../domain/copies.ts'
import { FatalError } from '../domain/errors.ts'
import type { Source } from '../domain/presences.ts'
import { type Clock, pause, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { Desk } from './desk.ts'
import { Journal } from './journal.ts'
import { Lease } from './lease.ts'
import { RedisLink, type RedisSettings } from './link.ts'
import { namesOf } from './message.ts'
import { lastId, Outbox } from './outbox.ts'

/** Which hub this is, kept with what it owns. */
export interface HubIdentity {
  /** A name nobody else has, and the highest term it has had; 0 when there was none. */
  loadHub(): Promise<{ readonly owner: string; readonly term: number }>
  /** Resolves once the term is kept. */
  saveTerm(term: number): Promise<void>
}

export interface RedisHubDeps {
  readonly settings: RedisSettings
  readonly identity: HubIdentity
  readonly source: Source
  readonly calls: Calls
  /** Milliseconds after which an edge that cannot reach the engine shows nobody any more. */
  readonly staleAfter: number
  readonly log: Log
  readonly metrics: Metrics
  /** Told once when there is another hub. */
  readonly onFatal: (error: FatalError) => void
  readonly clock?: Clock
  /**
   * Resolves when what is known here is no older than what was told before: until then edges go on serving what the last
   * life has told. Default: at once.
   */
  readonly settled?: Promise<void>
  /** Milliseconds for which nobody else becomes the hub when this one is gone. Default 10 s. */
  readonly leaseLasts?: number | undefined
}

/** What begins when the engine is first reached, and goes on over all links. */
interface Life {
  readonly journal: Journal
  readonly outbox: Outbox
  readonly desk: Desk
}

const FIRST_PAUSE = 100
const LONGEST_PAUSE = 3 * SECOND

/** Tells edges on other machines, through Redis, what the presence store shows, and answers what they ask. */
export class RedisHub implements Copy {
  readonly #deps: RedisHubDeps
  readonly #clock: Clock
  readonly #names: ReturnType<typeof namesOf>
  #lease: Lease | undefined
  readonly #stopping = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  readonly #lost: Counter
  #life: Life | undefined
  #link: RedisLink | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(deps: RedisHubDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    this.#names = namesOf(deps.settings.prefix)
    this.#lost = deps.metrics.counter('link_lost_total', 'Connections to Redis that were lost')
    deps.metrics.gauge('edges', 'Servers that show what this hub tells', () => this.#life?.desk.edges ?? 0)
    deps.metrics.gauge('feed_term', 'Which life of the hub is told of', () => this.#life?.journal.term ?? 0)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Edges follow within milliseconds; nobody waits for them. */
  async spread(): Promise<void> {}

  /** Resolves with how many edges have not said in time that they show what is shown here. */
  async confirm(): Promise<number> {
    if (this.#life === undefined || !this.#link?.isOpen) return Number.POSITIVE_INFINITY
    const { journal, desk } = this.#life
    return desk.confirm(journal.confirm())
  }

  /** The same, and the engine forgets what was said before. */
  async purge(): Promise<number> {
    const missing = await this.confirm()
    const link = this.#link
    if (link !== undefined) await this.#life?.outbox.clear(link, this.#names.requests).catch(() => {})
    return missing
  }

  /** Leaves the place to the next hub. */
  async stop(): Promise<void> {
    this.#life?.journal.stop()
    const link = this.#link
    if (link?.isOpen) await this.#lease?.release(link).catch(() => {})
    this.#stopping.abort()
    this.#ended.resolve()
    link?.close()
    await this.#running
  }

  async #run(): Promise<void> {
    let wait = FIRST_PAUSE
    const { signal } = this.#stopping
    await Promise.race([this.#deps.settled, this.#ended.promise])
    while (!signal.aborted) {
      try {
        const link = await RedisLink.open(this.#deps.settings)
        this.#link = link
        await this.#live(link).finally(() => link.close())
        wait = FIRST_PAUSE
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof FatalError) return this.#deps.onFatal(error)
        this.#lost.inc()
        this.#deps.log.warn('no connection to Redis', { error: describeError(error), retry_ms: wait })
      }
      await pause(this.#clock, wait + Math.random() * wait, signal).catch(() => {})
      wait = Math.min(LONGEST_PAUSE, wait * 2)
    }
  }

  /** For as long as the link is good. */
  async #live(link: RedisLink): Promise<void> {
    const { signal } = this.#stopping
    const { owner, term } = await this.#deps.identity.loadHub()
    const lease =
      this.#lease ?? new Lease(this.#names.lease, owner, { clock: this.#clock, lasts: this.#deps.leaseLasts })
    this.#lease = lease
    // Before anything else: a hub that was asleep must not wait for a place that is taken.
    await this.#life?.outbox.catchUp(link)
    await lease.acquire(link, signal)
    const life = this.#life ?? (await this.#begin(link, lease, term))
    await life.outbox.catchUp(link)
    life.outbox.resume(link)
    this.#deps.log.info('telling edges over Redis', { term: life.journal.term })
    const ending = new AbortController()
    try {
      await Promise.race([
        life.desk.serve(link),
        lease.keep(link, AbortSignal.any([signal, ending.signal])),
        link.lost.then(reason => Promise.reject(reason)),
      ])
    } finally {
      ending.abort()
    }
  }

  /** A term higher than any before, by the engine's clock, the log, and what was kept here. */
  async #begin(link: RedisLink, lease: Lease, before: number): Promise<Life> {
    const { identity, source, calls, staleAfter } = this.#deps
    const answer = await link.send('TIME')
    const now = Array.isArray(answer) ? Number(answer[0]) * SECOND + Math.trunc(Number(answer[1]) / 1000) : 0
    const last = await lastId(link, this.#names.log)
    const term = Math.max(now, before + 1, last.term + 1)
    await identity.saveTerm(term)
    const journal = new Journal(source, { term, clock: this.#clock })
    const outbox = new Outbox(this.#names.log, term, this.#clock)
    journal.onFrame(frame => outbox.add(frame))
    const desk = new Desk({
      names: this.#names,
      source,
      calls,
      journal,
      isHub: () => lease.held,
      forgottenAfter: staleAfter,
      clock: this.#clock,
    })
    this.#life = { journal, outbox, desk }
    return this.#life
  }
}
