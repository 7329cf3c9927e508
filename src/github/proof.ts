import { type GithubAccount, GithubProblem, type Proof } from '../domain/github.ts'
import type { JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import type { Links } from './links.ts'

/** An account as GitHub describes it. */
export interface Described {
  readonly id: number
  readonly login: string
  /** JSON text of a {@link GithubAccount}. */
  readonly json: string
}

/** Reads GitHub's user object; null when it is none. Only `id` and `login` are relied on. */
export function readAccount(user: JsonObject | null): Described | null {
  if (user === null || !isId(user.id) || typeof user.login !== 'string' || user.login === '') return null
  const account: GithubAccount = {
    id: user.id,
    username: user.login,
    avatar_url: textOrNull(user.avatar_url),
    url: textOrNull(user.html_url),
    company: textOrNull(user.company),
    blog: textOrNull(user.blog),
    bio: textOrNull(user.bio),
    public_repos: isId(user.public_repos) ? user.public_repos : null,
  }
  return { id: user.id, login: user.login, json: JSON.stringify(account) }
}

/**
 * The login in what somebody typed: the name, with an @ or as the profile's address. Null when it cannot be one.
 * Enterprise accounts have a suffix after an underscore. Source: GitHub docs, "Username considerations".
 */
export function readLogin(text: string): string | null {
  return /^(?:@|https?:\/\/[^/\s]+\/)?([a-z\d][\w-]{0,99})\/?$/i.exec(text.trim())?.[1] ?? null
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const textOrNull = (value: unknown) => (typeof value === 'string' ? value : null)

/** One way for people to prove that an account is theirs. */
export interface ProofMethod {
  /** Rejects with GithubProblem. */
  start(userId: string, login: string): Promise<Proof>
  /** Resolves with the login once proved. Rejects with GithubProblem, or `storage_unavailable`. */
  verify(userId: string): Promise<string>
  /** Calls off what is under way. */
  cancel(userId: string): void
}

/** Links a proved account, unless that was called off; also when it is called off while the link is being stored. */
export async function keepProved(
  { links, clock }: { links: Links; clock: Clock },
  userId: string,
  { id, login, json }: Described,
  isOff: () => boolean,
): Promise<string> {
  if (isOff()) throw new GithubProblem('replaced')
  await links.put({ userId, githubId: id, login, account: json, etag: null, checkedAt: clock.now() })
  if (!isOff()) return login
  await links.remove(userId)
  throw new GithubProblem('replaced')
}
