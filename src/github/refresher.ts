import { type Clock, HOUR, MINUTE } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Budget } from './budget.ts'
import { type Answer, type Client, isDefinitely401, isDefinitely404, readObject } from './client.ts'
import type { Link, Links } from './links.ts'
import { readAccount } from './proof.ts'

/** Keeps the accounts fresh that somebody looks at: one request at a time, as fast as GitHub's budget allows. */
export interface Refresher {
  /** Somebody looks. Costs nothing once the link is in the round. */
  look(link: Link): void
  /** Age of the oldest copy among those somebody looks at, in milliseconds; 0 when nobody does. */
  oldest(): number
  stop(): void
}

export interface RefresherDeps {
  links: Pick<Links, 'update'>
  client: Client
  budget: Budget
  clock: Clock
  log: Log
}

/** A copy younger than this is fresh. */
const FRESH = 5 * MINUTE
/** Whom nobody looked at for so long leaves the round. */
const ATTENTION = HOUR

export function createRefresher({ links, client, budget, clock, log }: RefresherDeps): Refresher {
  const round = new Set<Link>()
  /** Whose turn is next, and how to call it off. */
  let next: { readonly link: Link; readonly cancel: () => void } | null = null
  let busy = false
  let stopped = false
  let complained = false

  function look(link: Link): void {
    link.lookedAt = clock.now()
    if (link.inRound) return
    link.inRound = true
    round.add(link)
    wakeFor(link)
  }

  /** Gives the link the next turn, unless one has it that was left longer. */
  function wakeFor(link: Link): void {
    if (busy || stopped || (next !== null && next.link.triedAt <= link.triedAt)) return
    next?.cancel()
    next = { link, cancel: clock.after(Math.max(0, turnOf(link) - clock.now()), () => void go(link)) }
  }

  const turnOf = (link: Link) => Math.max(link.triedAt + FRESH, budget.backgroundFrom())

  async function go(link: Link): Promise<void> {
    next = null
    if (isWanted(link) && turnOf(link) <= clock.now()) {
      busy = true
      await refresh(link)
      busy = false
    }
    const longest = longestUntried()
    if (longest !== undefined) wakeFor(longest)
  }

  const isWanted = (link: Link, attention = clock.now() - ATTENTION) => link.live && link.lookedAt >= attention

  /** Lets go of those nobody wants any more, on the way. */
  function longestUntried(): Link | undefined {
    const attention = clock.now() - ATTENTION
    let longest: Link | undefined
    for (const link of round) {
      if (!isWanted(link, attention)) leave(link)
      else if (longest === undefined || link.triedAt < longest.triedAt) longest = link
    }
    return longest
  }

  function leave(link: Link): void {
    link.inRound = false
    round.delete(link)
  }

  async function refresh(link: Link): Promise<void> {
    link.triedAt = clock.now()
    try {
      const answer = await client.get(`/user/${link.githubId}`, link.stored.etag)
      if (stopped || !link.live) return
      await take(link, answer)
    } catch (error) {
      if (!stopped) trouble(describeError(error))
    }
  }

  async function take(link: Link, answer: Answer): Promise<void> {
    const checkedAt = clock.now()
    const user = readAccount(readObject(answer))
    const { login } = link.stored
    if (answer.status === 304) link.checkedAt = checkedAt
    else if (isDefinitely404(answer)) await links.update(link, { login, account: null, etag: null, checkedAt })
    else if (user?.id === link.githubId) {
      await links.update(link, { login: user.login, account: user.json, etag: answer.headers.get('etag'), checkedAt })
    } else return trouble(`status ${answer.status}`, answer)
    budget.succeeded()
    if (complained) log.info('GitHub answers again')
    complained = false
  }

  /** Said once, until GitHub answers again. Being told to wait is no trouble: the budget has seen it. */
  function trouble(reason: string, answer?: Answer): void {
    if (answer?.status === 429 || answer?.status === 403) return
    budget.failed()
    if (complained) return
    complained = true
    if (answer !== undefined && isDefinitely401(answer))
      log.error('GitHub refuses GITHUB_TOKEN: accounts stay as they are until it is replaced')
    else log.warn('GitHub accounts cannot be refreshed; the last good copies stay', { reason })
  }

  return {
    look,
    oldest() {
      const now = clock.now()
      let oldest = 0
      for (const { checkedAt } of round) oldest = Math.max(oldest, now - checkedAt)
      return oldest
    },
    stop() {
      stopped = true
      next?.cancel()
    },
  }
}
