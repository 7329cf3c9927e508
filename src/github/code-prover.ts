import { randomBytes } from 'node:crypto'
import { GithubProblem } from '../domain/github.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import type { Tries } from '../lib/token-bucket.ts'
import { type Described, readAccount } from './account.ts'
import type { Ask } from './ask.ts'
import { findInGists, hasToken } from './code-search.ts'
import type { Links } from './links.ts'
import { keepProved, type Prover } from './prover.ts'

export interface CodeProverDeps {
  ask: Ask
  links: Links
  clock: Clock
  tries: Tries
  /** Where profiles are. */
  githubUrl: string
}

interface Attempt {
  readonly githubId: number
  readonly login: string
  readonly code: string
  readonly startedAt: number
  readonly expiresAt: number
  off: boolean
}

const LIFETIME_MINUTES = 15
const LIFETIME = LIFETIME_MINUTES * 60 * 1000
/** How long a code is remembered as expired, so that somebody who comes late is told so. Milliseconds. */
const MEMORY = 24 * 60 * 60 * 1000

/**
 * Proof by a one-time code that only the account's owner can write into its bio or a public gist. The account is held
 * by its id from the start, so that a name that changes hands in between proves nothing.
 */
export function createCodeProver({ ask, links, clock, tries, githubUrl }: CodeProverDeps): Prover {
  const attempts = new Map<string, Attempt>()

  function sweep(now: number): void {
    for (const [userId, { expiresAt }] of attempts) if (expiresAt + MEMORY < now) attempts.delete(userId)
  }

  async function find(path: string): Promise<{ user: JsonObject; account: Described } | null> {
    const user = await ask(path)
    if (user === null) return null
    const account = isObject(user) ? readAccount(user) : null
    if (account === null) throw new GithubProblem('outage')
    return { user: user as JsonObject, account }
  }

  function current(userId: string): Attempt {
    const attempt = attempts.get(userId)
    if (attempt === undefined) throw new GithubProblem('nothing asked')
    if (attempt.expiresAt <= clock.now()) throw new GithubProblem('expired')
    return attempt
  }

  return {
    async start(userId, login) {
      const found = await find(`/users/${encodeURIComponent(login)}`)
      if (found === null) throw new GithubProblem('no such account', { login })
      const now = clock.now()
      sweep(now)
      const { id: githubId, login: name } = found.account
      const code = `exoix-link-${randomBytes(12).toString('hex')}`
      attempts.set(userId, { githubId, login: name, code, startedAt: now, expiresAt: now + LIFETIME, off: false })
      return { kind: 'code', login: name, code, page: `${githubUrl}/${name}`, minutes: LIFETIME_MINUTES }
    },

    async verify(userId) {
      const attempt = current(userId)
      tries.take(userId)
      const { code, githubId, startedAt } = attempt
      const found = await find(`/user/${githubId}`)
      if (found === null) throw new GithubProblem('no such account', { login: attempt.login })
      const { user, account } = found
      const shown = hasToken(user.bio, code) || (await findInGists(ask, account, code, startedAt))
      if (!shown) throw new GithubProblem('code not found', { login: account.login, code })
      const login = await keepProved({ links, clock }, userId, account, () => attempt.off)
      if (attempts.get(userId) === attempt) attempts.delete(userId)
      return login
    },

    cancel(userId) {
      const attempt = attempts.get(userId)
      if (attempt !== undefined) attempt.off = true
      attempts.delete(userId)
    },
  }
}
