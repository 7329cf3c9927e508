import { incompleteBody, payloadTooLarge, rateLimited } from '../domain/errors.ts'
import { SECOND } from '../lib/clock.ts'
import { readAtMost } from '../lib/read-at-most.ts'

/** How much of a body a route takes: bytes, and how the limit is called in the error message. */
export interface BodyLimit {
  readonly bytes: number
  readonly name: string
}

/** Milliseconds in which a body must have arrived, however steadily it drips. */
const PATIENCE = 30 * SECOND
/** Bodies up to this (bytes) are not counted: a request a client sends anyway hardly costs less. */
const SMALL = 128 * 1024
/** Larger bodies of one person that may be on their way at the same time. Each can stay there for {@link PATIENCE}. */
const AT_ONCE = 4
/** Seconds until somebody with too many is told to try again. */
const PAUSE = 1

/** Reads bodies of people who have shown a key. Bounds what one of them can make us hold, from however many addresses. */
export class Uploads {
  readonly #patience: number
  readonly #underWay = new Map<string, number>()

  constructor(patience: number = PATIENCE) {
    this.#patience = patience
  }

  /**
   * The request's whole body. Stops at the limit, by the declared length before a byte is read or by counting what
   * arrives, so that an oversized body never fills memory.
   * @throws ApiError 413 `payload_too_large`; 429 `rate_limited` when too many large ones are on their way; 400
   *   `incomplete_body` when it does not arrive in time, or the client goes away or breaks off, which is no failure of
   *   ours
   */
  async read(userId: string, request: Request, limit: BodyLimit): Promise<Uint8Array> {
    // A length that is not declared may become as long as is allowed.
    const length = Number(request.headers.get('Content-Length') ?? limit.bytes)
    if (length > limit.bytes) throw payloadTooLarge(limit.name)
    if (length <= SMALL) return this.#read(request, limit)
    this.#enter(userId)
    try {
      return await this.#read(request, limit)
    } finally {
      this.#leave(userId)
    }
  }

  async #read(request: Request, limit: BodyLimit): Promise<Uint8Array> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    // The answer ends the connection, and with it what still arrives.
    const timer = setTimeout(() => reject(incompleteBody()), this.#patience)
    try {
      const body = await Promise.race([arrived(request, limit.bytes), late])
      if (body === null) throw payloadTooLarge(limit.name)
      return body
    } finally {
      clearTimeout(timer)
    }
  }

  #enter(userId: string): void {
    const count = this.#underWay.get(userId) ?? 0
    if (count >= AT_ONCE) throw rateLimited(PAUSE)
    this.#underWay.set(userId, count + 1)
  }

  #leave(userId: string): void {
    const left = (this.#underWay.get(userId) ?? 1) - 1
    if (left === 0) this.#underWay.delete(userId)
    else this.#underWay.set(userId, left)
  }
}

/** Null when more arrives than may. */
async function arrived(request: Request, most: number): Promise<Uint8Array | null> {
  try {
    // No more than the declared length is taken from the connection. At once, because a stream costs five times as much.
    if (request.headers.has('Content-Length')) return new Uint8Array(await request.arrayBuffer())
    return await readAtMost(most, request.body)
  } catch {
    throw incompleteBody()
  }
}

/**
 * Makes sure that somebody waits for the answer. Bun cuts a connection on which a second request arrives before the
 * first is answered, and no handler hears of the second. It does so within the turn in which both came, so a turn later
 * a request shows that it was cut: whoever would never be told that a write was made must not make it.
 * @throws ApiError 400 `incomplete_body`
 */
export async function requireListener(request: Request): Promise<void> {
  await new Promise<void>(resolve => void setImmediate(resolve))
  if (request.signal.aborted) throw incompleteBody()
}
