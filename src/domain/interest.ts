import { MINUTE } from '../lib/clock.ts'
import type { Calls } from './calls.ts'

/** How often it is told that somebody is looked at, at most. Milliseconds. */
const AGAIN = 10 * MINUTE
/** People remembered: beyond it all are told of anew. */
const MOST = 100_000

/** Tells the owner of the truth whom somebody looks at, now and then: they are looked at thousands of times a second. */
export class Interest {
  readonly #calls: Pick<Calls, 'looked'> | undefined
  readonly #now: () => number
  readonly #told = new Set<string>()
  #since = 0

  /**
   * @param calls undefined: nobody wants to know
   * @param now milliseconds that never go back
   */
  constructor(calls: Pick<Calls, 'looked'> | undefined, now: () => number = () => performance.now()) {
    this.#calls = calls
    this.#now = now
  }

  /** Somebody reads, follows by name, or draws this person. */
  look(userId: string): void {
    if (this.#calls === undefined) return
    const now = this.#now()
    if (now - this.#since >= AGAIN || this.#told.size >= MOST) {
      this.#told.clear()
      this.#since = now
    }
    if (this.#told.has(userId)) return
    this.#told.add(userId)
    this.#calls.looked(userId, 'profile')
  }
}
