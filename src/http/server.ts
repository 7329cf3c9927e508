import { type AnyElysia, Elysia } from 'elysia'
import type { Config } from '../config.ts'
import type { Calls } from '../domain/calls.ts'
import { Pictures } from '../domain/discord-cdn.ts'
import { ApiError, FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import type { Presences } from '../domain/presences.ts'
import { createClientAddress, localUrl } from '../lib/ip.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { createRateLimiter } from '../lib/token-bucket.ts'
import { createGate, type Handler } from './admission.ts'
import { quicklinkRoutes } from './avatars.ts'
import { cardRoutes } from './card.ts'
import { docRoutes } from './docs.ts'
import { harmyRoutes } from './harmy.ts'
import { kvRoutes } from './kv.ts'
import { type EventStreams, eventRoutes, type SocketDoor, socketRoute } from './live.ts'
import { createStrays } from './normalize.ts'
import { embedRoutes } from './pages.ts'
import { failure, preflight } from './response.ts'
import { measureProcess, operationRoutes } from './service.ts'
import { createUsers } from './users.ts'

/** Another program listens where this one was told to. */
export class PortTaken extends FatalError {
  constructor(
    readonly host: string,
    readonly port: number,
    options?: ErrorOptions,
  ) {
    super(HINTS.portTaken(host, port), options)
  }
}

/** Runs what opens the port; says in one sentence what the operator has to change when it cannot be opened. */
export function listening<T>(host: string, port: number, open: () => T): T {
  try {
    return open()
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw new PortTaken(host, port, { cause: error })
    throw new FatalError(explain(error, host, port), { cause: error })
  }
}

function explain(error: unknown, host: string, port: number): string {
  switch (codeOf(error)) {
    case 'EACCES':
    case 'EPERM':
      return `This user may not open port ${port}: set PORT to one above 1023, or grant the permission.`
    default:
      return `HOST ${JSON.stringify(host)} is no address this machine can listen on: set it to 0.0.0.0, :: or one of its own addresses.`
  }
}

const codeOf = (error: unknown) => (error as { code?: unknown } | null)?.code

export interface HttpDeps {
  readonly config: Config
  readonly presences: Presences
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  readonly sockets: SocketDoor
  readonly streams: EventStreams
  readonly addresses: Addresses
  /** Milliseconds that requests under way get when the server stops. Default 5 s. */
  readonly grace?: number
}

interface Http {
  readonly port: number
  /** Where it can be reached, without a slash at the end. */
  readonly url: string
  /** Takes no new connection, lets requests under way finish for a while, then cuts what is left. */
  stop(): Promise<void>
}

/** Seconds a connection may be silent in the middle of something. */
const IDLE_TIMEOUT = 30

/**
 * Serves everything that is asked over HTTP, and hands sockets over.
 * @throws FatalError when the port cannot be opened
 */
export function startHttp(deps: HttpDeps): Http {
  const { config, presences, metrics, grace = 5000 } = deps
  const clientAddress = createClientAddress(config.trustedProxies)
  const addressOf = (request: Request) => clientAddress(server.requestIP(request)?.address ?? '', request.headers)
  const limiter =
    config.rateLimitPerMinute > 0 ? createRateLimiter({ perMinute: config.rateLimitPerMinute }) : undefined
  const gate = createGate({ limiter, addressOf, metrics })
  const strays = createStrays(request => app.fetch(request))

  function enter(handler: Handler, request: Request): Handler {
    // Bun has found the route by itself.
    if ('params' in request) return gate(handler)
    return strays.has(request) ? handler : gate(strays.prepared(handler))
  }

  const users = createUsers(deps)
  /** Without Elysia around it, which would answer for our mistakes. */
  function read(request: Request): Response | Promise<Response> {
    try {
      return users.read(request, pathParameter(request))
    } catch (error) {
      return failure(told(error, deps.log))
    }
  }

  const app: AnyElysia = new Elysia({
    // Elysia else skips the first letters of the host to find the path, and misses it behind a short host name.
    handler: { standardHostname: false },
    serve: { routes: { [HOTTEST]: { GET: gate(read) } } },
  })
    .wrap((handler, request) => enter(handler as unknown as Handler, request) as unknown as typeof handler)
    .onError(({ error }) => failure(told(error, deps.log)))
    .use(operationRoutes(deps))
    .use(users.routes)
    .use(cardRoutes(deps))
    .use(eventRoutes({ ...deps, addressOf, original: strays.original }))
    .use(harmyRoutes({ ...deps, homeGuild: config.homeGuild }))
    .use(kvRoutes(deps))
    .use(socketRoute({ sockets: deps.sockets, server: () => server, addressOf, original: strays.original }))
    .use(embedRoutes(config))
    .use(docRoutes(() => app))
    .use(quicklinkRoutes({ ...deps, pictures: new Pictures(config) }))
    .options('/*', ({ request }) => preflight(request), HIDDEN)
    .all('/*', ({ request }) => strays.answer(request), HIDDEN)

  const server = open(app, deps)
  metrics.gauge('monitored_users', 'People whose presence is shown', () => presences.size)
  const stopMeasuring = measureProcess(metrics)

  return {
    port: server.port ?? config.port,
    url: localUrl(config.host, server.port ?? config.port),
    async stop() {
      stopMeasuring()
      await within(grace, server.stop())
      await server.stop(true)
      app.server = null
    },
  }
}

/**
 * Bun takes this route before Elysia's of the same name, which is left for HEAD and for the API document: what Elysia
 * does for every request is one or two microseconds, which weigh most in a 304.
 */
const HOTTEST = '/v1/users/:id'

const pathParameter = (request: Request) => (request as Bun.BunRequest<typeof HOTTEST>).params.id

const HIDDEN = { detail: { hide: true } }

function open(
  app: { listen(options: object): unknown; server: Bun.Server<unknown> | null },
  { config, log, sockets }: HttpDeps,
) {
  listening(config.host, config.port, () =>
    app.listen({
      hostname: config.host,
      port: config.port,
      development: false,
      // Else a second copy would silently share the port.
      reusePort: false,
      idleTimeout: IDLE_TIMEOUT,
      // Routes bound the bodies they read and answer in the envelope, which Bun's own refusal would not.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      websocket: { ...NO_HANDLERS, ...sockets.websocket },
      error: (error: unknown) => failure(told(error, log)),
    }),
  )
  if (app.server === null) throw new Error('listening without a server')
  return app.server
}

/** Elysia puts handlers of its own where none are given. */
const NO_HANDLERS = { open: undefined, drain: undefined, close: undefined, ping: undefined, pong: undefined }

/** What a client may be told of an error. Ours are logged, because the client hears nothing of them. */
function told(error: unknown, log: Log): unknown {
  if (!(error instanceof ApiError)) log.error('a request failed', { error: describeError(error) })
  return error
}

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const { promise: expired, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([work, expired])
  clearTimeout(timer)
}
