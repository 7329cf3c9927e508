import { GithubProblem } from '../domain/github.ts'
import { type Clock, HOUR, SECOND } from '../lib/clock.ts'

const WINDOW = HOUR
const PER_WINDOW = 10
/** From this many people on, those whose window is over are forgotten. */
const MANY = 1000

/** Bounds what one person can make us ask of GitHub: the budget is everybody's. */
export class AttemptLimit {
  readonly #clock: Clock
  readonly #windows = new Map<string, { count: number; readonly until: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts one. Throws GithubProblem `too many tries`. */
  take(userId: string): void {
    const now = this.#clock.monotonic()
    const known = this.#windows.get(userId)
    if (known === undefined || known.until <= now) {
      this.#sweep(now)
      this.#windows.set(userId, { count: 1, until: now + WINDOW })
    } else if (known.count < PER_WINDOW) known.count++
    else throw new GithubProblem('too many tries', { seconds: Math.ceil((known.until - now) / SECOND) })
  }

  #sweep(now: number): void {
    if (this.#windows.size < MANY) return
    for (const [userId, { until }] of this.#windows) if (until <= now) this.#windows.delete(userId)
  }
}
