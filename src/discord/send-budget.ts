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
