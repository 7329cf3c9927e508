import type { GithubSnapshot, GithubStore, StoredLink } from '../domain/github.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import { type Clock, MINUTE, restOf } from '../lib/clock.ts'
import type { Refreshable } from '../lib/refresh-queue.ts'

/** Where linked accounts are shown. */
export type AccountSink = Pick<PresenceStore, 'account' | 'setAccount' | 'copies'>

/** A copy younger than this is fresh. Milliseconds. */
export const FRESH = 5 * MINUTE

/** One person's link in memory. */
export interface Link extends Refreshable {
  readonly userId: string
  readonly githubId: number
  stored: StoredLink
  /** When GitHub last confirmed or gave what is shown (ms). */
  checkedAt: number
  /** False once it was given up or replaced. */
  live: boolean
}

/** Who is linked to which account. What is in memory is in the store. */
export class Links {
  readonly #links = new Map<string, Link>()
  readonly #store: GithubStore
  readonly #presences: AccountSink
  readonly #clock: Clock

  constructor(store: GithubStore, presences: AccountSink, clock: Clock) {
    this.#clock = clock
    this.#store = store
    this.#presences = presences
    for (const stored of store.loadLinks()) this.#add(stored)
  }

  get size(): number {
    return this.#links.size
  }

  /** Drops a person from memory only. */
  forget(userId: string): boolean {
    const link = this.#links.get(userId)
    if (link === undefined) return false
    link.live = false
    this.#presences.setAccount(userId, null)
    return this.#links.delete(userId)
  }

  get(userId: string): Link | undefined {
    return this.#links.get(userId)
  }

  /** Makes it the person's only link. Resolves once it is kept. */
  async put(stored: StoredLink): Promise<void> {
    await this.#store.storeLink(stored)
    this.forget(stored.userId)
    this.#add(stored)
    await this.#presences.copies.spread()
  }

  /** Takes a newer copy over; nothing happens when the link has been given up meanwhile. */
  async update(link: Link, copy: Pick<StoredLink, 'login' | 'account' | 'etag' | 'checkedAt'>): Promise<void> {
    const stored = { ...link.stored, ...copy }
    await this.#store.updateLink(stored)
    link.stored = stored
    link.checkedAt = stored.checkedAt
    const shown = this.#presences.account(link.userId)?.json ?? null
    if (link.live && shown !== stored.account) this.#presences.setAccount(link.userId, snapshot(stored))
  }

  /** Resolves with whether there was one. */
  async remove(userId: string): Promise<boolean> {
    await this.#store.deleteLink(userId)
    const dropped = this.forget(userId)
    await this.#presences.copies.spread()
    return dropped
  }

  #add(stored: StoredLink): void {
    this.#links.set(stored.userId, createLink(stored, this.#clock))
    this.#presences.setAccount(stored.userId, snapshot(stored))
  }
}

function createLink(stored: StoredLink, clock: Clock): Link {
  const { userId, githubId, checkedAt } = stored
  const dueAt = clock.monotonic() + restOf(FRESH, clock, checkedAt)
  return { userId, githubId, stored, checkedAt, dueAt, lookedAt: 0, live: true }
}

const snapshot = ({ account }: StoredLink): GithubSnapshot | null => (account === null ? null : { json: account })
