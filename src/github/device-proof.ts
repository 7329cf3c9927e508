import { GithubProblem, type Proof } from '../domain/github.ts'
import { HINTS } from '../domain/operator.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import { type Clock, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { readRetryAfter } from '../lib/upstream.ts'
import { type Answer, type GithubClient, orOutage, readObject } from './client.ts'
import type { Links } from './links.ts'
import { keepProved, type ProofMethod, readAccount } from './proof.ts'

export interface DeviceProofDeps {
  readonly client: GithubClient
  clientId: string
  links: Links
  clock: Clock
  log: Log
  /** Calls everything off. */
  signal: AbortSignal
}

/** What GitHub gave for somebody to sign in with. Times in seconds. */
interface Grant {
  readonly deviceCode: string
  readonly userCode: string
  readonly page: string
  readonly expiresIn: number
  readonly interval: number
}

interface Attempt {
  readonly grant: Grant
  readonly controller: AbortController
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code'
/** What GitHub adds to the interval with every slow_down, in seconds. Source: RFC 8628, 3.5. */
const SLOWER = 5

/**
 * Proof by signing in at GitHub: OAuth's device flow. The access token is used for one request, "who is this?", and
 * then forgotten. Source: GitHub docs, Authorizing OAuth apps, "Device flow"; RFC 8628.
 */
export class DeviceProof implements ProofMethod {
  readonly #client: GithubClient
  readonly #clientId: string
  readonly #log: Log
  readonly #attempts = new Map<string, Attempt>()
  readonly #deps: DeviceProofDeps

  constructor(deps: DeviceProofDeps) {
    this.#deps = deps
    this.#client = deps.client
    this.#clientId = deps.clientId
    this.#log = deps.log
  }

  cancel(userId: string): void {
    this.#attempts.get(userId)?.controller.abort(new GithubProblem('replaced'))
    this.#attempts.delete(userId)
  }

  async start(userId: string, login: string): Promise<Proof> {
    const grant = await this.#requestCode()
    this.cancel(userId)
    const attempt: Attempt = { grant, controller: new AbortController() }
    this.#attempts.set(userId, attempt)
    const linked = follow(this.#deps, userId, login, attempt).finally(() => {
      if (this.#attempts.get(userId) === attempt) this.#attempts.delete(userId)
    })
    // Whoever asked may not care how it ends.
    linked.catch(() => {})
    const minutes = Math.floor(grant.expiresIn / 60)
    return { kind: 'device', code: grant.userCode, page: grant.page, minutes, linked }
  }

  async verify(userId: string): Promise<string> {
    const attempt = this.#attempts.get(userId)
    if (attempt === undefined) throw new GithubProblem('nothing asked')
    const { userCode: code, page } = attempt.grant
    throw new GithubProblem('waiting', { code, page })
  }

  async #requestCode(): Promise<Grant> {
    const answer = await orOutage(this.#client.post('/login/device/code', { client_id: this.#clientId }))
    const grant = readGrant(answer)
    if (grant !== null) return grant
    if (isBusy(answer)) throw new GithubProblem('outage')
    this.#log.error(HINTS.githubClientRefused, {
      status: answer.status,
      error: readError(answer),
    })
    throw new GithubProblem('refused')
  }
}

/** Waits until somebody has signed in, sees who it is, and links them. */
async function follow(deps: DeviceProofDeps, userId: string, named: string, attempt: Attempt): Promise<string> {
  const signal = AbortSignal.any([attempt.controller.signal, deps.signal])
  const token = await waitForToken(deps, attempt.grant, signal)
  const user = readAccount(readObject(await orOutage(deps.client.getAs(token, '/user'))))
  if (user === null) throw new GithubProblem('outage')
  if (user.login.toLowerCase() !== named.toLowerCase()) throw new GithubProblem('other account', { login: user.login })
  return keepProved(deps, userId, user, () => signal.aborted)
}

async function waitForToken(deps: DeviceProofDeps, grant: Grant, signal: AbortSignal): Promise<string> {
  const { client, clientId, clock } = deps
  const expiresAt = clock.monotonic() + grant.expiresIn * SECOND
  const form = { client_id: clientId, device_code: grant.deviceCode, grant_type: GRANT_TYPE }
  let interval = grant.interval
  let asked = 0
  while (true) {
    // Nobody enters a code that has expired, however long GitHub wants to be left alone.
    const wait = Math.min(Math.max(interval * SECOND, asked), Math.max(0, expiresAt - clock.monotonic()))
    await pause(clock, wait, signal)
    if (clock.monotonic() >= expiresAt) throw new GithubProblem('expired')
    // Not being reached is no answer: the code goes on being valid.
    const answer = await client.post('/login/oauth/access_token', form).catch(() => null)
    const body = answer !== null && isWord(answer) && isObject(answer.body) ? answer.body : {}
    if (typeof body.access_token === 'string') return body.access_token
    asked = (answer && readRetryAfter(answer.headers, answer.body)) ?? 0
    interval = nextInterval(deps, body, interval)
  }
}

/** How long to wait after an answer without a token, in seconds. Throws GithubProblem when waiting is of no use. */
function nextInterval({ log }: DeviceProofDeps, body: JsonObject, interval: number): number {
  switch (body.error) {
    case undefined:
    case 'authorization_pending':
      return interval
    case 'slow_down':
      return Math.max(interval + SLOWER, isSeconds(body.interval) ? body.interval : 0)
    case 'expired_token':
      throw new GithubProblem('expired')
    case 'access_denied':
      throw new GithubProblem('denied')
    default:
      log.error('GitHub refuses to link an account', { error: String(body.error) })
      throw new GithubProblem('refused')
  }
}

function readGrant({ body }: Answer): Grant | null {
  if (!isObject(body)) return null
  const { device_code: deviceCode, user_code: userCode, verification_uri: page, expires_in, interval } = body
  if (typeof deviceCode !== 'string' || typeof userCode !== 'string' || typeof page !== 'string') return null
  if (!/^[\w-]{4,32}$/.test(userCode) || !/^https?:\/\/[^\s<>]+$/.test(page)) return null
  // The defaults are those of RFC 8628, 3.2, and of GitHub's documents.
  return {
    deviceCode,
    userCode,
    page,
    expiresIn: isSeconds(expires_in) ? expires_in : 900,
    interval: isSeconds(interval) ? interval : 5,
  }
}

const isSeconds = (value: unknown): value is number => typeof value === 'number' && value >= 1 && value <= 3600
/** Errors come with 200 from GitHub, and with 400 by the standard (RFC 8628, 3.5); what else comes is somebody else's. */
const isWord = ({ status }: Answer) => status === 200 || status === 400
/** An outage or a limit, not a refusal. */
const isBusy = ({ status, body }: Answer) => status >= 500 || status === 429 || body === undefined
const readError = ({ body }: Answer) => (isObject(body) ? String(body.error) : 'none')
