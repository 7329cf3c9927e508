import { type AnyElysia, Elysia } from 'elysia'
import type { Config } from '../config.ts'
import type { Calls } from '../domain/calls.ts'
import { Pictures } from '../domain/discord-cdn.ts'
import { ApiError, notFound } from '../domain/errors.ts'
import type { Interest } from '../domain/interest.ts'
import type { Presences } from '../domain/presences.ts'
import { type ClientAddress, createClientAddress, isLoopback, localUrl } from '../lib/ip.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Quota } from '../lib/quota.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { createRateLimiter, type RateLimiter } from '../lib/token-bucket.ts'
import { Admission, type Handler } from './admission.ts'
import { APP_ICON_PATH, appIconRoutes, KnownIcons } from './app-icons.ts'
import { QUICKLINK_PATH, quicklinkRoutes } from './avatars.ts'
import { cardRoutes } from './card.ts'
import { docRoutes } from './docs.ts'
import { harmyRoutes } from './harmy.ts'
import { historyRoutes } from './history.ts'
import { imageRoutes } from './images.ts'
import { kvRoutes } from './kv.ts'
import { type EventStreams, eventRoutes, type SocketDoor, socketRoute } from './live.ts'
import { Normalizer } from './normalize.ts'
import { missingAnswer, scriptRoutes } from './pages.ts'
import { listening } from './port.ts'
import { failure, preflight } from './response.ts'
import { METRICS_PATH, measureProcess, readMetrics, serviceRoutes } from './service.ts'
import { Unread } from './unread.ts'
import { Users } from './users.ts'

export interface HttpDeps {
  readonly config: Config
  readonly presences: Presences
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  readonly sockets: SocketDoor
  readonly streams: EventStreams
  readonly addresses: Addresses
  /** Told whom somebody reads or draws. */
  readonly interest: Interest
  /** Which Exoix this is. */
  readonly version: string
  /** Milliseconds that requests under way get when the server stops. Default 5 s. */
  readonly grace?: number
  /** Whether others may listen at the same port. Default: nobody. */
  readonly reusePort?: boolean
  /** The only paths there are. Default: all. */
  readonly paths?: ReadonlySet<string> | undefined
  /** What counts requests, where that is more than this server's own. */
  readonly limiter?: RateLimiter
  /** The numbers for Prometheus, where they are more than this server's own. */
  readonly numbers?: () => Promise<string>
  /** Milliseconds in which the body of a request must have arrived. Default 30 s. */
  readonly bodyPatience?: number
  /** Bytes of large answers that may wait to be read. */
  readonly unread: Quota
}

/** Seconds a connection may be silent in the middle of something. */
const IDLE_TIMEOUT = 30

/** Serves everything that is asked over HTTP, and hands sockets over. */
export class HttpServer {
  readonly #deps: HttpDeps
  readonly #app: AnyElysia
  readonly #server: Bun.Server<unknown>
  readonly #normalizer: Normalizer
  readonly #missing: (request: Request) => Response
  readonly #clientAddress: ClientAddress
  readonly #admission: Admission
  readonly #stopMeasuring: () => void

