import { type Clock, DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { readRetryAfter } from '../lib/upstream.ts'
import type { Answer } from './client.ts'

interface Window {
  readonly limit: number
  readonly remaining: number
  readonly resetAt: number
}

/** Between two background requests: 240 a minute at most, far from GitHub's secondary limit of 900. */
const SPACING = 250
/** Part of the window that is left to people who wait. */
const RESERVE = 0.1
/** After the first of several failures in a row; doubled for each further one, up to the longest. */
const FIRST_QUIET = 10 * SECOND
const LONGEST_QUIET = 15 * MINUTE

/**
 * How much may be asked of GitHub's API at the moment, read from its answers: `x-ratelimit-*` and `retry-after`.
 * People who wait for an answer may use all of it; the background leaves a part for them and spreads the rest.
 * Source: GitHub docs, REST, "Rate limits" and "Best practices".
 */
export class Budget {
  #window: Window | null = null
  #askedAt = Number.NEGATIVE_INFINITY
  #stoppedUntil = 0
  #quietUntil = 0
  #limitedInARow = 0
  #failedInARow = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Learns from an answer. */
  observe(answer: Pick<Answer, 'status' | 'headers' | 'body'>): void {
    this.#askedAt = this.#clock.monotonic()
    this.#window = readWindow(answer.headers, this.#clock) ?? this.#window
    if (answer.status === 429 || answer.status === 403) this.#limited(answer)
    else if (answer.status < 500) this.#limitedInARow = 0
  }

  /** The background got no answer, or none that makes sense: it pauses, longer each time. */
  failed(): void {
    this.#askedAt = this.#clock.monotonic()
    this.#quietUntil = this.#askedAt + Math.min(FIRST_QUIET * 2 ** this.#failedInARow++, LONGEST_QUIET)
  }

  /** The background got what it asked for. */
  succeeded(): void {
    this.#failedInARow = 0
  }

  /** Milliseconds for which nobody may ask; 0: go ahead. */
  wait(): number {
    const until = Math.max(this.#stoppedUntil, this.#current()?.remaining === 0 ? this.#resetAt() : 0)
    return Math.max(0, until - this.#clock.monotonic())
  }

  /** From when on the background may ask again (monotonic milliseconds). */
  backgroundFrom(): number {
    const held = Math.max(this.#stoppedUntil, this.#quietUntil)
    const known = this.#current()
    if (known === null) return Math.max(held, this.#askedAt + SPACING)
    const spare = known.remaining - Math.ceil(known.limit * RESERVE)
    if (spare <= 0) return Math.max(held, this.#resetAt())
    const pace = (this.#resetAt() - this.#clock.monotonic()) / spare
    return Math.max(held, this.#askedAt + Math.max(SPACING, pace))
  }

  /** Requests left in GitHub's window; NaN while it has not said. */
  remaining(): number {
    return this.#current()?.remaining ?? Number.NaN
  }

  #limited({ headers, body }: Pick<Answer, 'headers' | 'body'>): void {
    const now = this.#clock.monotonic()
    const told = readRetryAfter(headers, body)
    // Without a hint GitHub asks for a minute at least, and longer each time.
    const guess = Math.min(MINUTE * 2 ** this.#limitedInARow++, HOUR)
    const until = told === undefined ? (this.#current()?.remaining === 0 ? this.#resetAt() : now + guess) : now + told
    this.#stoppedUntil = Math.max(this.#stoppedUntil, Math.min(until, now + DAY))
  }

  /** The window GitHub told of last, full again once it is over. */
  #current(): Window | null {
    if (this.#window === null || this.#clock.monotonic() < this.#window.resetAt) return this.#window
    return { ...this.#window, remaining: this.#window.limit }
  }

  #resetAt(): number {
    return this.#window?.resetAt ?? 0
  }
}

function readWindow(headers: Headers, clock: Clock): Window | null {
  const limit = readInteger(headers, 'x-ratelimit-limit')
  const remaining = readInteger(headers, 'x-ratelimit-remaining')
  const reset = readInteger(headers, 'x-ratelimit-reset')
  if (limit === null || remaining === null || reset === null) return null
  // Clocks differ: a window never ends in the past, nor later than it can.
  const left = Math.min(Math.max(reset * SECOND - clock.now(), SECOND), HOUR + MINUTE)
  return { limit, remaining: Math.min(remaining, limit), resetAt: clock.monotonic() + left }
}

/** A header that holds a whole number; null when it does not. */
function readInteger(headers: Headers, name: string): number | null {
  const text = headers.get(name) ?? ''
  return /^\d{1,12}$/.test(text) ? Number(text) : null
}
