import type { Database } from 'bun:sqlite'
import type { AppIconStore, StoredIcon } from '../domain/app-icons.ts'
import type { GroupCommit } from './group-commit.ts'

/** Icons that are kept, and how many may come on top before the oldest go. */
const MOST = 10_000
const SLACK = 500

/** Icons of applications, which belong to nobody: nothing of them is ever erased for a person. */
export class IconStore implements AppIconStore {
  readonly #group: GroupCommit
  readonly #all
  readonly #put
  readonly #trim
  #added = SLACK

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#all = db.prepare<{ id: string; icon: string; checked_at: number }, []>(
      'SELECT id, icon, checked_at FROM app_icons ORDER BY checked_at',
    )
    this.#put = db.prepare<void, [string, string, number]>(
      'INSERT OR REPLACE INTO app_icons (id, icon, checked_at) VALUES (?, ?, ?)',
    )
    this.#trim = db.prepare<void, [number]>(
      'DELETE FROM app_icons WHERE id IN (SELECT id FROM app_icons ORDER BY checked_at DESC LIMIT -1 OFFSET ?)',
    )
  }

  loadIcons(): readonly StoredIcon[] {
    return this.#all.all().map(({ id, icon, checked_at }) => ({ applicationId: id, icon, checkedAt: checked_at }))
  }

  storeIcon({ applicationId, icon, checkedAt }: StoredIcon): Promise<void> {
    return this.#group.write(() => {
      this.#put.run(applicationId, icon, checkedAt)
      if (++this.#added < SLACK) return
      this.#added = 0
      this.#trim.run(MOST)
    })
  }
}
