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
