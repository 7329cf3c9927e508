import { network } from '../addresses.ts'

export interface RateLimiter {
  /** Counts a request. Tells how many seconds the address has to wait; 0 when it need not. */
  take(address: string): number
  /** Counts a request for many that were not looked at. False when that would be too many for the address. */
  estimate(address: string, requests: number): boolean
}

interface Bucket {
  tokens: number
  /** When `tokens` was true, in milliseconds. */
  at: number
}

export interface RateLimitOptions {
  /** What a bucket holds, and what it is refilled with in a minute. */
  perMinute: number
  /** Addresses remembered at most twice over. */
  maxAddresses?: number
  /** Milliseconds that never go back. */
  now?: () => number
}

const MINUTE = 60_000

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
    take(address) {
      const bucket = refilled(address)
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / refill / 1000)
      bucket.tokens--
      return 0
    },
    estimate(address, requests) {
      const bucket = refilled(address)
      const fits = bucket.tokens >= requests
      // An estimate alone refuses nobody: half the bucket stays for what is counted one by one from here on.
      bucket.tokens = fits ? bucket.tokens - requests : Math.max(bucket.tokens, perMinute / 2)
      return fits
    },
  }
}
