import { rateLimited } from '../domain/errors.ts'
import type { Metrics } from '../lib/metrics.ts'
import { isLoopback } from '../lib/semaphore.ts'
import type { RateLimiter } from '../lib/token-bucket.ts'
import { failure } from './envelope.ts'
import { copy } from './representation.ts'
import { createSampling } from './sampling.ts'

/** What handles a request; `undefined` once it has become a socket. */
export type Handler = (request: Request) => Answer | Promise<Answer>
type Answer = Response | undefined

export interface GateDeps {
  /** Undefined: everybody may ask as often as they like. */
  readonly limiter: RateLimiter | undefined
  readonly addressOf: (request: Request) => string
  readonly metrics: Metrics
}

/** What every request passes before any route: who asks too often is refused, every answer is counted. */
export function createGate({ limiter, addressOf, metrics }: GateDeps) {
  const sampling = createSampling()
  const classes = [2, 3, 4, 5].map(digit =>
    metrics.counter(`${digit}xx_responses`, `HTTP responses with a ${digit}xx status`),
  )
  const refusals = new Map<number, Response>()

  function count(answer: Answer): Answer {
    if (answer !== undefined) classes[Math.trunc(answer.status / 100) - 2]?.inc()
    return answer
  }

  /** Made once for each number of seconds (60 at most), because it is sent to those who send most. */
  function refuse(seconds: number): Response {
    const made = refusals.get(seconds) ?? failure(rateLimited(seconds))
    refusals.set(seconds, made)
    return copy(made)
  }

  /** Seconds until the client may ask again; 0 when it may now. */
  function wait(request: Request): number {
    // A browser shows a page nothing of an answer whose preflight was refused; and refusing costs no less.
    if (request.method === 'OPTIONS') return 0
    const weight = limiter === undefined ? 0 : sampling.weigh()
    if (limiter === undefined || weight === 0) return 0
    const address = addressOf(request)
    if (isLoopback(address) || (weight > 1 && limiter.estimate(address, weight))) return 0
    const seconds = limiter.take(address)
    if (weight > 1 || seconds > 0) sampling.alarm()
    return seconds
  }

  return (handler: Handler): Handler =>
    request => {
      const seconds = wait(request)
      if (seconds > 0) return count(refuse(seconds))
      const answer = handler(request)
      return answer instanceof Promise ? answer.then(count) : count(answer)
    }
}
