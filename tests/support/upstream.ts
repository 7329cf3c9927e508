/** A server that is not ours, on loopback. */
export interface Upstream extends AsyncDisposable {
  /** With a slash at the end. */
  readonly url: string
  readonly asked: readonly Asked[]
  /** Resolves when it has been asked that often. */
  askedTimes(times: number): Promise<void>
}

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: Headers
}

export type Give = (request: Request) => Response | Promise<Response>

/** Answers every question likewise, or each as the list has it, and all further ones as its last. */
export function startUpstream(answers: Give | readonly Give[]): Upstream {
  const list = typeof answers === 'function' ? [answers] : answers
  const asked: Asked[] = []
  const waiting = new Set<() => void>()
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    development: false,
    fetch(request) {
      const { pathname, search } = new URL(request.url)
      asked.push({ method: request.method, path: pathname + search, headers: new Headers(request.headers) })
      for (const look of waiting) look()
      const give = list[Math.min(asked.length, list.length) - 1]
      return give?.(request) ?? new Response(null, { status: 404 })
    },
  })
  return {
    url: `http://127.0.0.1:${server.port}/`,
    asked,
    askedTimes: times =>
      new Promise(resolve => {
        const look = () => {
          if (asked.length < times) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      }),
    [Symbol.asyncDispose]: () => server.stop(true),
  }
}
