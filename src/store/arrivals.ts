import type { Database } from 'bun:sqlite'
import type { ArrivalStore } from '../domain/arrivals.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

/** Who has been welcomed. */
export class ArrivedStore implements ArrivalStore, Eraser {
  readonly #group: GroupCommit
  readonly #all
  readonly #put
  readonly #remove

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#all = db.prepare<{ user_id: string }, []>('SELECT user_id FROM arrived')
    this.#put = db.prepare<void, [string]>('INSERT OR IGNORE INTO arrived (user_id) VALUES (?)')
    this.#remove = db.prepare<void, [string]>('DELETE FROM arrived WHERE user_id = ?')
  }

  loadArrived(): readonly string[] {
    return this.#all.all().map(({ user_id }) => user_id)
  }

  storeArrived(userIds: readonly string[]): Promise<void> {
    return this.#group.write(() => {
      for (const userId of userIds) this.#put.run(userId)
    })
  }

  eraseRows(userId: string): void {
    this.#remove.run(userId)
  }
}
