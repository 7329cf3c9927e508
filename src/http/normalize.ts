import type { Handler } from './admission.ts'

type Dispatch = (request: Request) => Response | Promise<Response>

/**
 * Brings requests to their route that would miss it. Empty path segments mean nothing here (`//v1/users/1/`), so a path
 * no route has taken is cleaned and dispatched once more; done after everything else, it costs the clean paths nothing.
 */
export class Normalizer {
  readonly #dispatch: Dispatch
  readonly #missing: Dispatch
  readonly #originals = new WeakMap<Request, Request>()

  /** `missing` answers what no route takes. */
  constructor(dispatch: Dispatch, missing: Dispatch) {
    this.#dispatch = dispatch
    this.#missing = missing
  }

  /** Answers a request no route has taken. */
  answer(request: Request): Response | Promise<Response> {
    const { path, query } = readTarget(request.url)
    const clean = `/${path.split('/').filter(Boolean).join('/')}`
    return clean === path ? this.#missing(request) : this.#dispatchAgain(request, clean + query)
  }

  /** The request as it arrived. */
  readonly original = (request: Request): Request => this.#originals.get(request) ?? request

  /** Whether a request is one that was sent on its way a second time. */
  has(request: Request): boolean {
    return this.#originals.has(request)
  }

  /**
   * A handler for what Elysia would get wrong. It looks for the path behind the first letters of an address, which a
   * request without a usable Host header has none of; and it measures what HEAD leaves out by reading it to the end.
   */
  prepare(handler: Handler): Handler {
    return request => {
      if (request.method !== 'HEAD' && !request.url.startsWith('/')) return handler(request)
      const { path, query } = readTarget(request.url)
      return this.#dispatchAgain(request, path + query)
    }
  }

  #dispatchAgain(request: Request, target: string): Response | Promise<Response> {
    // The server leaves out the body of an answer to HEAD and keeps its length, whatever the route took it for.
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const again = new Request(`http://localhost${target}`, {
      method,
      headers: request.headers,
      body: request.body,
      signal: request.signal,
    })
    this.#originals.set(again, this.original(request))
    return this.#dispatch(again)
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

/** The query of a request, without its question mark. */
export const queryOf = ({ url }: Request): string => readTarget(url).query.slice(1)
