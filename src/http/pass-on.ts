import { upstreamError } from '../domain/errors.ts'
import { SECOND } from '../lib/clock.ts'
import { openUpstream } from '../lib/upstream.ts'
import { COMMON_HEADERS, failure } from './response.ts'

export interface PassOnOptions {
  /** How long the CDN may take until its headers are there, in milliseconds. Default 10 s. */
  readonly patience?: number | undefined
}

const PASSED_ON = ['content-type', 'etag', 'last-modified']
const PICTURE = /^image\/(png|gif|jpeg|webp|avif|apng)\b/
/** Bytes of a picture, which is passed on as it comes in; moving ones are the largest. */
const LARGEST = 64 * 1024 * 1024

/**
 * Passes on what the CDN has, and of its headers only these; anything but a picture would be somebody else's page on our
 * address. How long it may be kept is ours to say: an address is not its picture's but a person's, who may hide.
 */
export async function passOn(
  request: Request,
  url: string,
  { patience = 10 * SECOND }: PassOnOptions = {},
): Promise<Response> {
  const upstream = await ask(request, url, patience).catch(() => undefined)
  if (upstream === undefined) return failure(upstreamError())
  const unchanged = upstream.status === 304
  if (!unchanged && !(upstream.status === 200 && PICTURE.test(upstream.headers.get('content-type') ?? ''))) {
    void upstream.body?.cancel().catch(() => {})
    return failure(upstreamError())
  }
  const headers = new Headers({ ...COMMON_HEADERS, 'Cache-Control': 'public, max-age=300' })
  for (const name of PASSED_ON) {
    const value = upstream.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  if (unchanged) return new Response(null, { status: 304, headers })
  // Without a stream the server would tell a HEAD request a length of 0, where GET tells none.
  return new Response(request.method === 'HEAD' ? new ReadableStream() : upstream.body, { headers })
}

/** Asks the CDN what the client asked us. Gives up when it is slow, and when the client has gone. */
function ask(request: Request, url: string, patience: number): Promise<Response> {
  const known = request.headers.get('If-None-Match')
  return openUpstream(url, {
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    headers: known === null ? {} : { 'If-None-Match': known },
    timeoutMs: patience,
    maxBytes: LARGEST,
    signal: request.signal,
  })
}
