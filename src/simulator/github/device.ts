import { json } from '../rest/answers.ts'
import type { GithubWorld } from './world.ts'

export interface GithubDeviceOptions {
  now: () => number
  world: GithubWorld
  /** The page where people enter their code. */
  verificationUrl: () => string
  clientId: string
  /** Seconds. */
  interval: number
  expiresIn: number
  /** Called when a token was handed out. */
  granted: (token: string, userId: number) => void
}

/** OAuth's device flow (docs: Authorizing OAuth apps, "Device flow"; RFC 8628). */
export interface GithubDevice {
  /** POST /login/device/code */
  requestCode(form: URLSearchParams): Response
  /** POST /login/oauth/access_token */
  poll(form: URLSearchParams): Response
  /** What a person does on the page: signs in with an account and agrees, or refuses. */
  authorize(userCode: string, login: string): void
  deny(userCode: string): void
  /** Lets a code expire now. */
  expire(userCode: string): void
  /** The next poll is answered with slow_down, in time or not. */
  slowDown(): void
  /** Whether the app has the device flow switched on. */
  enabled: boolean
}

interface Attempt {
  readonly userCode: string
  expiresAt: number
  interval: number
  /** When the last poll came. */
  polledAt: number
  decision: 'pending' | 'denied' | { userId: number }
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

export function createGithubDevice(options: GithubDeviceOptions): GithubDevice {
  const { now, world } = options
  const attempts = new Map<string, Attempt>()
  let count = 0
  let impatient = false

  /** Errors come with status 200 (docs: "Error codes for the device flow"). */
  const refuse = (error: string, more: object = {}) =>
    json({ error, error_description: `simulated: ${error}`, error_uri: 'https://docs.github.com', ...more })

  function find(userCode: string): Attempt {
    const found = attempts.values().find(attempt => attempt.userCode === userCode)
    if (found === undefined) throw new Error(`nobody asked for the code ${userCode}`)
    return found
  }

  function requestCode(form: URLSearchParams): Response {
    if (form.get('client_id') !== options.clientId) return json({ error: 'Not Found' }, 404)
    if (!device.enabled) return refuse('device_flow_disabled')
    const serial = String(++count).padStart(4, '0')
    const userCode = `WDJB-${serial}`
    const expiresAt = now() + options.expiresIn * 1000
    const deviceCode = `simulated-device-code-${serial}-not-for-anybodys-eyes`
    // The first poll may come one interval later.
    attempts.set(deviceCode, { userCode, expiresAt, interval: options.interval, polledAt: now(), decision: 'pending' })
    return json({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: options.verificationUrl(),
      expires_in: options.expiresIn,
      interval: options.interval,
    })
  }

  function poll(form: URLSearchParams): Response {
    if (form.get('client_id') !== options.clientId) return refuse('incorrect_client_credentials')
    if (form.get('grant_type') !== GRANT) return refuse('unsupported_grant_type')
    const attempt = attempts.get(form.get('device_code') ?? '')
    if (attempt === undefined) return refuse('incorrect_device_code')
    if (attempt.expiresAt <= now()) return refuse('expired_token')
    if (tooEarly(attempt)) return refuse('slow_down', { interval: attempt.interval })
    if (attempt.decision === 'pending') return refuse('authorization_pending')
    attempts.delete(form.get('device_code') ?? '')
    return attempt.decision === 'denied' ? refuse('access_denied') : grant(attempt.decision.userId)
  }

  function tooEarly(attempt: Attempt): boolean {
    const early = impatient || now() - attempt.polledAt < attempt.interval * 1000
    attempt.polledAt = now()
    impatient = false
    if (early) attempt.interval += 5
    return early
  }

  function grant(userId: number): Response {
    const token = `gho_simulatedUserToken${++count}`
    options.granted(token, userId)
    return json({ access_token: token, token_type: 'bearer', scope: '' })
  }

  const device: GithubDevice = {
    enabled: true,
    requestCode,
    poll,
    authorize(userCode, login) {
      const user = world.userByLogin(login)
      if (user === undefined) throw new Error(`there is no account ${login}`)
      find(userCode).decision = { userId: user.id }
    },
    deny(userCode) {
      find(userCode).decision = 'denied'
    },
    expire(userCode) {
      find(userCode).expiresAt = now()
    },
    slowDown() {
      impatient = true
    },
  }
  return device
}
