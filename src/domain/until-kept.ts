import { type Clock, MINUTE, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'

const FIRST_WAIT = SECOND
const LONGEST_WAIT = MINUTE

export interface KeepOptions {
  readonly log?: Log
  readonly clock?: Clock
}

/**
 * What people want for their safety holds at once, whatever the disk does, and is tried again until it is kept: the next
 * process must not forget it. One wish a person.
 */
export class UntilKept {
  readonly #what: string
  readonly #log: Log | undefined
  readonly #clock: Clock
  readonly #pending = new Map<string, () => Promise<unknown>>()
  #wait = FIRST_WAIT
  #cancel: (() => void) | null = null
  #stopped = false

  /** @param what names the wishes in the log */
  constructor(what: string, { log, clock = systemClock }: KeepOptions = {}) {
    this.#what = what
    this.#log = log
    this.#clock = clock
  }

  /** Rejects when it could not be kept now; then it is tried again until it is, or withdrawn. */
  async keep(userId: string, write: () => Promise<unknown>): Promise<void> {
    this.#pending.set(userId, write)
    try {
      await this.#attempt(userId, write)
    } catch (error) {
      this.#schedule()
      throw error
    }
  }

  /** Takes a wish back, or over to something that keeps it as well: returns what would have been tried again. */
  withdraw(userId: string): (() => Promise<unknown>) | undefined {
    const write = this.#pending.get(userId)
    this.#pending.delete(userId)
    return write
  }

  /** Puts back what was withdrawn, when what was to take its place failed. */
  restore(userId: string, write: (() => Promise<unknown>) | undefined): void {
    if (write === undefined || this.#pending.has(userId)) return
    this.#pending.set(userId, write)
    this.#schedule()
  }

  /** Tries everything a last time, while the store is still open. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel?.()
    await this.#tryAll()
  }

  async #attempt(userId: string, write: () => Promise<unknown>): Promise<void> {
    await write()
    if (this.#pending.get(userId) === write) this.#pending.delete(userId)
  }

  #schedule(): void {
    if (this.#stopped || this.#cancel !== null || this.#pending.size === 0) return
    this.#cancel = this.#clock.after(this.#wait, () => {
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT)
      void this.#tryAll().then(() => {
        this.#cancel = null
        this.#schedule()
      })
    })
  }

  async #tryAll(): Promise<void> {
    const due = [...this.#pending]
    if (due.length === 0) return
    const outcomes = await Promise.allSettled(due.map(([userId, write]) => this.#attempt(userId, write)))
    const failed = outcomes.find(outcome => outcome.status === 'rejected')
    if (failed === undefined) {
      this.#wait = FIRST_WAIT
      this.#log?.info(`${this.#what} are kept now`, { people: due.length })
    } else this.#log?.warn(`${this.#what} could not be kept yet`, { error: describeError(failed.reason) })
  }
}
