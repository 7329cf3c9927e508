import { type Clock, HOUR } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { RefreshQueue } from '../lib/refresh-queue.ts'
import type { Budget } from './budget.ts'
import { type Answer, type GithubClient, isDefinitely401, isDefinitely404, readObject } from './client.ts'
import { FRESH, type Link, type Links } from './links.ts'
import { readAccount } from './proof.ts'

interface RefresherDeps {
  readonly links: Links
  readonly client: GithubClient
  readonly budget: Budget
  readonly clock: Clock
  readonly log: Log
}

/** Whom nobody looked at for so long is not asked about any more. */
const ATTENTION = HOUR

/** Keeps the accounts fresh that somebody looks at, as fast as GitHub's budget allows. */
export class Refresher {
  readonly #deps: RefresherDeps
  readonly #queue: RefreshQueue<Link>
  #stopped = false
  #complained = false

  constructor(deps: RefresherDeps) {
    this.#deps = deps
    this.#queue = new RefreshQueue({
      clock: deps.clock,
      attentionMs: ATTENTION,
      freeAt: () => deps.budget.backgroundFrom(),
      refresh: link => this.#refresh(link),
    })
  }

  /** Somebody looks. Costs next to nothing. */
  look(link: Link): void {
    this.#queue.look(link)
  }

  /** Age of the oldest copy among those somebody looks at, in milliseconds; 0 when nobody does. */
  oldest(): number {
    const now = this.#deps.clock.now()
    let oldest = 0
    for (const { checkedAt } of this.#queue.entries()) oldest = Math.max(oldest, now - checkedAt)
    return oldest
  }

  stop(): void {
    this.#stopped = true
    this.#queue.stop()
  }

  async #refresh(link: Link): Promise<void> {
    link.dueAt = this.#deps.clock.monotonic() + FRESH
    try {
      const answer = await this.#deps.client.get(`/user/${link.githubId}`, link.stored.etag)
      if (!this.#stopped && link.live) await this.#take(link, answer)
    } catch (error) {
      if (!this.#stopped) this.#trouble(describeError(error))
    }
  }

  async #take(link: Link, answer: Answer): Promise<void> {
    const { links, clock } = this.#deps
    const checkedAt = clock.now()
    const user = readAccount(readObject(answer))
    const { login } = link.stored
    if (answer.status === 304) link.checkedAt = checkedAt
    else if (isDefinitely404(answer)) await links.update(link, { login, account: null, etag: null, checkedAt })
    else if (user?.id === link.githubId) {
      await links.update(link, { login: user.login, account: user.json, etag: answer.headers.get('etag'), checkedAt })
    } else return this.#trouble(`status ${answer.status}`, answer)
    this.#works()
  }

  #works(): void {
    this.#deps.budget.succeeded()
    if (this.#complained) this.#deps.log.info('GitHub answers again')
    this.#complained = false
  }

  /** Said once, until GitHub answers again. Being told to wait is no trouble: the budget has seen it. */
  #trouble(reason: string, answer?: Answer): void {
    if (answer?.status === 429 || answer?.status === 403) return
    const { budget, log } = this.#deps
    budget.failed()
    if (this.#complained) return
    this.#complained = true
    if (answer !== undefined && isDefinitely401(answer))
      log.error('GitHub refuses GITHUB_TOKEN: accounts stay as they are until it is replaced')
    else log.warn('GitHub accounts cannot be refreshed; the last good copies stay', { reason })
  }
}
