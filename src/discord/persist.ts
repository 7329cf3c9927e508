import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import { type Clock, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { type Backoff, backoffMs } from './backoff.ts'
import { isTokenRefused, retryAfterMs } from './rest.ts'

export interface Persistence {
  clock: Clock
  backoff: Backoff
  log: Log
  /** Ends the waiting; the promise then rejects with its reason. */
  signal: AbortSignal
}

/**
 * Asks until there is an answer: Discord being unreachable, broken or busy is weather. Rejects with FatalError when the
 * token is refused. `what` completes the sentence "Discord did not …".
 */
export async function askUntilAnswered<T>(
  what: string,
  ask: (signal: AbortSignal) => Promise<T>,
  { clock, backoff, log, signal }: Persistence,
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await ask(signal)
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof FatalError) throw error
      if (isTokenRefused(error)) throw new FatalError(HINTS.tokenRefused)
      const wait = Math.max(backoffMs(failures, backoff), retryAfterMs(error))
      log.warn(`Discord did not ${what}`, { error: describeError(error), retryInMs: Math.round(wait) })
      await pause(clock, wait, signal)
    }
  }
}
