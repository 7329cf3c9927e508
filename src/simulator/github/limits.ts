/** What an answer's headers say of the caller's budget (docs: REST, "Rate limits"). */
export interface GithubBudget {
  readonly limit: number
  readonly remaining: number
  /** Seconds since 1970. */
  readonly reset: number
}

export interface GithubLimits {
  /** The caller's budget at the moment. `caller`: a token, or null for everybody without one. */
  budget(caller: string | null): GithubBudget
  /** Takes one request off it. */
  spend(caller: string | null): void
}

export interface GithubLimitOptions {
  now: () => number
  /** Requests an hour without a token, and with one. */
  anonymousLimit: number
  authenticatedLimit: number
}

interface Window {
  used: number
  resetAt: number
}

const HOUR = 60 * 60 * 1000

/** A fixed window of an hour for every caller, from the first request on. */
export function createGithubLimits({ now, anonymousLimit, authenticatedLimit }: GithubLimitOptions): GithubLimits {
  const windows = new Map<string | null, Window>()

  function window(caller: string | null): Window {
    const known = windows.get(caller)
    if (known !== undefined && known.resetAt > now()) return known
    const fresh = { used: 0, resetAt: now() + HOUR }
    windows.set(caller, fresh)
    return fresh
  }

  return {
    budget(caller) {
      const { used, resetAt } = window(caller)
      const limit = caller === null ? anonymousLimit : authenticatedLimit
      return { limit, remaining: Math.max(0, limit - used), reset: Math.ceil(resetAt / 1000) }
    },
    spend: caller => void window(caller).used++,
  }
}
