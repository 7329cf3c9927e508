import { API } from '@discordjs/core/http-only'
import { REST, RESTEvents } from '@discordjs/rest'
import type { Config } from '../config.ts'
import { isObject } from '../domain/presence.ts'
import type { Log } from '../lib/log.ts'

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
export function retryAfterMs(error: unknown): number {
  const wait = isObject(error) ? error.retryAfter : undefined
  return typeof wait === 'number' && wait > 0 ? Math.min(wait, 3_600_000) : 0
}
