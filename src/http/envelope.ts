import { ApiError, internalError } from '../domain/errors.ts'
import { COMMON_HEADERS, JSON_TYPE } from './headers.ts'

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
