import { rateLimited } from '../domain/errors.ts'
import { type BodyLimit, readBody } from './body.ts'

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
export type ReadUpload = (userId: string, request: Request, limit: BodyLimit) => Promise<Uint8Array>

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
