import type { GithubAccount } from '../domain/github.ts'
import type { JsonObject } from '../domain/presence.ts'

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
