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
export function createGithubStore(db: Database, group: GroupCommit): GithubStore & Eraser {
  const all = db.prepare<LinkRow, []>('SELECT * FROM github_links')
  const put = db.prepare<void, [string, number, string, string | null, string | null, number]>(
    `INSERT OR REPLACE INTO github_links (user_id, github_id, login, account, etag, checked_at)
     VALUES (?, ?, ?, ?, ?, ?)`,
  )
  const update = db.prepare<void, [string, string | null, string | null, number, string, number]>(
    `UPDATE github_links SET login = ?, account = ?, etag = ?, checked_at = ?
     WHERE user_id = ? AND github_id = ?`,
  )
  const remove = db.prepare<void, [string]>('DELETE FROM github_links WHERE user_id = ?')

  return {
    *loadLinks() {
      for (const row of all.iterate()) yield readLink(row)
    },
    storeLink: ({ userId, githubId, login, account, etag, checkedAt }) =>
      group.write(() => void put.run(userId, githubId, login, account, etag, checkedAt)),
    updateLink: ({ userId, githubId, login, account, etag, checkedAt }) =>
      group.write(() => void update.run(login, account, etag, checkedAt, userId, githubId)),
    deleteLink: userId => group.write(() => void remove.run(userId)),
    eraseRows: userId => void remove.run(userId),
  }
}

function readLink({ user_id, github_id, login, account, etag, checked_at }: LinkRow): StoredLink {
  return { userId: user_id, githubId: github_id, login, account, etag, checkedAt: checked_at }
}
