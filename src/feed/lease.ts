import { FatalError } from '../domain/errors.ts'
import { type Clock, pause, SECOND, systemClock } from '../lib/clock.ts'
import type { RedisLink } from './link.ts'

/** Milliseconds for which the engine keeps a lease that nobody renews. */
const LASTS = 10 * SECOND
/** Renewals in that time. */
const RENEWALS = 3
/** Who was the hub a moment ago and is no more has lost the lease so long after. */
const LEEWAY = 2 * SECOND

/** Renews what is one's own. KEYS: the lease; ARGV: owner, milliseconds. */
const RENEW =
  "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('pexpire',KEYS[1],ARGV[2]) else return 0 end"
/** Gives up what is one's own. */
const RELEASE = "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end"

export const TAKEN_OVER =
  'Another Exoix is the hub at this Redis. There can be one: stop it, or give this one a REDIS_PREFIX of its own.'

/** The right to be the hub: one owner at a time has it. */
export class Lease {
  readonly #key: string
  readonly #owner: string
  readonly #clock: Clock
  readonly #lasts: number
  #until = Number.NEGATIVE_INFINITY

  constructor(
    key: string,
    owner: string,
    { clock = systemClock, lasts = LASTS }: { clock?: Clock; lasts?: number | undefined } = {},
  ) {
    this.#key = key
    this.#owner = owner
    this.#clock = clock
    this.#lasts = lasts
  }

  /** Whether it is surely one's own, by a clock that nobody sets. */
  get held(): boolean {
    return this.#clock.monotonic() < this.#until
  }

  /**
   * Takes the lease: at once when it is free or was one's own already, else when its owner does not renew it.
   * @throws FatalError when its owner does
   */
  async acquire(link: RedisLink, signal: AbortSignal): Promise<void> {
    const giveUpAt = this.#clock.monotonic() + this.#lasts + LEEWAY
    while (!(await this.#take(link))) {
      if (this.#clock.monotonic() > giveUpAt) throw new FatalError(TAKEN_OVER)
      await pause(this.#clock, this.#lasts / 20, signal)
    }
  }

  /** Keeps it for as long as the link lives. @throws FatalError when somebody else has it */
  async keep(link: RedisLink, signal: AbortSignal): Promise<void> {
    while (link.isOpen) {
      await pause(this.#clock, this.#lasts / RENEWALS, signal)
      if (link.isOpen && !(await this.#take(link))) throw new FatalError(TAKEN_OVER)
    }
  }

  async release(link: RedisLink): Promise<void> {
    this.#until = Number.NEGATIVE_INFINITY
    await link.send('EVAL', RELEASE, '1', this.#key, this.#owner)
  }

  async #take(link: RedisLink): Promise<boolean> {
    const askedAt = this.#clock.monotonic()
    const renewed = await link.send('EVAL', RENEW, '1', this.#key, this.#owner, String(this.#lasts))
    const mine =
      renewed === 1 || (await link.send('SET', this.#key, this.#owner, 'NX', 'PX', String(this.#lasts))) === 'OK'
    // From when it was asked for: the answer may have been on its way for long.
    this.#until = mine ? askedAt + this.#lasts : Number.NEGATIVE_INFINITY
    return mine
  }
}
