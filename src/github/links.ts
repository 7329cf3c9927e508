import type { GithubSnapshot, GithubStore, StoredLink } from '../domain/github.ts'

/** One person's link in memory. */
export interface Link {
  readonly userId: string
  readonly githubId: number
  stored: StoredLink
  /** What is shown; made anew only when it changes. */
  snapshot: GithubSnapshot | null
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

export function createLinks(store: GithubStore): Links {
  const links = new Map<string, Link>()
  for (const stored of store.loadLinks()) links.set(stored.userId, createLink(stored))

  function drop(userId: string): boolean {
    const link = links.get(userId)
    if (link !== undefined) link.live = false
    return links.delete(userId)
  }

  return {
    get size() {
      return links.size
    },
    get: userId => links.get(userId),
    async put(stored) {
      await store.storeLink(stored)
      const link = createLink(stored)
      drop(stored.userId)
      links.set(stored.userId, link)
    },
    async update(link, copy) {
      const stored = { ...link.stored, ...copy }
      await store.updateLink(stored)
      link.stored = stored
      link.checkedAt = stored.checkedAt
      if (link.snapshot?.json !== (stored.account ?? undefined)) link.snapshot = snapshot(stored)
    },
    async remove(userId) {
      await store.deleteLink(userId)
      return drop(userId)
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
    snapshot: snapshot(stored),
    checkedAt,
    triedAt: checkedAt,
    lookedAt: 0,
    inRound: false,
    live: true,
  }
}

const snapshot = ({ account }: StoredLink): GithubSnapshot | null => (account === null ? null : { json: account })
