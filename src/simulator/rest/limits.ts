import { crc32 } from 'node:zlib'
import { json, type Route } from './answers.ts'

export interface RestLimitOptions {
  now: () => number
  /** Requests for one route and channel, guild or webhook in `windowMs`. */
  limit: number
  windowMs: number
  /** Requests a second over all routes (docs: Topics, Rate Limits, "Global Rate Limit"). */
  globalLimit: number
}

export interface RestFailure {
  /**
   * A status, `network` (the answer breaks off; see relay.ts for cutting connections), `hang` (no answer until the simulator
   * stops), a 429 of either kind, or `page` (200 and HTML, as of a network that wants a login first).
   */
  kind: number | 'network' | 'hang' | 'rate limited' | 'globally rate limited' | 'page'
  /** Default 1. */
  times?: number
  /** Only paths (after /api/v10) that match. */
  path?: RegExp
  /** For the 429 kinds, seconds. */
  retryAfter?: number
}

export interface RestLimits {
  /** Arranges for requests to fail. */
  fail(failure: RestFailure): void
  /** Ends every arranged failure. */
  recover(): void
  /** The arranged failure for this path, if one is due. */
  failureFor(path: string): Promise<Response | null>
  /** Counts a request: either it is refused, or its answer is to be stamped with the rate-limit headers. */
  take(route: Route, params: Record<string, string>): Taken
}

interface Taken {
  refusal: Response | null
  stamp(response: Response): Response
}

interface Bucket {
  resetAt: number
  used: number
}

/** Rate limits by route and major parameter, with Discord's headers (docs: Topics, Rate Limits). */
export function createRestLimits(options: RestLimitOptions): RestLimits {
  const { now, limit, windowMs } = options
  const buckets = new Map<string, Bucket>()
  const failures: (RestFailure & { left: number })[] = []

  function take(route: Route, params: Record<string, string>): Taken {
    const name = bucketName(route)
    const major = params.channelId ?? params.guildId ?? params.token ?? ''
    const global = route.unlimited ? null : use('global', 1000)
    const own = use(`${name}:${major}`, windowMs)
    const headers = {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(Math.max(0, limit - own.used)),
      'x-ratelimit-reset': String(own.resetAt / 1000),
      'x-ratelimit-reset-after': String((own.resetAt - now()) / 1000),
      'x-ratelimit-bucket': name,
    }
    if (global && global.used > options.globalLimit) return refuse(tooMany((global.resetAt - now()) / 1000, true, {}))
    if (own.used > limit) return refuse(tooMany((own.resetAt - now()) / 1000, false, headers))
    return { refusal: null, stamp: response => stamp(response, headers) }
  }

  function use(key: string, lengthMs: number): Bucket {
    const known = buckets.get(key)
    const bucket = known && known.resetAt > now() ? known : { resetAt: now() + lengthMs, used: 0 }
    bucket.used++
    buckets.set(key, bucket)
    return bucket
  }

  async function failureFor(path: string): Promise<Response | null> {
    const due = failures.find(failure => failure.left > 0 && (failure.path?.test(path) ?? true))
    if (!due) return null
    due.left--
    if (due.kind === 'hang') return new Promise(() => {})
    if (due.kind === 'network') return brokenResponse()
    if (due.kind === 'rate limited') return tooMany(due.retryAfter ?? 1, false, { 'x-ratelimit-bucket': 'arranged' })
    if (due.kind === 'page') return loginPage()
    if (due.kind === 'globally rate limited') return tooMany(due.retryAfter ?? 1, true, {})
    return json({ message: `${due.kind}: arranged by the test`, code: 0 }, due.kind)
  }

  const recover = () => {
    failures.length = 0
  }
  return { recover, fail: failure => void failures.push({ ...failure, left: failure.times ?? 1 }), failureFor, take }
}

function refuse(refusal: Response): Taken {
  return { refusal, stamp: response => response }
}

function bucketName(route: Route): string {
  return crc32(`${route.method} ${route.path.source}`).toString(16).padStart(8, '0').repeat(4)
}

function stamp(response: Response, headers: Record<string, string>): Response {
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}

/** 429 (docs: Topics, Rate Limits, "Exceeding A Rate Limit"). */
function tooMany(retryAfter: number, global: boolean, headers: Record<string, string>): Response {
  const body = { message: 'You are being rate limited.', retry_after: retryAfter, global }
  const response = json(body, 429)
  const scope = global ? 'global' : 'user'
  stamp(response, { ...headers, 'retry-after': String(Math.ceil(retryAfter)), 'x-ratelimit-scope': scope })
  if (global) response.headers.set('x-ratelimit-global', 'true')
  return response
}

const loginPage = () =>
  new Response('<html><body>Please sign in</body></html>', { headers: { 'content-type': 'text/html' } })

/** An answer whose body breaks off: the connection is cut after the first byte. */
function brokenResponse(): Response {
  let started = false
  const body = new ReadableStream({
    async pull(controller) {
      if (!started) controller.enqueue(new TextEncoder().encode('{'))
      else await new Promise(resolve => setImmediate(resolve))
      if (started) controller.error(new Error('connection cut by the simulator'))
      started = true
    },
  })
  return new Response(body, { headers: { 'content-type': 'application/json' } })
}
