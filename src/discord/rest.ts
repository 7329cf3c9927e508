import { API } from '@discordjs/core/http-only'
import { DiscordAPIError, type RateLimitData, REST, RESTEvents } from '@discordjs/rest'
import type { Config } from '../config.ts'
import { HINTS } from '../domain/operator.ts'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { UpstreamError } from '../lib/upstream.ts'
import { DiscordRequests, NotDiscordError, type Word } from './requests.ts'

/** Routes the gateway itself asks for. Their pauses reject at once: its own back-off knows how to be interrupted. */
const OWN_ROUTES: readonly string[] = ['/applications/@me', '/gateway/bot']

export interface DiscordRestOptions {
  readonly clock?: Clock
  readonly random?: () => number
}

/**
 * Discord's REST API. Limits that are known beforehand are kept by the library; how a request is made, and what becomes of
 * any answer, is the business of {@link DiscordRequests}.
 */
export class DiscordRest {
  readonly api: API
  readonly #rest: REST
  readonly #requests: DiscordRequests
  readonly #log: Log
  readonly #base: string
  readonly #token: string

  constructor(config: Pick<Config, 'botToken' | 'discordApiUrl'>, log: Log, options: DiscordRestOptions = {}) {
    this.#log = log
    this.#token = config.botToken ?? ''
    this.#base = `${config.discordApiUrl}/v10`
    this.#requests = new DiscordRequests({ log, clock: options.clock ?? systemClock, random: options.random })
    this.#rest = new REST({
      version: '10',
      api: config.discordApiUrl,
      // These are ours to decide: how long an answer may take, and whether it is asked for again.
      timeout: LONGEST_TIMER,
      retries: 0,
      rejectOnRateLimit: data => this.#mayNotWait(data),
      makeRequest: async (url, init) => this.#request(String(url), init as RequestInit),
    }).setToken(this.#token)
    this.#rest.on(RESTEvents.InvalidRequestWarning, ({ count, remainingTime }) =>
      log.warn('Discord refused many requests; at 10,000 in ten minutes it blocks this address', {
        count,
        remainingTime,
      }),
    )
    this.api = new API(this.#rest)
  }

  /** Ends every wait at once, and within a second what is under way. */
  async stop(): Promise<void> {
    this.#rest.clearHashSweeper()
    this.#rest.clearHandlerSweeper()
    await this.#requests.stop()
  }

  /**
   * Asks once for something nobody waits for, beside what the bot asks and without our token unless told so: no pause is
   * waited for, and there is no second attempt. Resolves with Discord's own word, whatever its status; else rejects.
   */
  look(path: string, { authorized = false } = {}): Promise<Pick<Word, 'status' | 'body'>> {
    const headers: Record<string, string> = authorized ? { Authorization: `Bot ${this.#token}` } : {}
    const parts = { method: 'GET', headers, body: null, signal: undefined, impatient: true }
    return this.#requests.make(`${this.#base}${path}`, parts)
  }

  /** The library asks before it waits for a limit to end; it is told no once that has been waited for here. */
  async #mayNotWait({ method, route, timeToReset, global }: RateLimitData): Promise<boolean> {
    this.#log.debug('waiting for a rate limit of Discord', { method, route, waitMs: timeToReset, global })
    return OWN_ROUTES.includes(route) || !(await this.#requests.wait(timeToReset))
  }

  async #request(url: string, init: RequestInit): Promise<Response> {
    const { 'user-agent': _, ...headers } = Object.fromEntries(new Headers(init.headers))
    const {
      status,
      headers: told,
      bytes,
      body,
    } = await this.#requests.make(url, {
      method: init.method ?? 'GET',
      headers,
      body: init.body,
      signal: init.signal ?? undefined,
      impatient: OWN_ROUTES.some(route => url.endsWith(route)),
    })
    // The library would forget the token.
    if (status === 401 && isObject(body)) throw refusal(body, status, url, init)
    const limits = readLimits(told)
    if (status === 204) return new Response(null, { status, headers: limits })
    limits.set('Content-Type', 'application/json')
    return new Response(bytes, { status, headers: limits })
  }
}

/** What a timer can wait for; a longer one fires at once. Milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1
/** Limits that are said to be longer are found out about in another way. Seconds. */
const LONGEST_LIMIT = 60

/** The library believes every figure, and waits for them: only those that make sense may reach it. */
function readLimits(told: Headers): Headers {
  const headers = new Headers()
  const figures = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset-after']
  const values = figures.map(name => told.get(name) ?? '')
  const known = values.every(value => /^\d{1,9}(\.\d{1,9})?$/.test(value)) && Number(values[2]) <= LONGEST_LIMIT
  if (known) for (const [index, name] of figures.entries()) headers.set(name, values[index] ?? '')
  const bucket = told.get('x-ratelimit-bucket')
  if (known && bucket !== null) headers.set('x-ratelimit-bucket', bucket)
  return headers
}

function refusal(body: JsonObject, status: number, url: string, { method = 'GET' }: RequestInit): DiscordAPIError {
  const { code, message } = { code: Number(body.code), message: String(body.message) }
  return new DiscordAPIError({ code, message }, code, status, method, url, { files: undefined, body: undefined })
}

/** The bot's application, as far as it matters here. */
export interface ToldApplication {
  readonly id: string
  /** Whose it is; of a team the one who owns the team. Undefined where nobody says. */
  readonly ownerId: string | undefined
  readonly name: string
  /** Which intents are switched on (docs: Resources, Application, "Application Flags"). */
  readonly flags: number
}

/**
 * Whose the token is. Rejects when there is no answer, or none that says so: what a start or its end hangs on has to be
 * Discord's own word. The error then says what DISCORD_API_URL should look like, where it may be that.
 */
export async function askApplication(api: API, signal: AbortSignal): Promise<ToldApplication> {
  try {
    const answer: unknown = await api.applications.getCurrent({ signal })
    const { id, name, flags, owner, team } = isObject(answer) ? answer : {}
    if (!isSnowflake(id) || !Number.isInteger(flags)) throw new Error('the answer describes no application')
    const ownerId = [isObject(team) && team.owner_user_id, isObject(owner) && owner.id].find(isSnowflake)
    return { id, ownerId, name: typeof name === 'string' ? name : 'a bot', flags: Number(flags) }
  } catch (error) {
    if (isAnswer(error)) throw new Error(`${describeError(error)}; ${HINTS.discordApiUrl}`)
    throw error
  }
}

/** Whether there is a server that answers, but not as Discord does where this was asked for. */
function isAnswer(error: unknown): boolean {
  if (error instanceof NotDiscordError) return error.status < 500
  if (error instanceof UpstreamError) return error.reason === 'redirect'
  return error instanceof DiscordAPIError && error.status === 404
}
