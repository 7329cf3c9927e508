import type { Bytes } from '../lib/bytes.ts'
import {
  compress,
  compressAside,
  compressWell,
  type Encoding,
  LARGE,
  LONGEST_LIST,
  negotiate,
  WORTH_COMPRESSING,
} from './compression.ts'
import { COMMON_HEADERS, copy } from './response.ts'

/** What of a response's headers depends on its content. */
export interface ContentHeaders {
  readonly 'Content-Type': string
  readonly 'Cache-Control': string
  /** Request headers besides Accept-Encoding that choose the content. */
  readonly Vary?: string
  readonly 'Content-Security-Policy'?: string
  readonly 'Cross-Origin-Resource-Policy'?: string
}

/**
 * A body that is sent many times: ready to be sent in each encoding somebody asked for, with the tag that tells whether
 * a client has it already. Made once per version of the content.
 */
export interface Representation {
  readonly etag: string
  readonly headers: Headers
  /** The body in the best encoding the client accepts. */
  answer(request: Request): Response
}

/** `body` is called now, and perhaps once more for each encoding: so that text the caller keeps anyway is not kept twice. */
export function represent(body: () => Bytes, content: ContentHeaders): Representation {
  const bytes = body()
  // Weak, because the compressed forms of one content share it.
  const etag = `W/"${Bun.hash(bytes).toString(36)}"`
  const vary = content.Vary === undefined ? 'Accept-Encoding' : `Accept-Encoding, ${content.Vary}`
  const headers = new Headers({ ...COMMON_HEADERS, ...content, ETag: etag, Vary: vary })
  if (bytes.byteLength > LARGE) return new LargeRepresentation(etag, headers, bytes)
  return new SmallRepresentation(
    etag,
    new Response(bytes, { headers }),
    bytes.byteLength < WORTH_COMPRESSING ? null : body,
  )
}

/** The same for what never changes while this process runs. */
export function representAsset(bytes: Bytes, content: ContentHeaders): Representation {
  const compressed = new Map<Encoding, Response>()
  const plain = represent(() => bytes, content)
  const answer = (request: Request): Response => {
    const encoding = negotiate(request.headers.get('Accept-Encoding'))
    if (encoding === undefined) return plain.answer(request)
    const ready = compressed.get(encoding)
    if (ready !== undefined) return copy(ready)
    const response = new Response(compressWell(encoding, bytes), { headers: encodedHeaders(plain.headers, encoding) })
    compressed.set(encoding, response)
    return copy(response)
  }
  return { etag: plain.etag, headers: plain.headers, answer }
}

/** 304 when the client has this version, else the body. */
export function answer(representation: Representation, request: Request): Response {
  const known = request.headers.get('If-None-Match')
  if (known === null || !matches(known, representation.etag)) return representation.answer(request)
  return new Response(null, { status: 304, headers: representation.headers })
}

/** If-None-Match compares weakly: `*`, or any of a list, with or without `W/`. Source: RFC 9110, 13.1.2. */
function matches(header: string, etag: string): boolean {
  if (header === etag || header.trim() === '*') return true
  const opaque = etag.slice(2)
  return header.length <= LONGEST_LIST && header.split(',').some(tag => tag.trim().replace(/^W\//, '') === opaque)
}

/** Compressed while the client waits. Responses are kept ready, of which copies are sent. */
class SmallRepresentation implements Representation {
  readonly etag: string
  readonly #plain: Response
  /** Null when the body is too small to gain. */
  readonly #body: (() => Bytes) | null
  #encoded: Map<Encoding, Response> | null = null

  constructor(etag: string, plain: Response, body: (() => Bytes) | null) {
    this.etag = etag
    this.#plain = plain
    this.#body = body
  }

  get headers(): Headers {
    return this.#plain.headers
  }

  answer(request: Request): Response {
    if (this.#body === null) return copy(this.#plain)
    const encoding = negotiate(request.headers.get('Accept-Encoding'))
    if (encoding === undefined) return copy(this.#plain)
    return copy(this.#encoded?.get(encoding) ?? this.#encode(encoding, this.#body()))
  }

  #encode(encoding: Encoding, body: Bytes): Response {
    const response = new Response(compress(encoding, body), { headers: encodedHeaders(this.headers, encoding) })
    this.#encoded ??= new Map()
    this.#encoded.set(encoding, response)
    return response
  }
}

/** Compressed on another thread. Whoever lets the answer out asks for its body. */
class LargeRepresentation implements Representation {
  readonly #encoded = new Map<Encoding, Promise<Bytes>>()
  readonly #plain: Bytes

  constructor(
    readonly etag: string,
    readonly headers: Headers,
    plain: Bytes,
  ) {
    this.#plain = plain
  }

  answer(request: Request): Response {
    const encoding = negotiate(request.headers.get('Accept-Encoding'))
    const size = this.#plain.byteLength
    if (encoding === undefined) return new LargeAnswer(this, size, () => this.#plain, this.headers)
    return new LargeAnswer(this, size, () => this.#encode(encoding), encodedHeaders(this.headers, encoding))
  }

  #encode(encoding: Encoding): Promise<Bytes> {
    const known = this.#encoded.get(encoding)
    if (known !== undefined) return known
    const encoded = compressAside(encoding, this.#plain)
    this.#encoded.set(encoding, encoded)
    encoded.catch(() => this.#encoded.delete(encoding))
    return encoded
  }
}

function encodedHeaders(plain: Headers, encoding: Encoding): Headers {
  const headers = new Headers(plain)
  headers.set('Content-Encoding', encoding)
  return headers
}

/** An answer without its body, which is large: it is made and sent where what waits to be read is counted. */
export class LargeAnswer extends Response {
  constructor(
    /** The same object for all answers that share what they hold in memory. */
    readonly version: object,
    /** Bytes, before they are compressed. */
    readonly size: number,
    readonly makeBody: () => Bytes | Promise<Bytes>,
    headers: Headers,
  ) {
    super(null, { headers })
  }
}