  /** @throws FatalError when the port cannot be opened */
  constructor(deps: HttpDeps) {
    const { config, metrics, presences } = deps
    this.#deps = deps
    this.#missing = missingAnswer(config)
    this.#normalizer = new Normalizer(request => this.#app.fetch(request), this.#missing)
    this.#clientAddress = createClientAddress(config.trustedProxies)
    const perMinute = config.rateLimitPerMinute
    const limiter =
      perMinute === 0 || isOnlyLocal(config) ? undefined : (deps.limiter ?? createRateLimiter({ perMinute }))
    const unread = new Unread({ addressOf: this.#addressOf, metrics, quota: deps.unread })
    this.#admission = new Admission({ limiter, addressOf: this.#addressOf, metrics, unread })
    this.#app = this.#routes()
    this.#server = open(this.#app, deps)
    metrics.gauge('monitored_users', 'People whose presence is shown', () => presences.size, {}, 'max')
    this.#stopMeasuring = measureProcess(metrics)
  }

  get port(): number {
    return this.#server.port ?? this.#deps.config.port
  }

  /** Where it can be reached, without a slash at the end. */
  get url(): string {
    return localUrl(this.#deps.config.host, this.port)
  }

  /** Takes no new connection, lets requests under way finish for a while, then cuts what is left. */
  async stop(): Promise<void> {
    const { grace = 5000 } = this.#deps
    this.#stopMeasuring()
    await within(grace, this.#server.stop())
    await this.#server.stop(true)
    this.#app.server = null
  }

  readonly #addressOf = (request: Request): string => {
    const peer = this.#server.requestIP(this.#normalizer.original(request))
    return this.#clientAddress(peer?.address ?? '', request.headers)
  }

  #routes(): AnyElysia {
    const { charge } = this.#admission
    const deps = { ...this.#deps, addressOf: this.#addressOf, missing: this.#missing, charge }
    const { config, log, metrics, sockets, version } = deps
    const { original } = this.#normalizer
    const pictures = new Pictures(config)
    const icons = new KnownIcons(deps.calls)
    const users = new Users(deps)
    const { numbers = () => metrics.render() } = deps
    const readNumbers = readMetrics(numbers, config.metrics, request => isLocal(request, this.#addressOf(request)))
    const app: AnyElysia = new Elysia({
      // Elysia else skips the first letters of the host to find the path, and misses it behind a short host name.
      handler: { standardHostname: false },
      serve: {
        routes: {
          [HOTTEST]: {
            GET: this.#native(request => this.#barred(request) ?? users.read(request, pathParameter(request))),
          },
          [METRICS_PATH]: { GET: this.#native(readNumbers), HEAD: this.#native(readNumbers) },
        },
      },
    })
      .wrap((handler, request) => this.#enter(handler as unknown as Handler, request) as unknown as typeof handler)
      .onError(({ error }) => failure(toClientError(error, log)))
      .use(serviceRoutes(deps))
      .use(users.routes())
      .use(cardRoutes({ ...deps, icons }))
      .use(eventRoutes(deps))
      .use(harmyRoutes({ ...deps, homeGuild: config.homeGuild }))
      .use(kvRoutes(deps))
      .use(socketRoute({ sockets, server: () => this.#server, addressOf: this.#addressOf, original }))
      .use(scriptRoutes(deps))
      .use(docRoutes({ routes: () => app, paths: { ...QUICKLINK_PATH, ...APP_ICON_PATH }, version, config }))
      .use(imageRoutes({ ...deps, pictures, icons }))
      .use(appIconRoutes({ icons, pictures, missing: this.#missing }))
      .use(historyRoutes(deps))
      .use(quicklinkRoutes({ ...deps, pictures }))
      .options('/*', ({ request }) => preflight(request), HIDDEN)
      .all('/*', ({ request }) => this.#normalizer.answer(request), HIDDEN)
    return app
  }

  /** For routes of Bun's own, without Elysia around them, which would answer for our mistakes. */
  #native(handler: (request: Request) => Response | Promise<Response>): Handler {
    return this.#admission.guard(request => {
      try {
        return handler(request)
      } catch (error) {
        return failure(toClientError(error, this.#deps.log))
      }
    })
  }

  /** What is said of a path that is not among the only ones. */
  #barred({ url }: Request): Response | undefined {
    const { paths } = this.#deps
    return paths === undefined || paths.has(URL.parse(url)?.pathname ?? '') ? undefined : failure(notFound())
  }

  #enter(handler: Handler, request: Request): Handler {
    const barred = this.#barred(request)
    if (barred !== undefined) return this.#admission.guard(() => barred)
    // Bun has found the route by itself.
    if ('params' in request) return this.#admission.guard(handler)
    return this.#normalizer.has(request) ? handler : this.#admission.guard(this.#normalizer.prepare(handler))
  }
}

/**
 * Bun takes this route before Elysia's of the same name, which is left for HEAD and for the API document: what Elysia
 * does for every request is one or two microseconds, which weigh most in a 304.
 */
const HOTTEST = '/v1/users/:id'

const pathParameter = (request: Request) => (request as Bun.BunRequest<typeof HOTTEST>).params.id

/** Whether only this machine can ask, and for nobody else: then nobody is limited, and telling who asks can be spared. */
const isOnlyLocal = ({ host, trustedProxies }: Config) => isLoopback(host) && trustedProxies.length === 0

/** Whether this machine itself asks, and not for somebody else. */
const isLocal = ({ headers }: Request, address: string) =>
  isLoopback(address) && !FORWARDED.some(name => headers.has(name))

/** What proxies say they pass something on with. One that is not named in TRUSTED_PROXIES may be on loopback, too. */
const FORWARDED = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP']

const HIDDEN = { detail: { hide: true } }

function open(
  app: { listen(options: object): unknown; server: Bun.Server<unknown> | null },
  { config, log, sockets, reusePort = false }: HttpDeps,
) {
  listening(config.host, config.port, () =>
    app.listen({
      hostname: config.host,
      port: config.port,
      development: false,
      // Else a second copy would silently share the port; the threads of one copy mean to.
      reusePort,
      idleTimeout: IDLE_TIMEOUT,
      // Routes bound the bodies they read and answer in the envelope, which Bun's own refusal would not.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      websocket: { ...NO_HANDLERS, ...sockets.websocket },
      error: (error: unknown) => failure(toClientError(error, log)),
    }),
  )
  if (app.server === null) throw new Error('listening without a server')
  return app.server
}

/** Elysia puts handlers of its own where none are given. */
const NO_HANDLERS = { open: undefined, drain: undefined, close: undefined, ping: undefined, pong: undefined }

/** What a client may be told of an error. Ours are logged, because the client hears nothing of them. */
function toClientError(error: unknown, log: Log): unknown {
  if (!(error instanceof ApiError)) log.error('a request failed', { error: describeError(error) })
  return error
}

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  const { promise: expired, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  await Promise.race([work, expired])
  clearTimeout(timer)
}
