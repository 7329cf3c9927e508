import { DiscordAPIError } from '@discordjs/rest'
import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import { isObject } from '../domain/presence.ts'
import { type Clock, HOUR, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'

/** Whether Discord said that the token is not good. */
export const isTokenRefused = (error: unknown) => error instanceof DiscordAPIError && error.status === 401

/** How long Discord asked to wait, milliseconds; 0 when it did not. */
function retryAfterMs(error: unknown): number {
  const wait = isObject(error) ? error.retryAfter : undefined
  return typeof wait === 'number' && wait > 0 ? Math.min(wait, HOUR) : 0
}

/** Milliseconds: the first wait, doubled with every failure up to the longest one. */
export interface Backoff {
  firstMs: number
  longestMs: number
}

/** How long to wait after so many failures in a row: none after none, else a random half to the whole of the step. */
export function backoffMs(failures: number, { firstMs, longestMs }: Backoff, random = Math.random): number {
  if (failures <= 0) return 0
  const step = Math.min(longestMs, firstMs * 2 ** Math.min(failures - 1, 30))
  return step * (0.5 + random() / 2)
}

interface Persistence {
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
