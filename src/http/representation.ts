import { type Bytes, compress, type Encoding, negotiate, WORTH_COMPRESSING } from './compression.ts'
import { COMMON_HEADERS } from './headers.ts'

/**
 * A body that is sent many times: ready-made responses, one for each encoding somebody asked for, and the tag that
 * tells whether a client has it already. Made once per version of the content.
 */
export interface Representation {
  readonly etag: string
  readonly plain: Response
  /** Reads the body again, for an encoding nobody asked for before. Undefined when the body is too small to gain. */
  readonly body: (() => Bytes) | undefined
  readonly encoded: Map<Encoding, Response | Promise<Response>>
}

/** What of a response's headers depends on its content. */
export interface ContentHeaders {
  readonly 'Content-Type': string
  readonly 'Cache-Control': string
  /** Request headers besides Accept-Encoding that choose the content. */
  readonly Vary?: string
  readonly 'Content-Security-Policy'?: string
  readonly 'Cross-Origin-Resource-Policy'?: string
}

const NONE: Representation['encoded'] = new Map()

/** `body` is called now, and once more for each encoding: so that text the caller keeps anyway is not kept twice. */
export function represent(body: () => Bytes, content: ContentHeaders): Representation {
  const bytes = body()
  // Weak, because the compressed forms of one content share it.
  const etag = `W/"${Bun.hash(bytes).toString(36)}"`
  const vary = content.Vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${content.Vary}`
  const plain = new Response(bytes, { headers: { ...COMMON_HEADERS, ...content, ETag: etag, Vary: vary } })
  if (bytes.byteLength < WORTH_COMPRESSING) return { etag, plain, body: undefined, encoded: NONE }
  return { etag, plain, body, encoded: new Map() }
}

/**
 * 304 when the client has this version, else the body in the best encoding the client accepts. At once, except the
 * first time a very large body is compressed.
 */
export function answer(representation: Representation, request: Request): Response | Promise<Response> {
  const known = request.headers.get('If-None-Match')
  if (known !== null && matches(known, representation.etag)) {
    return new Response(null, { status: 304, headers: representation.plain.headers })
  }
  if (representation.body === undefined) return copy(representation.plain)
  const encoding = negotiate(request.headers.get('Accept-Encoding'))
  if (encoding === undefined) return copy(representation.plain)
  const ready = representation.encoded.get(encoding) ?? encode(representation, representation.body(), encoding)
  return ready instanceof Response ? copy(ready) : ready.then(copy)
}

/** A response is sent once; its copies share the bytes. */
export const copy = (response: Response) => response.clone() as Response

/** If-None-Match compares weakly: `*`, or any of a list, with or without `W/`. Source: RFC 9110, 13.1.2. */
function matches(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true
  const opaque = etag.slice(2)
  return header.split(',').some(tag => tag.trim().replace(/^W\//, '') === opaque)
}

function encode(of: Representation, body: Bytes, encoding: Encoding): Response | Promise<Response> {
  const compressed = compress(encoding, body)
  const ready = compressed instanceof Promise ? compressed.then(wrap) : wrap(compressed)
  of.encoded.set(encoding, ready)
  return ready

  function wrap(bytes: Bytes): Response {
    const response = new Response(bytes, { headers: of.plain.headers })
    response.headers.set('Content-Encoding', encoding)
    of.encoded.set(encoding, response)
    return response
  }
}
