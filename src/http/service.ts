import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { notFound, reconnecting, starting } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import type { Metrics } from '../lib/metrics.ts'
import { composeEmbed } from '../web/embed.ts'
import { prefersHtml } from './compression.ts'
import { operation } from './openapi.ts'
import { livePage } from './pages.ts'
import { answer, COMMON_HEADERS, failure, ok, type Representation, represent } from './response.ts'
import { HEALTH, INFO, successOf, TEXT } from './schema.ts'

interface OperationDeps {
  readonly presences: Presences
  readonly metrics: Metrics
  readonly config: Config
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
  answers: [{ description: 'It does', content: { 'application/json': successOf(HEALTH) } }],
  failures: [starting(), reconnecting()],
})

const NUMBERS = operation({
  tag: 'Service',
  summary: 'Numbers for Prometheus',
  answers: [{ description: 'Text format 0.0.4', content: { 'text/plain': TEXT } }],
})

const INVITE = operation({
  tag: 'Service',
  summary: "The way to this service's Discord server",
  answers: [{ status: 302, description: 'Go there' }],
  failures: [notFound()],
})

/** What tells about the service itself: the front page, its health and its numbers, and the way to its Discord server. */
export function operationRoutes({ presences, metrics, config }: OperationDeps) {
  const { discordInvite } = config
  let page: Representation | undefined

  function front(request: Request): Response | Promise<Response> {
    if (prefersHtml(request.headers.get('Accept'))) {
      page ??= livePage(config, composeEmbed(config))
      return answer(page, request)
    }
    const data = { info: ABOUT, monitored_user_count: presences.size, discord_invite: discordInvite ?? null }
    return ok(JSON.stringify(data), { Vary: 'Accept' })
  }

  function health(): Response {
    const status = presences.readiness
    if (status === 'starting') return failure(starting())
    if (status === 'reconnecting') return failure(reconnecting())
    const data = { status, monitored_user_count: presences.size, uptime_seconds: Math.floor(process.uptime()) }
    return ok(JSON.stringify(data), { 'Cache-Control': 'no-store' })
  }

  return new Elysia({ name: 'operations' })
    .get('/', ({ request }) => front(request), FRONT)
    .get('/health', () => health(), HEALTHY)
    .get('/metrics', ({ request }) => numbers(request, metrics), NUMBERS)
    .get('/discord', () => (discordInvite === undefined ? failure(notFound()) : redirect(discordInvite)), INVITE)
}

function numbers(request: Request, metrics: Metrics): Response | Promise<Response> {
  const body = Buffer.from(metrics.render())
  const content = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' }
  return answer(
    represent(() => body, content),
    request,
  )
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
  metrics.gauge('process_resident_memory_bytes', 'Memory the process occupies', () => process.memoryUsage.rss())
  metrics.gauge('process_heap_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed)
  metrics.gauge('process_cpu_seconds_total', 'Processor time used since the start', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) * MICROSECONDS
  })
  metrics.gauge('process_uptime_seconds', 'Seconds since the start', () => process.uptime())
  return measureEventLoop(metrics)
}

function measureEventLoop(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauge('event_loop_lag_seconds', 'Mean delay of the event loop since the last time this was read', () =>
    Number.isNaN(delay.mean) ? 0 : delay.mean * NANOSECONDS,
  )
  metrics.gauge(
    'event_loop_lag_max_seconds',
    'Longest delay of the event loop since the last time this was read',
    () => {
      const longest = delay.max * NANOSECONDS
      delay.reset()
      return longest
    },
  )
  return () => void delay.disable()
}
