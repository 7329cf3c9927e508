import type { GithubSnapshot, GithubStore, StoredLink } from '../domain/github.ts'
import type { PresenceStore } from '../domain/presence-store.ts'

/** Where linked accounts are shown. */
export type AccountSink = Pick<PresenceStore, 'account' | 'setAccount' | 'copies'>

/** One person's link in memory. */
export interface Link {
  readonly userId: string
  readonly githubId: number
  stored: StoredLink
  /** When GitHub last confirmed or gave what is shown (ms). */
  checkedAt: number
  /** When it was asked, whatever came of it (ms). */
  triedAt: number
  /** When somebody last looked (ms). */
  lookedAt: number
  /** Whether the background round has it. */
  inRound: boolean
  /** False once it was given up or replaced. */
  live: boolean
}

/** Who is linked to which account. What is in memory is in the store. */
export interface Links {
  readonly size: number
  get(userId: string): Link | undefined
  /** Makes it the person's only link. Resolves once it is kept. */
  put(stored: StoredLink): Promise<void>
  /** Takes a newer copy over; nothing happens when the link has been given up meanwhile. */
  update(link: Link, copy: Pick<StoredLink, 'login' | 'account' | 'etag' | 'checkedAt'>): Promise<void>
  /** Resolves with whether there was one. */
  remove(userId: string): Promise<boolean>
  /** Drops a person from memory only. */
  forget(userId: string): void
}

export function createLinks(store: GithubStore, presences: AccountSink): Links {
  const links = new Map<string, Link>()
  for (const stored of store.loadLinks()) add(stored)

  function add(stored: StoredLink): void {
    links.set(stored.userId, createLink(stored))
    presences.setAccount(stored.userId, snapshot(stored))
  }

  function drop(userId: string): boolean {
    const link = links.get(userId)
    if (link === undefined) return false
    link.live = false
    presences.setAccount(userId, null)
    return links.delete(userId)
  }

  return {
    get size() {
      return links.size
    },
    get: userId => links.get(userId),
    async put(stored) {
      await store.storeLink(stored)
      drop(stored.userId)
      add(stored)
      await presences.copies.spread()
    },
    async update(link, copy) {
      const stored = { ...link.stored, ...copy }
      await store.updateLink(stored)
      link.stored = stored
      link.checkedAt = stored.checkedAt
      const shown = presences.account(link.userId)?.json ?? null
      if (link.live && shown !== stored.account) presences.setAccount(link.userId, snapshot(stored))
    },
    async remove(userId) {
      await store.deleteLink(userId)
      const dropped = drop(userId)
      await presences.copies.spread()
      return dropped
    },
    forget: drop,
  }
}

function createLink(stored: StoredLink): Link {
  const { userId, githubId, checkedAt } = stored
  return {
    userId,
    githubId,
    stored,
    checkedAt,
    triedAt: checkedAt,
    lookedAt: 0,
    inRound: false,
    live: true,
  }
}

const snapshot = ({ account }: StoredLink): GithubSnapshot | null => (account === null ? null : { json: account })
