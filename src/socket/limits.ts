import type { Allowance } from './session.ts'

/**
 * Notes a frame that arrived at `now` (milliseconds) and takes it out of the sender's token bucket. False when the
 * bucket is empty.
 */
export function spend(allowance: Allowance, now: number, burst: number, perSecond: number): boolean {
  const refill = ((now - allowance.heardAt) / 1000) * perSecond
  allowance.tokens = Math.min(burst, allowance.tokens + refill)
  allowance.heardAt = now
  if (allowance.tokens < 1) return false
  allowance.tokens--
  return true
}

/** Open sockets an address. */
export interface Addresses {
  /** Whether one more socket may be opened. Loopback always may: a reverse proxy without further settings is there. */
  admits(address: string): boolean
  opened(address: string): void
  closed(address: string): void
}

/** `max` 0 means any number. */
export function createAddresses(max: number): Addresses {
  const open = new Map<string, number>()
  const count = (address: string) => open.get(address) ?? 0
  return {
    admits: address => max === 0 || isLoopback(address) || count(address) < max,
    opened: address => void open.set(address, count(address) + 1),
    closed(address) {
      if (count(address) > 1) open.set(address, count(address) - 1)
      else open.delete(address)
    },
  }
}

const isLoopback = (address: string) => /^(::ffff:)?127\.|^::1$/.test(address)
