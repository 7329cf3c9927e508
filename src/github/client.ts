import type { Config } from '../config.ts'
import { GithubProblem } from '../domain/github.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import type { Metrics } from '../lib/metrics.ts'
import { askUpstream, type Fetch, type Question } from '../lib/upstream.ts'
import type { Budget } from './budget.ts'

/** GitHub's answer, whatever it is. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Undefined when it is not JSON, or larger than anybody needs. */
  readonly body: unknown
}

interface ClientDeps {
  config: Pick<Config, 'githubApiUrl' | 'githubUrl' | 'githubToken'>
  budget: Budget
  metrics: Metrics
  clock: Clock
  fetch?: Fetch | undefined
  /** Ends every request that is under way. */
  signal: AbortSignal
}

/** Milliseconds for the whole answer. */
const TIMEOUT = 10_000
/** Bytes of an answer that are read; the largest that makes sense is a gist with long files. */
const LARGEST_ANSWER = 2 * 1024 * 1024

const API_HEADERS = { Accept: 'application/vnd.github+json', 'X-GitHub-Api-Version': '2022-11-28' }
const FORM_HEADERS = { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' }

/** Asks GitHub, and says what came, whatever it is. */
export class GithubClient {
  readonly #count: (status: number) => void
  readonly #config: Pick<Config, 'githubApiUrl' | 'githubUrl' | 'githubToken'>
  readonly #budget: Budget
  readonly #asking: Pick<Question, 'clock' | 'fetch' | 'signal'>

  constructor({ config, budget, metrics, clock, fetch, signal }: ClientDeps) {
    this.#config = config
    this.#budget = budget
    this.#asking = { clock, fetch, signal }
    this.#count = createCounters(metrics)
  }

  /** GET from the REST API, as the operator. Counts against the budget. Rejects with UpstreamError. */
  async get(path: string, etag: string | null = null): Promise<Answer> {
    const { githubToken } = this.#config
    const authorization = githubToken === undefined ? {} : bearer(githubToken)
    const answer = await this.#getWith(path, { ...authorization, ...(etag !== null && { 'If-None-Match': etag }) })
    this.#budget.observe(answer)
    return answer
  }

  /** GET from the REST API as whoever the token belongs to: that counts against nobody's budget but theirs. */
  getAs(token: string, path: string): Promise<Answer> {
    return this.#getWith(path, bearer(token))
  }

  /** POSTs a form to GitHub itself. */
  post(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#request(this.#config.githubUrl + path, {
      method: 'POST',
      headers: FORM_HEADERS,
      body: new URLSearchParams(form).toString(),
    })
  }

  async #request(url: string, parts: Pick<Question, 'method' | 'headers' | 'body'>): Promise<Answer> {
    try {
      const question = { ...parts, ...this.#asking, timeoutMs: TIMEOUT, maxBytes: LARGEST_ANSWER }
      const { status, headers, bytes } = await askUpstream(url, question)
      this.#count(status)
      return { status, headers, body: readJson(bytes) }
    } catch (error) {
      this.#count(0)
      throw error
    }
  }

  #getWith(path: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
    return this.#request(this.#config.githubApiUrl + path, { headers: { ...API_HEADERS, ...headers } })
  }
}

/** GitHub's own word that something is not there; a proxy's or a wrong base URL's page does not count. */
export const isDefinitely404 = (answer: Answer) => answer.status === 404 && isWord(answer)
/** GitHub's own word that it does not take the token. */
export const isDefinitely401 = (answer: Answer) => answer.status === 401 && isWord(answer)

/** Source: GitHub docs, REST, "Troubleshooting": errors are JSON with a message. */
const isWord = ({ body }: Answer) => isObject(body) && typeof body.message === 'string'

/** The answer's JSON object, when it is one and was given with success. */
export function readObject({ status, body }: Answer): JsonObject | null {
  return status === 200 && isObject(body) ? body : null
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

function createCounters(metrics: Metrics): (status: number) => void {
  const counter = (status: string) => metrics.counter('github_requests_total', 'Requests to GitHub', { status })
  const failed = counter('failed')
  const unchanged = counter('304')
  const classes = new Map([2, 3, 4, 5].map(hundreds => [hundreds, counter(`${hundreds}xx`)]))
  return status => (status === 304 ? unchanged : (classes.get(Math.floor(status / 100)) ?? failed)).inc()
}

function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/**
 * Reads from the API for somebody who waits. Resolves with the JSON, or null when GitHub says that there is no such
 * thing. Rejects with a GithubProblem that says what is in the way.
 */
export type Ask = (path: string) => Promise<unknown>

export function createAsk(client: GithubClient, budget: Budget): Ask {
  function rateLimited(): GithubProblem {
    return new GithubProblem('rate limited', { seconds: Math.max(1, Math.ceil(budget.wait() / 1000)) })
  }

  return async path => {
    if (budget.wait() > 0) throw rateLimited()
    const answer = await orOutage(client.get(path))
    if (answer.status === 429 || answer.status === 403) throw rateLimited()
    if (isDefinitely401(answer)) throw new GithubProblem('refused')
    if (isDefinitely404(answer)) return null
    if (answer.status !== 200 || answer.body === undefined) throw new GithubProblem('outage')
    return answer.body
  }
}

/** Not being reached, in words for people. */
export async function orOutage(asking: Promise<Answer>): Promise<Answer> {
  try {
    return await asking
  } catch {
    throw new GithubProblem('outage')
  }
}
