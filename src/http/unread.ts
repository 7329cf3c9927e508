import { overloaded, rateLimited } from '../domain/errors.ts'
import type { Bytes } from '../lib/bytes.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Quota } from '../lib/quota.ts'
import type { LargeAnswer } from './representation.ts'
import { failure } from './response.ts'

/** What is handed to a connection at once, in bytes; it asks for more when it has room. */
const PIECE = 64 * 1024
/** Bytes a second a client has to read, looked at once it had {@link GRACE}: who is slower holds up others. */
const SLOWEST = 16 * 1024
const GRACE = 60 * SECOND
/** Seconds until somebody is told to try again. */
const PAUSE = 5

interface UnreadDeps {
  readonly addressOf: (request: Request) => string
  readonly metrics: Metrics
  /** Bytes that wait to be read, over all kinds of answers: each address and together. */
  readonly quota: Quota
  readonly clock?: Pick<Clock, 'now'>
}

/**
 * Lets large answers out. Each keeps its version of the content in memory until it is read, so their bytes are counted,
 * an address and together; a version once however many connections of an address read it. Sent as a stream, because of a
 * body Bun does not tell when it has left.
 */
export class Unread {
  readonly #addressOf: (request: Request) => string
  readonly #quota: Quota
  readonly #clock: Pick<Clock, 'now'>
  /** How many answers of a version go to which address. */
  readonly #readers = new WeakMap<object, Map<string, number>>()

  constructor({ addressOf, metrics, quota, clock = systemClock }: UnreadDeps) {
    this.#addressOf = addressOf
    this.#clock = clock
    this.#quota = quota
    metrics.gauge('unread_answer_bytes', 'Bytes of answers that clients have not read', () => quota.held)
  }

  /** The answer with its body, or a refusal when too much waits already. `request` is the one that arrived. */
  async send(answer: LargeAnswer, request: Request): Promise<Response> {
    // Without a stream the server would tell a HEAD request a length of 0, where GET tells none.
    if (request.method === 'HEAD') return withBody(answer, new ReadableStream())
    const address = this.#addressOf(request)
    if (!this.#take(address, answer)) {
      return failure(this.#quota.heldBy(address) > 0 ? rateLimited(PAUSE) : overloaded())
    }
    let isHeld = true
    const release = () => {
      if (isHeld) this.#release(address, answer)
      isHeld = false
    }
    try {
      const bytes = await answer.makeBody()
      // Who left meanwhile asks for no body, and nothing tells of it.
      if (request.signal.aborted) release()
      else request.signal.addEventListener('abort', release, { once: true })
      return withBody(answer, inPieces(bytes, this.#clock, release))
    } catch (error) {
      release()
      throw error
    }
  }

  /** False when there is no room. */
  #take(address: string, { version, size }: LargeAnswer): boolean {
    const readers = this.#readers.get(version) ?? new Map<string, number>()
    const count = readers.get(address) ?? 0
    if (!this.#quota.take(address, count === 0 ? PIECE + size : PIECE)) return false
    this.#readers.set(version, readers.set(address, count + 1))
    return true
  }

  #release(address: string, { version, size }: LargeAnswer): void {
    const readers = this.#readers.get(version)
    const left = (readers?.get(address) ?? 1) - 1
    if (left > 0) readers?.set(address, left)
    else readers?.delete(address)
    this.#quota.add(address, left > 0 ? -PIECE : -PIECE - size)
  }
}

const withBody = ({ status, headers }: Response, body: ReadableStream) => new Response(body, { status, headers })

/** `done` is called when it has been read, or nobody will read it any more. */
function inPieces(bytes: Bytes, clock: Pick<Clock, 'now'>, done: () => void): ReadableStream {
  const startedAt = clock.now()
  let at = 0
  const pull = (controller: ReadableStreamDefaultController): void => {
    const elapsed = clock.now() - startedAt
    if (elapsed > GRACE && at < (elapsed / SECOND) * SLOWEST) {
      done()
      controller.error()
    } else if (at < bytes.byteLength) {
      controller.enqueue(bytes.subarray(at, at + PIECE))
      at += PIECE
    } else {
      done()
      controller.close()
    }
  }
  return new ReadableStream({ pull, cancel: done }, { highWaterMark: 0 })
}
