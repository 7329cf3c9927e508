import type { Config } from '../config.ts'
import { type Github, GithubProblem, type GithubStore, type Proof } from '../domain/github.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Fetch } from '../lib/upstream.ts'
import { AttemptLimit } from './attempt-limit.ts'
import { Budget } from './budget.ts'
import { createAsk, GithubClient } from './client.ts'
import { CodeProof } from './code-proof.ts'
import { DeviceProof } from './device-proof.ts'
import { type AccountSink, Links } from './links.ts'
import { type ProofMethod, readLogin } from './proof.ts'
import { Refresher } from './refresher.ts'

export interface GithubDeps {
  config: Pick<Config, 'githubApiUrl' | 'githubUrl' | 'githubToken' | 'githubClientId'>
  store: GithubStore
  presences: AccountSink
  metrics: Metrics
  log: Log
  clock?: Clock
  fetch?: Fetch
}

/** The GitHub connection. Nothing is asked of GitHub until somebody connects an account or looks at a linked one. */
export class GithubConnection implements Github {
  readonly #ending = new AbortController()
  readonly #links: Links
  readonly #refresher: Refresher
  readonly #limit: AttemptLimit
  readonly #proof: ProofMethod

  constructor(deps: GithubDeps) {
    const { config, metrics, log, clock = systemClock, fetch } = deps
    const { signal } = this.#ending
    const budget = new Budget(clock)
    const client = new GithubClient({ config, budget, metrics, clock, fetch, signal })
    const links = new Links(deps.store, deps.presences, clock)
    this.#links = links
    this.#refresher = new Refresher({ links, client, budget, clock, log })
    const limit = new AttemptLimit(clock)
    this.#limit = limit
    const clientId = config.githubClientId
    this.#proof =
      clientId === undefined
        ? new CodeProof({ ask: createAsk(client, budget), links, clock, limit, githubUrl: config.githubUrl })
        : new DeviceProof({ client, clientId, links, clock, log, signal })
    this.#measure(metrics, budget)
  }

  looked(userId: string): void {
    const link = this.#links.get(userId)
    if (link !== undefined) this.#refresher.look(link)
  }

  login(userId: string): string | undefined {
    return this.#links.get(userId)?.stored.login
  }

  async connect(userId: string, name: string): Promise<Proof> {
    const login = readLogin(name)
    if (login === null) throw new GithubProblem('bad name')
    this.#limit.take(userId)
    return this.#proof.start(userId, login)
  }

  verify(userId: string): Promise<string> {
    return this.#proof.verify(userId)
  }

  async disconnect(userId: string): Promise<boolean> {
    this.#proof.cancel(userId)
    return this.#links.get(userId) === undefined ? false : this.#links.remove(userId)
  }

  forget(userId: string): void {
    this.#proof.cancel(userId)
    this.#links.forget(userId)
  }

  stop(): void {
    this.#refresher.stop()
    this.#ending.abort(new GithubProblem('replaced'))
  }

  #measure(metrics: Metrics, budget: Budget): void {
    metrics.gauge('github_links', 'People with a linked GitHub account', () => this.#links.size)
    metrics.gauge('github_oldest_copy_seconds', 'Age of the oldest GitHub account among those somebody looks at', () =>
      Math.round(this.#refresher.oldest() / SECOND),
    )
    metrics.gauge('github_rate_limit_remaining', "Requests left in GitHub's window", () => budget.remaining())
  }
}
