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

interface Attempt {
  readonly userCode: string
  expiresAt: number
  interval: number
  /** When the last poll came. */
  polledAt: number
  decision: 'pending' | 'denied' | { userId: number }
}

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

export class GithubDevice {
  /** Whether the app has the device flow switched on. */
  enabled = true
  readonly #now: () => number
  readonly #world: GithubWorld
  readonly #attempts = new Map<string, Attempt>()
  #count = 0
  #impatient = false
  readonly #options: GithubDeviceOptions

  constructor(options: GithubDeviceOptions) {
    this.#options = options
    this.#now = options.now
    this.#world = options.world
  }

  /** POST /login/device/code */
  requestCode(form: URLSearchParams): Response {
    if (form.get('client_id') !== this.#options.clientId) return json({ error: 'Not Found' }, 404)
    if (!this.enabled) return this.#refuse('device_flow_disabled')
    const serial = String(++this.#count).padStart(4, '0')
    const userCode = `WDJB-${serial}`
    const expiresAt = this.#now() + this.#options.expiresIn * 1000
    const deviceCode = `simulated-device-code-${serial}-not-for-anybodys-eyes`
    // The first poll may come one interval later.
    this.#attempts.set(deviceCode, {
      userCode,
      expiresAt,
      interval: this.#options.interval,
      polledAt: this.#now(),
      decision: 'pending',
    })
    return json({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: this.#options.verificationUrl(),
      expires_in: this.#options.expiresIn,
      interval: this.#options.interval,
    })
  }

  /** POST /login/oauth/access_token */
  poll(form: URLSearchParams): Response {
    if (form.get('client_id') !== this.#options.clientId) return this.#refuse('incorrect_client_credentials')
    if (form.get('grant_type') !== GRANT) return this.#refuse('unsupported_grant_type')
    const attempt = this.#attempts.get(form.get('device_code') ?? '')
    if (attempt === undefined) return this.#refuse('incorrect_device_code')
    if (attempt.expiresAt <= this.#now()) return this.#refuse('expired_token')
    if (this.#tooEarly(attempt)) return this.#refuse('slow_down', { interval: attempt.interval })
    if (attempt.decision === 'pending') return this.#refuse('authorization_pending')
    this.#attempts.delete(form.get('device_code') ?? '')
    return attempt.decision === 'denied' ? this.#refuse('access_denied') : this.#grant(attempt.decision.userId)
  }

  /** What a person does on the page: signs in with an account and agrees, or refuses. */
  authorize(userCode: string, login: string): void {
    const user = this.#world.userByLogin(login)
    if (user === undefined) throw new Error(`there is no account ${login}`)
    this.#find(userCode).decision = { userId: user.id }
  }

  deny(userCode: string): void {
    this.#find(userCode).decision = 'denied'
  }

  /** Lets a code expire now. */
  expire(userCode: string): void {
    this.#find(userCode).expiresAt = this.#now()
  }

  /** The next poll is answered with slow_down, in time or not. */
  slowDown(): void {
    this.#impatient = true
  }

  /** Errors come with status 200 (docs: "Error codes for the device flow"). */
  #refuse(error: string, more: object = {}): Response {
    return json({ error, error_description: `simulated: ${error}`, error_uri: 'https://docs.github.com', ...more })
  }

  #find(userCode: string): Attempt {
    const found = this.#attempts.values().find(attempt => attempt.userCode === userCode)
    if (found === undefined) throw new Error(`nobody asked for the code ${userCode}`)
    return found
  }

  #tooEarly(attempt: Attempt): boolean {
    const early = this.#impatient || this.#now() - attempt.polledAt < attempt.interval * 1000
    attempt.polledAt = this.#now()
    this.#impatient = false
    if (early) attempt.interval += 5
    return early
  }

  #grant(userId: number): Response {
    const token = `gho_simulatedUserToken${++this.#count}`
    this.#options.granted(token, userId)
    return json({ access_token: token, token_type: 'bearer', scope: '' })
  }
}
