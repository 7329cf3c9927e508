import { rateLimited } from '../domain/errors.ts'
import { isLoopback } from '../lib/ip.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import type { RateLimiter } from '../lib/token-bucket.ts'
import { LargeAnswer } from './representation.ts'
import { copy, failure } from './response.ts'
import type { Unread } from './unread.ts'

/** What handles a request; `undefined` once it has become a socket. */
export type Handler = (request: Request) => Answer | Promise<Answer>
type Answer = Response | undefined

/** Counts a request as so many more than one. */
export type Charge = (request: Request, cost: number) => void

interface AdmissionDeps {
  /** Undefined: everybody may ask as often as they like. */
  readonly limiter: RateLimiter | undefined
  readonly addressOf: (request: Request) => string
  readonly metrics: Metrics
  /** Lets out answers whose body is large. */
  readonly unread: Pick<Unread, 'send'>
}

/** What every request passes before any route: who asks too often is refused, every answer is counted. */
export class Admission {
  readonly #limiter: RateLimiter | undefined
  readonly #addressOf: (request: Request) => string
  readonly #unread: Pick<Unread, 'send'>
  readonly #classes: readonly Counter[]
  /** Made once for each number of seconds (60 at most), because it is sent to those who send most. */
  readonly #refusals = new Map<number, Response>()

  constructor({ limiter, addressOf, metrics, unread }: AdmissionDeps) {
    this.#limiter = limiter
    this.#addressOf = addressOf
    this.#unread = unread
    this.#classes = [2, 3, 4, 5].map(digit =>
      metrics.counter(`${digit}xx_responses`, `HTTP responses with a ${digit}xx status`),
    )
  }

  /** A handler behind the limit. */
  guard(handler: Handler): Handler {
    return request => {
      // A browser shows a page nothing of an answer whose preflight was refused; and refusing costs no less.
      const seconds = request.method === 'OPTIONS' ? 0 : this.#take(request, 1)
      if (seconds > 0) return this.#count(this.#refuse(seconds))
      const answer = handler(request)
      return answer instanceof Promise
        ? answer.then(made => this.#letOut(made, request))
        : this.#letOut(answer, request)
    }
  }

  /**
   * Counts a request that has been let in as so many more.
   * @throws ApiError 429 `rate_limited` when the client has to wait
   */
  readonly charge: Charge = (request, cost) => {
    const seconds = cost > 0 ? this.#take(request, cost) : 0
    if (seconds > 0) throw rateLimited(seconds)
  }

  /** Seconds until the client may ask again; 0 when it may now. */
  #take(request: Request, cost: number): number {
    if (this.#limiter === undefined) return 0
    const address = this.#addressOf(request)
    return isLoopback(address) ? 0 : this.#limiter.take(address, cost)
  }

  #letOut(answer: Answer, request: Request): Answer | Promise<Answer> {
    if (!(answer instanceof LargeAnswer)) return this.#count(answer)
    return this.#unread.send(answer, request).then(sent => this.#count(sent))
  }

  #count(answer: Answer): Answer {
    if (answer !== undefined) this.#classes[Math.trunc(answer.status / 100) - 2]?.inc()
    return answer
  }

  #refuse(seconds: number): Response {
    const made = this.#refusals.get(seconds) ?? failure(rateLimited(seconds))
    this.#refusals.set(seconds, made)
    return copy(made)
  }
}
