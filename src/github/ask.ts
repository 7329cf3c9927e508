import { GithubProblem } from '../domain/github.ts'
import type { Budget } from './budget.ts'
import { type Answer, type Client, isDefinitely404 } from './client.ts'

/**
 * Reads from the API for somebody who waits. Resolves with the JSON, or null when GitHub says that there is no such
 * thing. Rejects with a GithubProblem that says what is in the way.
 */
export type Ask = (path: string) => Promise<unknown>

export function createAsk(client: Client, budget: Budget): Ask {
  function rateLimited(): GithubProblem {
    return new GithubProblem('rate limited', { seconds: Math.max(1, Math.ceil(budget.wait() / 1000)) })
  }

  return async path => {
    if (budget.wait() > 0) throw rateLimited()
    const answer = await orOutage(client.get(path))
    if (answer.status === 429 || answer.status === 403) throw rateLimited()
    if (answer.status === 401) throw new GithubProblem('refused')
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
