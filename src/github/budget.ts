import { type Clock, DAY, HOUR, MINUTE, SECOND } from '../lib/clock.ts'
import { readRetryAfter } from '../lib/upstream.ts'
import type { Answer } from './client.ts'

/**
 * How much may be asked of GitHub's API at the moment, read from its answers: `x-ratelimit-*` and `retry-after`.
 * People who wait for an answer may use all of it; the background round leaves a part for them and spreads the rest.
 * Source: GitHub docs, REST, "Rate limits" and "Best practices".
 */
export interface Budget {
  /** Learns from an answer. */
  observe(answer: Pick<Answer, 'status' | 'headers' | 'body'>): void
  /** The background got no answer, or none that makes sense: it pauses, longer each time. */
  failed(): void
  /** The background got what it asked for. */
  succeeded(): void
  /** Milliseconds for which nobody may ask; 0: go ahead. */
  wait(): number
  /** From when on the background may ask again (ms since 1970). */
  backgroundFrom(): number
  /** Requests left in GitHub's window; NaN while it has not said. */
  remaining(): number
}

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

export function createBudget(clock: Clock): Budget {
  let window: Window | null = null
  let askedAt = Number.NEGATIVE_INFINITY
  let stoppedUntil = 0
  let quietUntil = 0
  let limitedInARow = 0
  let failedInARow = 0

  function limited({ headers, body }: Pick<Answer, 'headers' | 'body'>): void {
    const now = clock.now()
    const told = readRetryAfter(headers, body)
    // Without a hint GitHub asks for a minute at least, and longer each time.
    const guess = Math.min(MINUTE * 2 ** limitedInARow++, HOUR)
    const until = told === undefined ? (current()?.remaining === 0 ? resetAt() : now + guess) : now + told
    stoppedUntil = Math.max(stoppedUntil, Math.min(until, now + DAY))
  }

  /** The window GitHub told of last, full again once it is over. */
  function current(): Window | null {
    if (window === null || clock.now() < window.resetAt) return window
    return { ...window, remaining: window.limit }
  }

  const resetAt = () => window?.resetAt ?? 0

  return {
    observe({ status, headers, body }) {
      askedAt = clock.now()
      window = readWindow(headers, askedAt) ?? window
      if (status === 429 || status === 403) return limited({ headers, body })
      if (status < 500) limitedInARow = 0
    },

    failed() {
      askedAt = clock.now()
      quietUntil = askedAt + Math.min(FIRST_QUIET * 2 ** failedInARow++, LONGEST_QUIET)
    },

    succeeded() {
      failedInARow = 0
    },

    wait() {
      const until = Math.max(stoppedUntil, current()?.remaining === 0 ? resetAt() : 0)
      return Math.max(0, until - clock.now())
    },

    backgroundFrom() {
      const held = Math.max(stoppedUntil, quietUntil)
      const known = current()
      if (known === null) return Math.max(held, askedAt + SPACING)
      const spare = known.remaining - Math.ceil(known.limit * RESERVE)
      if (spare <= 0) return Math.max(held, resetAt())
      const pace = (resetAt() - clock.now()) / spare
      return Math.max(held, askedAt + Math.max(SPACING, pace))
    },

    remaining: () => current()?.remaining ?? Number.NaN,
  }
}

function readWindow(headers: Headers, now: number): Window | null {
  const limit = readInteger(headers, 'x-ratelimit-limit')
  const remaining = readInteger(headers, 'x-ratelimit-remaining')
  const reset = readInteger(headers, 'x-ratelimit-reset')
  if (limit === null || remaining === null || reset === null) return null
  // Clocks differ: a window never ends in the past, nor later than it can.
  const resetAt = Math.min(Math.max(reset * SECOND, now + SECOND), now + HOUR + MINUTE)
  return { limit, remaining: Math.min(remaining, limit), resetAt }
}

/** A header that holds a whole number; null when it does not. */
function readInteger(headers: Headers, name: string): number | null {
  const text = headers.get(name) ?? ''
  return /^\d{1,12}$/.test(text) ? Number(text) : null
}
