import type { Server, WebSocketHandler } from 'bun'
import type { Acceptance } from './gateway/faults.ts'
import { type Connection, createConnection } from './gateway/wire.ts'
import type { Settings } from './options.ts'
import type { Cdn } from './pictures/cdn.ts'
import type { Rest } from './rest/rest.ts'

export interface ServerParts {
  settings: Settings
  rest: Rest
  cdn: Cdn
  websocket: WebSocketHandler<Connection>
  /** Whether gateway connections are taken. */
  acceptance: Acceptance
}

const PICTURES = /^\/(cdn|media|spotify)\//
/** Docs: Reference, "User Agent". Who does not say this is not let in. */
const USER_AGENT = /^DiscordBot \(\S+, [^)]+\)/
const GATEWAY = /^\/gateway(\/resume)?\/?$/

/** One server for everything: /api, /gateway, and pictures at /cdn, /media and /spotify. */
export function serve({ settings, rest, cdn, websocket, acceptance }: ServerParts): Server<Connection> {
  return Bun.serve({
    port: settings.port,
    hostname: settings.hostname,
    reusePort: false,
    development: false,
    websocket,
    fetch(request, server) {
      const url = new URL(request.url)
      if (url.pathname.startsWith('/api/')) return rest.handle(request, url)
      if (PICTURES.test(url.pathname)) {
        server.timeout(request, 0)
        return cdn.handle(request, url)
      }
      if (!GATEWAY.test(url.pathname)) return new Response('Not Found', { status: 404 })
      if (acceptance.refusing === true) return new Response('Service Unavailable', { status: 503 })
      if (acceptance.refusing === 'hang') return hang(request, server)
      if (!USER_AGENT.test(request.headers.get('User-Agent') ?? '')) return new Response('Forbidden', { status: 403 })
      const data = createConnection(url.pathname, Object.fromEntries(url.searchParams), settings.now())
      data.silent = acceptance.refusing === 'silent'
      return server.upgrade(request, { data }) ? undefined : new Response('Upgrade Required', { status: 426 })
    },
  })
}

/** Takes the connection and never answers. */
function hang(request: Request, server: Server<Connection>): Promise<Response> {
  server.timeout(request, 0)
  return new Promise(() => {})
}
