import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { notFound, reconnecting, starting } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import type { Metrics } from '../lib/metrics.ts'
import { prefersHtml, takesHtml } from './compression.ts'
import { queryOf } from './normalize.ts'
import { operation } from './openapi.ts'
import { LivePage } from './pages.ts'
import { answer, represent } from './representation.ts'
import { COMMON_HEADERS, failure, ok } from './response.ts'
import { HEALTH, INFO, SERVING_HEALTH, successOf, TEXT } from './schema.ts'

interface OperationDeps {
  readonly presences: Presences
  readonly config: Config
  /** Which Exoix this is. */
  readonly version: string
  /** Answers who asks for what is not there. */
  readonly missing: (request: Request) => Response
}

const ABOUT =
  'Exoix tells what people do on Discord right now, over REST and WebSocket. Join a server its bot is in to be shown.'

const FRONT = operation({
  tag: 'Service',
  summary: 'What this is, and how many people are monitored',
  description: 'A browser, which asks for text/html, gets a page that shows a presence live.',
  answers: [{ description: 'About this service', content: { 'application/json': successOf(INFO), 'text/html': TEXT } }],
})

const HEALTHY = operation({
  tag: 'Service',
  summary: 'Whether everything works',
  description: 'Everybody is known and the connection to Discord is up.',
  answers: [{ description: 'It does', content: { 'application/json': successOf(HEALTH) } }],
  failures: [starting(), reconnecting()],
})

const SERVING = operation({
  tag: 'Service',
  summary: 'Whether everybody is known here',
  description:
    'For balancers: unlike `/health`, it stays 200 while the connection to Discord is being restored, for reads go on.',
  answers: [{ description: 'They are', content: { 'application/json': successOf(SERVING_HEALTH) } }],
  failures: [starting()],
})

const NUMBERS = operation({
  tag: 'Service',
  summary: 'Numbers for Prometheus',
  description: 'At this path exactly, so that a proxy can shut it. Whoever may not read them gets 404.',
  answers: [{ description: 'Text format 0.0.4', content: { 'text/plain': TEXT } }],
  failures: [notFound()],
})

const INVITE = operation({
  tag: 'Service',
  summary: "The way to this service's Discord server",
  description: 'Where `DISCORD_INVITE` leads; there is none unless it is set.',
  answers: [{ status: 302, description: 'Go there' }],
  failures: [notFound()],
})

/** What tells about the service itself: the front page, its health, and the way to its Discord server. */
export function serviceRoutes({ presences, config, version, missing }: OperationDeps) {
  const { discordInvite, instanceName, privacyUrl, termsUrl } = config
  const operator = whatIsSet({ instance_name: instanceName, privacy_url: privacyUrl, terms_url: termsUrl })
  const page = new LivePage({ presences, config, version })
  const state = () => ({ monitored_user_count: presences.size, version })

  function front(request: Request): Response | Promise<Response> {
    const accept = request.headers.get('Accept')
    const user = new URLSearchParams(queryOf(request)).get('user')
    // A link to somebody's page is looked at by programs that make previews, which ask for anything.
    if (user !== null && takesHtml(accept)) return answer(page.of(user, originOf(request)), request)
    if (prefersHtml(accept)) return answer(page.get(), request)
    const about = {
      info: ABOUT,
      monitored_user_count: presences.size,
      discord_invite: discordInvite ?? null,
      version,
      ...operator,
    }
    return ok(JSON.stringify(about), { Vary: 'Accept' })
  }

  function health(): Response {
    const status = presences.readiness
    if (status === 'starting') return failure(starting())
    if (status === 'reconnecting') return failure(reconnecting())
    return fresh({ status, ...state(), uptime_seconds: Math.floor(process.uptime()) })
  }

  return (
    new Elysia({ name: 'service' })
      .get('/', ({ request }) => front(request), FRONT)
      .get('/health', () => health(), HEALTHY)
      .get(
        '/health/serving',
        () => (presences.readiness === 'starting' ? failure(starting()) : fresh({ status: 'serving', ...state() })),
        SERVING,
      )
      // Bun's own route answers the exact path. Here it is described, and what comes this way was spelled otherwise.
      .get(METRICS_PATH, ({ request }) => missing(request), NUMBERS)
      .get(
        '/discord',
        ({ request }) => (discordInvite === undefined ? missing(request) : redirect(discordInvite)),
        INVITE,
      )
  )
}

/** Without what is not set. */
const whatIsSet = (settings: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))

/** Where the client found us, as far as it says. */
const originOf = ({ url }: Request) => URL.parse(url)?.origin ?? ''

const fresh = (data: object) => ok(JSON.stringify(data), { 'Cache-Control': 'no-store' })

/** For a route of Bun's own: only those see a path as it was sent, `/./metrics` included. */
export const METRICS_PATH = '/metrics'

/** Answers who asks for the numbers, as far as METRICS lets them. */
export function readMetrics(
  numbers: () => string | Promise<string>,
  mode: Config['metrics'],
  isLocal: (request: Request) => boolean,
) {
  return async (request: Request): Promise<Response> => {
    if (mode === 'off' || (mode === 'loopback' && !isLocal(request))) return failure(notFound())
    const body = Buffer.from(await numbers())
    const content = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' }
    return answer(
      represent(() => body, content),
      request,
    )
  }
}

function redirect(location: string): Response {
  return new Response(null, {
    status: 302,
    headers: { ...COMMON_HEADERS, Location: location, 'Cache-Control': 'no-cache' },
  })
}

const NANOSECONDS = 1e-9
const MICROSECONDS = 1e-6

/** What the process costs and whether it keeps up. Returns what stops the measuring. */
export function measureProcess(metrics: Metrics): () => void {
  metrics.gauge('process_resident_memory_bytes', 'Memory the process occupies', process.memoryUsage.rss, {}, 'max')
  metrics.gauge('process_heap_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed)
  metrics.total('process_cpu_seconds_total', 'Processor time used since the start', cpuSeconds, 'max')
  metrics.gauge('process_uptime_seconds', 'Seconds since the start', () => process.uptime(), {}, 'max')
  return measureEventLoop(metrics)
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * MICROSECONDS
}

function measureEventLoop(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauge(
    'event_loop_lag_seconds',
    'Mean delay of the event loop since the last time this was read',
    () => (Number.isNaN(delay.mean) ? 0 : delay.mean * NANOSECONDS),
    {},
    'max',
  )
  metrics.gauge(
    'event_loop_lag_max_seconds',
    'Longest delay of the event loop since the last time this was read',
    () => {
      const longest = delay.max * NANOSECONDS
      delay.reset()
      return longest
    },
    {},
    'max',
  )
  return () => void delay.disable()
}
