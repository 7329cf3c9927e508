import type { Config } from '../config.ts'
import { type Finding, HINTS, note, ok, wrong } from '../domain/operator.ts'
import { isObject } from '../domain/presence.ts'
import { SECOND, systemClock } from '../lib/clock.ts'
import { createMetrics } from '../lib/metrics.ts'
import { Budget } from './budget.ts'
import { type Answer, GithubClient, isDefinitely401 } from './client.ts'

/** Whoever runs a check waits for it. Milliseconds. */
const LONGEST = 6 * SECOND

/** Asks GitHub whether it takes the token and the client id. What is not set is not asked for. */
export async function examineGithub(config: Config): Promise<readonly Finding[]> {
  const clock = systemClock
  const client = new GithubClient({
    config,
    budget: new Budget(clock),
    metrics: createMetrics(),
    clock,
    signal: AbortSignal.timeout(LONGEST),
  })
  const [token, clientId] = [config.githubToken, config.githubClientId]
  const findings = [
    token === undefined ? undefined : examineToken(client),
    clientId === undefined ? undefined : examineClientId(client, clientId),
  ]
  return Promise.all(findings.filter(finding => finding !== undefined))
}

/** Source: GitHub docs, REST, "Get rate limit status", which costs nothing; an Enterprise may have it switched off. */
async function examineToken(client: GithubClient): Promise<Finding> {
  const topic = 'GITHUB_TOKEN'
  const answer = await client.get('/rate_limit').catch(unreachable)
  if (answer === null || answer.status >= 500) return note(topic, UNREACHABLE)
  if (isDefinitely401(answer)) return wrong(topic, HINTS.githubTokenRefused)
  const limit = answer.headers.get('x-ratelimit-limit')
  return ok(topic, limit === null ? 'accepted' : `accepted, good for ${limit} requests an hour`)
}

/** Asks for a code that nobody will enter. Source: GitHub docs, Authorizing OAuth apps, "Device flow". */
async function examineClientId(client: GithubClient, clientId: string): Promise<Finding> {
  const topic = 'GITHUB_CLIENT_ID'
  const answer = await client.post('/login/device/code', { client_id: clientId }).catch(unreachable)
  if (answer === null || answer.status >= 500 || answer.status === 429) return note(topic, UNREACHABLE)
  return hasCode(answer) ? ok(topic, 'accepted, its device flow is on') : wrong(topic, HINTS.githubClientRefused)
}

const UNREACHABLE = 'GitHub did not answer; accounts that are linked are shown as they were last'
const unreachable = () => null
const hasCode = ({ body }: Answer) => isObject(body) && typeof body.device_code === 'string'
