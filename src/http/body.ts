import { incompleteBody, payloadTooLarge } from '../domain/errors.ts'
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
