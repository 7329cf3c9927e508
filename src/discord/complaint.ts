import type { Clock } from '../clock.ts'
import { describeError, type Log } from '../log.ts'

const EVERY_MS = 60_000

/** Logs one error of each kind a minute: what breaks once on hostile input breaks ten thousand times a second. */
export type Complain = (message: string, error: unknown) => void

export function createComplaint(log: Log, clock: Clock): Complain {
  const last = new Map<string, number>()
  return (message, error) => {
    const now = clock.now()
    if (now - (last.get(message) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return
    last.set(message, now)
    log.error(message, { error: describeError(error) })
  }
}
