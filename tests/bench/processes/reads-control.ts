import { takeCommands } from '../support/commands.ts'

/** One prepared answer. */
export interface Prepared {
  readonly id: string
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
  /** The headers of a 304. */
  readonly unchanged: Readonly<Record<string, string>>
  /** The body bytes in base64. */
  readonly body: string
}

/** The least Bun can do: a native route, one Map lookup, one header compared, a ready-made body and ready-made headers. */
function serve({ path, answers }: { path: string; answers: readonly Prepared[] }): string {
  const prepared = new Map(answers.map(answer => [answer.id, prepare(answer)]))
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    reusePort: false,
    development: false,
    routes: {
      [path as '/:id']: request => {
        const found = prepared.get(request.params.id)
        if (found === undefined) return new Response(null, { status: 404 })
        if (request.headers.get('If-None-Match') === found.etag) return new Response(null, found.unchanged)
        return new Response(found.body, found.init)
      },
    },
  })
  return server.url.origin
}

/** Bytes are what Bun answers fastest with. */
function prepare({ etag, headers, unchanged, body }: Prepared) {
  return {
    etag,
    body: Buffer.from(body, 'base64'),
    init: { headers: new Headers(headers) },
    unchanged: { status: 304, headers: new Headers(unchanged) },
  }
}

takeCommands({ serve })
