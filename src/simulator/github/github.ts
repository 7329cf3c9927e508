import { createRecorder, type Recorder } from '../recorder.ts'
import { GithubDevice } from './device.ts'
import { createGithubFailures, type GithubFailure } from './failures.ts'
import { createGithubLimits } from './limits.ts'
import { createGithubRest } from './rest.ts'
import { createGithubWorld, type GithubWorld } from './world.ts'

export interface GithubSimulatorOptions {
  /** Default 0: any free port. */
  port?: number
  now?: () => number
  /** Requests an hour without a token (GitHub: 60), and with one (5,000). */
  anonymousLimit?: number
  authenticatedLimit?: number
  /** The device flow's, seconds. */
  interval?: number
  expiresIn?: number
}

export interface GithubRecords {
  /** Any request and its answer's status (0: none was given). */
  request: { method: string; path: string; query: string; status: number; token: string | null; conditional: boolean }
}

export interface GithubSimulator {
  /** For `GITHUB_URL`. */
  readonly url: string
  /** For `GITHUB_API_URL`; below a path, as on GitHub Enterprise. */
  readonly apiUrl: string
  /** A token for `GITHUB_TOKEN`. */
  readonly token: string
  /** For `GITHUB_CLIENT_ID`. */
  readonly clientId: string
  readonly world: GithubWorld
  readonly device: GithubDevice
  readonly recorder: Recorder<GithubRecords>
  fail(failure: GithubFailure): void
  /** Ends every arranged failure. */
  recover(): void
  /** Answers as the server does, without a connection: for simulated hours with many thousand requests. */
  handle(request: Request): Promise<Response>
  stop(): Promise<void>
}

const DEFAULTS = { now: Date.now, anonymousLimit: 60, authenticatedLimit: 5000, interval: 5, expiresIn: 900 }
const API = '/api/v3'
const TOKEN = 'ghp_simulatedServiceToken'
const CLIENT_ID = 'Iv1.simulated'

/** GitHub on loopback: accounts, gists, rate limits, ETags, the device flow, and trouble on request. */
export function startGithubSimulator(options: GithubSimulatorOptions = {}): GithubSimulator {
  const settings = { ...DEFAULTS, ...options }
  const recorder = createRecorder<GithubRecords>()
  const tokens = new Map<string, number | 'service'>([[TOKEN, 'service']])
  const world = createGithubWorld(settings.now)
  const rest = createGithubRest({ world, limits: createGithubLimits(settings), tokenOwner: token => tokens.get(token) })
  const failures = createGithubFailures()
  const device = new GithubDevice({
    ...settings,
    world,
    clientId: CLIENT_ID,
    verificationUrl: () => `${url}/login/device`,
    granted: (token, userId) => void tokens.set(token, userId),
  })

  async function handle(request: Request): Promise<Response> {
    const { pathname, search, searchParams } = new URL(request.url)
    const path = pathname.startsWith(API) ? pathname.slice(API.length) : pathname
    const token = request.headers.get('authorization')?.replace(/^\w+ /, '') ?? null
    const conditional = request.headers.has('if-none-match')
    const record = (status: number) =>
      recorder.record('request', { method: request.method, path, query: search, status, token, conditional })
    const failing = failures.failureFor(path)
    if (failing !== undefined) record(0)
    const failure = await failing
    if (failure) return failure
    const response = await (pathname.startsWith(API)
      ? rest.handle(request, path, searchParams)
      : signIn(device, request, path))
    if (failing === undefined) record(response.status)
    return response
  }

  const server = serve(options.port ?? 0, handle)
  const url = `http://127.0.0.1:${server.port}`

  return {
    url,
    apiUrl: url + API,
    token: TOKEN,
    clientId: CLIENT_ID,
    world,
    device,
    recorder,
    fail: failures.fail,
    recover: failures.recover,
    handle,
    async stop() {
      recorder.close()
      await server.stop(true)
    },
  }
}

function serve(port: number, handle: (request: Request) => Promise<Response>) {
  return Bun.serve({
    port,
    hostname: '127.0.0.1',
    reusePort: false,
    development: false,
    fetch(request, server) {
      server.timeout(request, 0)
      return handle(request)
    },
  })
}

/** The device flow's two addresses, which lie outside the API. */
async function signIn(device: GithubDevice, request: Request, path: string): Promise<Response> {
  const form = new URLSearchParams(await request.text())
  if (request.method !== 'POST') return new Response('Not Found', { status: 404 })
  if (path === '/login/device/code') return device.requestCode(form)
  return path === '/login/oauth/access_token' ? device.poll(form) : new Response('Not Found', { status: 404 })
}
