import { json } from '../rest/answers.ts'

/** One kind of trouble, arranged by a test. */
export interface GithubFailure {
  /**
   * A status; `network` (the connection breaks), `hang` (no answer until the simulator stops), `secondary limit` (403 or
   * 429 with `retryAfter`, or without any hint when that is left out), `page` (200 with HTML, as a proxy would), `slow` (the
   * right answer, but not before `until`).
   */
  kind: number | 'network' | 'hang' | 'secondary limit' | 'page' | 'slow'
  /** Default 1. */
  times?: number
  /** Only paths that match. */
  path?: RegExp
  /** Seconds. */
  retryAfter?: number
  until?: Promise<unknown>
}

export interface GithubFailures {
  fail(failure: GithubFailure): void
  /** Ends every arranged failure. */
  recover(): void
  /** The arranged failure for this path, if one is due; null: after all, the right answer. */
  failureFor(path: string): Promise<Response | null> | undefined
}

export function createGithubFailures(): GithubFailures {
  let failures: (GithubFailure & { left: number })[] = []
  return {
    fail: failure => void failures.push({ ...failure, left: failure.times ?? 1 }),
    recover() {
      failures = []
    },
    failureFor(path) {
      const due = failures.find(failure => failure.left > 0 && (failure.path?.test(path) ?? true))
      if (due === undefined) return undefined
      due.left--
      if (due.kind === 'slow') return Promise.resolve(due.until).then(() => null)
      return due.kind === 'hang' ? new Promise(() => {}) : Promise.resolve(render(due))
    },
  }
}

function render({ kind, retryAfter }: GithubFailure): Response {
  if (kind === 'network') return broken()
  if (kind === 'page') return new Response('<h1>Please sign in</h1>', { headers: { 'content-type': 'text/html' } })
  if (kind === 'secondary limit') return secondaryLimit(retryAfter)
  if (kind === 401) return json({ message: 'Bad credentials', documentation_url: 'https://docs.github.com/rest' }, 401)
  // An outage in front of the API answers with a page, not with the API's JSON.
  return new Response('<h1>Unicorn!</h1>', { status: kind as number, headers: { 'content-type': 'text/html' } })
}

/** Docs: REST, "Rate limits", "Exceeding the rate limit". */
function secondaryLimit(retryAfter: number | undefined): Response {
  const response = json({ message: 'You have exceeded a secondary rate limit. Please wait.' }, 403)
  if (retryAfter !== undefined) response.headers.set('retry-after', String(retryAfter))
  return response
}

/** An answer that breaks off: its body ends in an error, so that the connection is cut. */
function broken(): Response {
  const body = new ReadableStream({ start: controller => controller.error(new Error('cut by the simulator')) })
  return new Response(body, { headers: { 'content-type': 'application/json', 'content-length': '100' } })
}
