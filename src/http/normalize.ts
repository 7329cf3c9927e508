import { notFound } from '../domain/errors.ts'
import type { Handler } from './admission.ts'
import { failure } from './response.ts'

export interface Strays {
  /** Answers a request no route has taken. */
  answer(request: Request): Response | Promise<Response>
  /** The request as it arrived. */
  original(request: Request): Request
  /** Whether a request is one we sent on its way a second time. */
  has(request: Request): boolean
  /**
   * A handler for what Elysia would get wrong. It looks for the path behind the first letters of an address, which a
   * request without a usable Host header has none of; and it measures what HEAD leaves out by reading it to the end.
   */
  prepared(handler: Handler): Handler
}

/**
 * Requests no route has taken. Empty path segments mean nothing here (`//v1/users/1/`), so such a path is cleaned and
 * dispatched once more; done here, after everything else, it costs the clean paths nothing.
 */
export function createStrays(dispatch: (request: Request) => Response | Promise<Response>): Strays {
  const originals = new WeakMap<Request, Request>()

  function dispatchAgain(request: Request, target: string): Response | Promise<Response> {
    // The server leaves out the body of an answer to HEAD and keeps its length, whatever the route took it for.
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const again = new Request(`http://localhost${target}`, {
      method,
      headers: request.headers,
      body: request.body,
      signal: request.signal,
    })
    originals.set(again, originals.get(request) ?? request)
    return dispatch(again)
  }

  return {
    answer(request) {
      const { path, query } = readTarget(request.url)
      const clean = `/${path.split('/').filter(Boolean).join('/')}`
      return clean === path ? failure(notFound()) : dispatchAgain(request, clean + query)
    },
    original: request => originals.get(request) ?? request,
    has: request => originals.has(request),
    prepared: handler => request => {
      if (request.method !== 'HEAD' && !request.url.startsWith('/')) return handler(request)
      const { path, query } = readTarget(request.url)
      return dispatchAgain(request, path + query)
    },
  }
}

/**
 * Path and query, whatever the Host header says: the server puts it in front unseen, or leaves it out when it can't be
 * a host, and neither makes a URL that could be parsed.
 */
function readTarget(url: string): { path: string; query: string } {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?]*)?([^?]*)(.*)$/s.exec(url) ?? []
  return { path, query }
}
