import { payloadTooLarge } from '../errors.ts'

/** How much of a body a route takes: bytes, and how the limit is called in the error message. */
export interface BodyLimit {
  readonly bytes: number
  readonly name: string
}

/**
 * The request's whole body. Stops at the limit, by the declared length before a byte is read or by counting what
 * arrives, so that an oversized body never fills memory.
 * @throws ApiError 413 `payload_too_large`
 */
export async function readBody(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const declared = request.headers.get('Content-Length')
  if (Number(declared ?? 0) > limit.bytes) throw payloadTooLarge(limit.name)
  // No more than the declared length is taken from the connection. At once, because a stream costs five times as much.
  if (declared !== null) return new Uint8Array(await request.arrayBuffer())
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength
    if (length > limit.bytes) throw payloadTooLarge(limit.name)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}
