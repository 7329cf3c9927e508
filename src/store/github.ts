import type { Database } from 'bun:sqlite'
import type { GithubStore, StoredLink } from '../domain/github.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

interface LinkRow {
  user_id: string
  github_id: number
  login: string
  account: string | null
  etag: string | null
  checked_at: number
}

/** Whose GitHub account is whose, with the last good copy of each. */
export class LinkStore implements GithubStore, Eraser {
  readonly #group: GroupCommit
  readonly #all
  readonly #put
  readonly #update
  readonly #remove

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#all = db.prepare<LinkRow, []>('SELECT * FROM github_links')
    this.#put = db.prepare<void, [string, number, string, string | null, string | null, number]>(
      `INSERT OR REPLACE INTO github_links (user_id, github_id, login, account, etag, checked_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    )
    this.#update = db.prepare<void, [string, string | null, string | null, number, string, number]>(
      `UPDATE github_links SET login = ?, account = ?, etag = ?, checked_at = ?
       WHERE user_id = ? AND github_id = ?`,
    )
    this.#remove = db.prepare<void, [string]>('DELETE FROM github_links WHERE user_id = ?')
  }

  loadLinks(): readonly StoredLink[] {
    return this.#all.all().map(readLink)
  }

  storeLink({ userId, githubId, login, account, etag, checkedAt }: StoredLink): Promise<void> {
    return this.#group.write(() => void this.#put.run(userId, githubId, login, account, etag, checkedAt))
  }

  updateLink({ userId, githubId, login, account, etag, checkedAt }: StoredLink): Promise<void> {
    return this.#group.write(() => void this.#update.run(login, account, etag, checkedAt, userId, githubId))
  }

  deleteLink(userId: string): Promise<void> {
    return this.#group.write(() => void this.#remove.run(userId))
  }

  eraseRows(userId: string): void {
    this.#remove.run(userId)
  }
}

/** A copy of an account that is damaged is asked for anew. */
function readLink({ user_id, github_id, login, account, etag, checked_at }: LinkRow): StoredLink {
  const whole = account === null || isJson(account)
  return {
    userId: user_id,
    githubId: github_id,
    login,
    account: whole ? account : null,
    etag: whole ? etag : null,
    checkedAt: whole ? checked_at : 0,
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
