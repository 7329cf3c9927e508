import { incompleteBody, payloadTooLarge, rateLimited } from '../domain/errors.ts'
import { readAtMost } from '../lib/read-at-most.ts'

/** How much of a body a route takes: bytes, and how the limit is called in the error message. */
export interface BodyLimit {
  readonly bytes: number
  readonly name: string
}

/**
 * The request's whole body. Stops at the limit, by the declared length before a byte is read or by counting what
 * arrives, so that an oversized body never fills memory.
 * @throws ApiError 413 `payload_too_large`; 400 `incomplete_body` when the client goes away or breaks off, which is
 *   no failure of ours
 */
export async function readBody(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const declared = request.headers.get('Content-Length')
  if (Number(declared ?? 0) > limit.bytes) throw payloadTooLarge(limit.name)
  const body = await arrived(request, declared !== null, limit.bytes)
  if (body === null) throw payloadTooLarge(limit.name)
  return body
}

/** Null when more arrives than may. */
async function arrived(request: Request, isDeclared: boolean, most: number): Promise<Uint8Array | null> {
  try {
    // No more than the declared length is taken from the connection. At once, because a stream costs five times as much.
    if (isDeclared) return new Uint8Array(await request.arrayBuffer())
    return await readAtMost(most, request.body)
  } catch {
    throw incompleteBody()
  }
}

/** Bodies up to this (bytes) are not counted: a request a client sends anyway hardly costs less. */
const SMALL = 128 * 1024
/** Larger bodies of one person that may be on their way at the same time. Each can stay there for half a minute. */
const AT_ONCE = 4
/** Seconds until somebody with too many is told to try again. */
const PAUSE = 1

/**
 * Reads the body of a request by somebody who has shown a key. Bounds what one person can make us hold, from however
 * many addresses.
 * @throws ApiError 429 `rate_limited` when too many large ones are on their way, and what readBody throws
 */
type ReadUpload = (userId: string, request: Request, limit: BodyLimit) => Promise<Uint8Array>

export function createUploads(): ReadUpload {
  const underWay = new Map<string, number>()

  function enter(userId: string): void {
    const count = underWay.get(userId) ?? 0
    if (count >= AT_ONCE) throw rateLimited(PAUSE)
    underWay.set(userId, count + 1)
  }

  function leave(userId: string): void {
    const left = (underWay.get(userId) ?? 1) - 1
    if (left === 0) underWay.delete(userId)
    else underWay.set(userId, left)
  }

  return async (userId, request, limit) => {
    // A length that is not declared may become as long as is allowed.
    const length = Number(request.headers.get('Content-Length') ?? limit.bytes)
    if (length <= SMALL || length > limit.bytes) return readBody(request, limit)
    enter(userId)
    try {
      return await readBody(request, limit)
    } finally {
      leave(userId)
    }
  }
}
