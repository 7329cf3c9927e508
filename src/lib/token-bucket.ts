import { MINUTE } from './clock.ts'
import { network } from './semaphore.ts'

export interface RateLimiter {
  /**
   * Counts a request, or what costs as much as several (`perMinute` at most). Tells how many seconds the address has to
   * wait; 0 when it need not.
   */
  take(address: string, cost?: number): number
}

interface Bucket {
  tokens: number
  /** When `tokens` was true, in milliseconds. */
  at: number
}

interface RateLimitOptions {
  /** What a bucket holds, and what it is refilled with in a minute. */
  perMinute: number
  /** Addresses remembered at most twice over. */
  maxAddresses?: number
  /** Milliseconds that never go back. */
  now?: () => number
}

/**
 * A token bucket per address. A bucket that was left alone for a minute is full again and need not be remembered, so
 * two generations of a minute each hold all that matters: no timer, no sweep, and a bound on memory.
 */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const { perMinute, maxAddresses = 100_000, now = () => performance.now() } = options
  const refill = perMinute / MINUTE
  let young = new Map<string, Bucket>()
  let old = young
  let bornAt = now()

  function rotate(time: number): void {
    old = young
    young = new Map()
    bornAt = time
  }

  function refilled(address: string): Bucket {
    const key = network(address)
    const time = now()
    if (time - bornAt >= MINUTE || young.size >= maxAddresses) rotate(time)
    const bucket = young.get(key) ?? old.get(key) ?? { tokens: perMinute, at: time }
    young.set(key, bucket)
    bucket.tokens = Math.min(perMinute, bucket.tokens + (time - bucket.at) * refill)
    bucket.at = time
    return bucket
  }

  return {
    take(address, cost = 1) {
      const bucket = refilled(address)
      const price = Math.min(cost, perMinute)
      if (bucket.tokens < price) return Math.ceil((price - bucket.tokens) / refill / 1000)
      bucket.tokens -= price
      return 0
    },
  }
}

/** What one sender may still send. */
export interface Allowance {
  tokens: number
  /** When the last was sent, in milliseconds of `performance.now()`. */
  heardAt: number
}

/** Takes what arrived at `now` (milliseconds) out of the sender's bucket. False when there is not that much in it. */
export function spend(allowance: Allowance, now: number, burst: number, perSecond: number, cost = 1): boolean {
  const refill = ((now - allowance.heardAt) / 1000) * perSecond
  allowance.tokens = Math.min(burst, allowance.tokens + refill)
  allowance.heardAt = now
  if (allowance.tokens < cost) return false
  allowance.tokens -= cost
  return true
}

/** Spreads what is sent: a burst at first, then one in every interval. Times are milliseconds. */
export interface SendBudget {
  /** When one more may be sent: at once when that is not in the future. */
  freeAt(): number
  spend(now: number): void
}

/** Allows `60_000 / intervalMs + burst` in any minute. */
export function createSendBudget(burst: number, intervalMs: number): SendBudget {
  /** When everything sent so far would have been sent without a burst. */
  let evenly = Number.NEGATIVE_INFINITY
  return {
    freeAt: () => evenly - (burst - 1) * intervalMs,
    spend(now) {
      evenly = Math.max(evenly, now) + intervalMs
    },
  }
}
