import type { Config } from '../config.ts'
import { type Github, GithubProblem, type GithubStore } from '../domain/github.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { createTries } from '../lib/token-bucket.ts'
import type { Fetch } from '../lib/upstream.ts'
import { createBudget } from './budget.ts'
import { createAsk, createClient } from './client.ts'
import { createCodeProver } from './code-proof.ts'
import { createDeviceProver } from './device-proof.ts'
import { type AccountSink, createLinks } from './links.ts'
import { readLogin } from './proof.ts'
import { createRefresher } from './refresher.ts'

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
export function createGithub(deps: GithubDeps): Github {
  const { config, metrics, log, clock = systemClock, fetch } = deps
  const ending = new AbortController()
  const links = createLinks(deps.store, deps.presences)
  const budget = createBudget(clock)
  const client = createClient({ config, budget, metrics, clock, fetch, signal: ending.signal })
  const refresher = createRefresher({ links, client, budget, clock, log })
  const tries = createTries(clock)
  const clientId = config.githubClientId
  const prover =
    clientId === undefined
      ? createCodeProver({ ask: createAsk(client, budget), links, clock, tries, githubUrl: config.githubUrl })
      : createDeviceProver({ client, clientId, links, clock, log, signal: ending.signal })

  metrics.gauge('github_links', 'People with a linked GitHub account', () => links.size)
  metrics.gauge('github_oldest_copy_seconds', 'Age of the oldest GitHub account among those somebody looks at', () =>
    Math.round(refresher.oldest() / 1000),
  )
  metrics.gauge('github_rate_limit_remaining', "Requests left in GitHub's window", budget.remaining)

  return {
    looked(userId) {
      const link = links.get(userId)
      if (link !== undefined) refresher.look(link)
    },

    login: userId => links.get(userId)?.stored.login,

    async connect(userId, name) {
      const login = readLogin(name)
      if (login === null) throw new GithubProblem('bad name')
      tries.take(userId)
      return prover.start(userId, login)
    },

    verify: prover.verify,

    async disconnect(userId) {
      prover.cancel(userId)
      return links.get(userId) === undefined ? false : links.remove(userId)
    },

    forget(userId) {
      prover.cancel(userId)
      links.forget(userId)
    },

    stop() {
      refresher.stop()
      ending.abort(new GithubProblem('replaced'))
    },
  }
}
