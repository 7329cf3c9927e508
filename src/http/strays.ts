import { notFound } from '../errors.ts'
import { failure } from './envelope.ts'

export interface Strays {
  /** Answers a request no route has taken. */
  answer(request: Request): Response | Promise<Response>
  /** The request as it arrived. */
  original(request: Request): Request
  /** Whether a request is one we sent on its way a second time. */
  has(request: Request): boolean
}

/**
 * Requests no route has taken. Empty path segments mean nothing here (`//v1/users/1/`), so such a path is cleaned and
 * dispatched once more; done here, after everything else, it costs the clean paths nothing.
 */
export function createStrays(dispatch: (request: Request) => Response | Promise<Response>): Strays {
  const originals = new WeakMap<Request, Request>()

  return {
    answer(request) {
      const url = URL.parse(request.url)
      const path = `/${url?.pathname.split('/').filter(Boolean).join('/')}`
      if (url === null || path === url.pathname) return failure(notFound())
      url.pathname = path
      // The server leaves out the body of an answer to HEAD and keeps its length, whatever the route took it for.
      const method = request.method === 'HEAD' ? 'GET' : request.method
      const cleaned = new Request(url.href, {
        method,
        headers: request.headers,
        body: request.body,
        signal: request.signal,
      })
      originals.set(cleaned, request)
      return dispatch(cleaned)
    },
    original: request => originals.get(request) ?? request,
    has: request => originals.has(request),
  }
}
