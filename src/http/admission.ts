import { rateLimited } from '../domain/errors.ts'
import { SECOND } from '../lib/clock.ts'
import { isLoopback } from '../lib/ip.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { RateLimiter } from '../lib/token-bucket.ts'
import { copy, failure } from './response.ts'

/**
 * Which requests are looked at closely. Telling whom a request comes from costs about a tenth of answering it, so under
 * heavy traffic one request in a few stands for all of them, until somebody seems to ask too much.
 */
interface Sampling {
  /** For how many requests the present one has to be counted; 0 when it need not be looked at. */
  weigh(): number
  /** From now on every request is looked at, until it has been quiet for a while. */
  alarm(): void
}

/** Requests a second that are all looked at. Below that, sampling never happens. */
export const SAMPLED_ABOVE = 1000
/** Beyond, one in this many. */
export const SAMPLE = 16

const QUIET = 10 * SECOND

export function createSampling(now: () => number = () => performance.now()): Sampling {
  let count = 0
  let startedAt = now()
  let alarmedUntil = Number.NEGATIVE_INFINITY
  let alarmed = false

  return {
    weigh() {
      if (++count <= SAMPLED_ABOVE || alarmed) {
        if (count > SAMPLED_ABOVE) restart(now())
        return 1
      }
      if ((count - SAMPLED_ABOVE) % SAMPLE !== 1) return 0
      return restart(now()) ? 1 : SAMPLE
    },
    alarm() {
      alarmed = true
      alarmedUntil = now() + QUIET
    },
  }

  /** Begins the next second when this one is over. */
  function restart(time: number): boolean {
    if (time - startedAt < SECOND) return false
    startedAt = time
    count = 1
    alarmed = time < alarmedUntil
    return true
  }
}

/** What handles a request; `undefined` once it has become a socket. */
export type Handler = (request: Request) => Answer | Promise<Answer>
type Answer = Response | undefined

interface GateDeps {
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
