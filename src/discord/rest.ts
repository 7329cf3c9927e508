import { API } from '@discordjs/core/http-only'
import { REST, RESTEvents } from '@discordjs/rest'
import type { Config } from '../config.ts'
import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import { isObject } from '../domain/presence.ts'
import { type Clock, HOUR, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'

/** Routes the gateway itself asks for. Their rate limits reject at once: its own back-off knows how to be interrupted. */
const OWN_ROUTES: readonly string[] = ['/applications/@me', '/gateway/bot']

/** Discord's REST API. Rate limits are waited out by the library; other failures reject. */
export function createRest({ botToken = '', discordApiUrl }: Config, log: Log): { rest: REST; api: API } {
  const rest = new REST({
    version: '10',
    api: discordApiUrl,
    timeout: 15_000,
    retries: 2,
    userAgentAppendix: 'Exoix',
    rejectOnRateLimit: ({ route }) => OWN_ROUTES.includes(route),
  }).setToken(botToken)
  // Routes have ids and tokens taken out; addresses have not, and are never logged.
  rest.on(RESTEvents.RateLimited, ({ method, route, retryAfter, global }) =>
    log.debug('Discord asked for a pause between requests', { method, route, retryAfter, global }),
  )
  rest.on(RESTEvents.InvalidRequestWarning, ({ count, remainingTime }) =>
    log.warn('Discord refused many requests; at 10,000 in ten minutes it blocks this address', {
      count,
      remainingTime,
    }),
  )
  return { rest, api: new API(rest) }
}

/** Whether Discord said that the token is not good. */
export const isTokenRefused = (error: unknown) => isObject(error) && error.status === 401

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
