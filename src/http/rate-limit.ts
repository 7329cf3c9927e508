import { isIP } from 'node:net'

/** Tells how long an address has to wait, in seconds; 0 lets its request through and counts it. */
export interface RateLimiter {
  take(address: string): number
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

  function bucket(key: string, time: number): Bucket {
    if (time - bornAt >= MINUTE || young.size >= maxAddresses) rotate(time)
    const known = young.get(key) ?? old.get(key) ?? { tokens: perMinute, at: time }
    young.set(key, known)
    return known
  }

  return {
    take(address) {
      const time = now()
      const known = bucket(network(address), time)
      known.tokens = Math.min(perMinute, known.tokens + (time - known.at) * refill)
      known.at = time
      if (known.tokens < 1) return Math.ceil((1 - known.tokens) / refill / 1000)
      known.tokens--
      return 0
    },
  }
}

/** One customer has a whole IPv6 /64: its addresses count as one. */
export function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail?.split(':') ?? [])]
    .slice(0, 4)
    .map(group => Number.parseInt(group || '0', 16).toString(16))
    .join(':')
}
