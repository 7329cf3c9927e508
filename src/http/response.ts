import { createHash } from 'node:crypto'
import { ApiError, internalError } from '../domain/errors.ts'

/** Any site may read every answer, errors included. No credentials are involved: keys travel in `Authorization`. */
export const COMMON_HEADERS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Expose-Headers': 'ETag, Retry-After',
  'X-Content-Type-Options': 'nosniff',
} as const

export const JSON_TYPE = 'application/json; charset=utf-8'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const HEADERS = ['authorization', 'content-type']
const METHOD = /^[\w!#$%&'*+.^`|~-]{1,64}$/
const TOKEN_LIST = /^[\w!#$%&'*+.^`|~, -]+$/

/** Characters of a list of header names up to which it is tidied: that takes longer than all else about a preflight. */
const TIDIED = 1024

/** The answer to a preflight on any path: whatever method and headers a page wants to send are allowed. */
export function preflight(request: Request): Response {
  const method = request.headers.get('Access-Control-Request-Method') ?? ''
  return new Response(null, {
    status: 204,
    headers: {
      ...COMMON_HEADERS,
      'Access-Control-Allow-Methods': [...new Set([...METHODS, ...(METHOD.test(method) ? [method] : [])])].join(', '),
      // Named one by one: a wildcard never covers Authorization, and older browsers know no wildcard here.
      'Access-Control-Allow-Headers': allowHeaders(request.headers.get('Access-Control-Request-Headers') ?? ''),
      'Access-Control-Max-Age': '600',
      Vary: 'Access-Control-Request-Method, Access-Control-Request-Headers',
    },
  })
}

function allowHeaders(asked: string): string {
  if (!TOKEN_LIST.test(asked)) return HEADERS.join(', ')
  if (asked.length > TIDIED) return `${HEADERS.join(', ')}, ${asked}`
  const names = asked.split(',').map(name => name.trim())
  return [...new Set([...HEADERS, ...names.filter(name => name !== '')])].join(', ')
}

// Ready-made header lists: building one from an object costs more than everything else about a response.
const OK = new Headers({ ...COMMON_HEADERS, 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-cache' })
const EMPTY = new Headers(COMMON_HEADERS)

/** The success envelope as text. `json` is JSON text already. */
export const envelope = (json: string) => `{"success":true,"data":${json}}`

/** 200 with the success envelope around JSON text. Extra headers are laid over the usual ones. */
export function ok(json: string, headers?: Readonly<Record<string, string>>): Response {
  return new Response(envelope(json), { headers: headers === undefined ? OK : laidOver(OK, headers) })
}

/** 204: done, nothing to say. */
export function noContent(): Response {
  return new Response(null, { status: 204, headers: EMPTY })
}

/** The failure envelope. Anything but an {@link ApiError} is our own mistake: 500, and nothing of it is shown. */
export function failure(error: unknown): Response {
  const told = error instanceof ApiError ? error : internalError()
  return new Response(told.body, {
    status: told.status,
    // Never kept: a cache that remembers "not monitored" would go on saying so after the user has joined.
    headers: { ...COMMON_HEADERS, 'Content-Type': JSON_TYPE, 'Cache-Control': 'no-store', ...told.headers },
  })
}

function laidOver(base: Headers, extra: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(base)
  for (const [name, value] of Object.entries(extra)) headers.set(name, value)
  return headers
}

/** A response is sent once; its copies share the bytes. */
export const copy = (response: Response) => response.clone() as Response

/**
 * A Content-Security-Policy for a page that brings everything along: its own inline scripts and styles may run, named by
 * their hashes, and nothing is loaded from anywhere but the given sources.
 */
export function inlineCsp(html: string, sources: Readonly<Record<string, string>>): string {
  const rules = {
    'default-src': '',
    'base-uri': '',
    'form-action': '',
    'frame-ancestors': '',
    ...sources,
    'script-src': `${sources['script-src'] ?? ''} ${hashes(html, 'script')}`,
    'style-src': `${sources['style-src'] ?? ''} ${hashes(html, 'style')}`,
  }
  return Object.entries(rules)
    .map(([name, values]) => `${name} ${values.trim() || "'none'"}`)
    .join('; ')
}

function hashes(html: string, element: 'script' | 'style'): string {
  const blocks = html.matchAll(new RegExp(`<${element}(?: type="module")?>(.*?)</${element}>`, 'gs'))
  return Array.from(blocks, ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(
    ' ',
  )
}
