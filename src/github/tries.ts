import type { Clock } from '../clock.ts'
import { GithubProblem } from '../github.ts'

/** Bounds what one person can make us ask of GitHub: the budget is everybody's. */
export interface Tries {
  /** Counts one. Throws GithubProblem `too many tries`. */
  take(userId: string): void
}

const WINDOW = 60 * 60 * 1000
const PER_WINDOW = 10
/** From this many people on, those whose window is over are forgotten. */
const MANY = 1000

export function createTries(clock: Clock): Tries {
  const windows = new Map<string, { count: number; readonly until: number }>()

  function sweep(now: number): void {
    if (windows.size < MANY) return
    for (const [userId, { until }] of windows) if (until <= now) windows.delete(userId)
  }

  return {
    take(userId) {
      const now = clock.now()
      const known = windows.get(userId)
      if (known === undefined || known.until <= now) {
        sweep(now)
        windows.set(userId, { count: 1, until: now + WINDOW })
      } else if (known.count < PER_WINDOW) known.count++
      else throw new GithubProblem('too many tries', { seconds: Math.ceil((known.until - now) / 1000) })
    },
  }
}
