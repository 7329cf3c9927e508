import type { Account } from '../options.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Json } from '../types.ts'
import { failure, type RestContext, type Route } from './answers.ts'
import type { RestLimits } from './limits.ts'

export interface Rest {
  handle(request: Request, url: URL): Promise<Response>
}

export interface RestOptions {
  account: Account
  recorder: BotRecorder
  limits: RestLimits
  routes: readonly Route[]
}

const VERSIONED = /^\/api(?:\/v(?<version>\d+))?(?<path>\/.*)$/

/** Discord's REST API: authorization, rate limits and failures before, the routes after (docs: Reference, "HTTP API"). */
export function createRest(options: RestOptions): Rest {
  const { account, recorder, limits, routes } = options

  async function handle(request: Request, url: URL): Promise<Response> {
    const { version, path = '' } = VERSIONED.exec(decode(url.pathname))?.groups ?? {}
    const body = await readBody(request)
    const record = (status: number) => recorder.record('rest', { method: request.method, path, status, body })
    const broken = await limits.failureFor(path)
    if (broken) {
      record(broken.status)
      return broken
    }
    const response =
      version !== '10' && version !== '9'
        ? failure(400, 50041, 'Invalid API version')
        : await route(request, url, path, body)
    record(response.status)
    return response
  }

  async function route(request: Request, url: URL, path: string, body: Json | null): Promise<Response> {
    for (const candidate of routes) {
      const params = candidate.method === request.method ? candidate.path.exec(path)?.groups : undefined
      if (candidate.method !== request.method || !candidate.path.test(path)) continue
      const trusted = candidate.open || request.headers.get('authorization') === `Bot ${account.token}`
      if (!trusted) return failure(401, 0, '401: Unauthorized')
      const limited = limits.take(candidate, params ?? {})
      if (limited.refusal) return limited.refusal
      if (body === null) return failure(400, 50109, 'The request body contains invalid JSON.')
      const context: RestContext = { params: params ?? {}, query: url.searchParams, body }
      return limited.stamp(await candidate.answer(context))
    }
    const known = routes.some(candidate => candidate.path.test(path))
    return known ? failure(405, 0, '405: Method Not Allowed') : failure(404, 0, '404: Not Found')
  }

  return { handle }
}

/** JSON, or the `payload_json` part of a multipart upload (docs: Reference, "Uploading Files"); null: not readable. */
async function readBody(request: Request): Promise<Json | null> {
  const type = request.headers.get('content-type') ?? ''
  try {
    if (type.startsWith('multipart/form-data')) return await readForm(request)
    const text = await request.text()
    const value: unknown = text === '' ? {} : JSON.parse(text)
    return typeof value === 'object' ? (value as Json | null) : null
  } catch {
    return null
  }
}

async function readForm(request: Request): Promise<Json> {
  const form = await request.formData()
  const payload = form.get('payload_json')
  const body = typeof payload === 'string' ? (JSON.parse(payload) as Json) : {}
  const files: Json[] = []
  for (const [key, value] of form) {
    if (value instanceof Blob)
      files.push({ key, filename: (value as File).name, size: value.size, text: await value.text() })
  }
  return { ...body, files }
}

/** Clients send `@original` as `%40original`. */
function decode(pathname: string): string {
  try {
    return decodeURIComponent(pathname)
  } catch {
    return pathname
  }
}
