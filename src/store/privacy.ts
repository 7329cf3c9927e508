import type { Database } from 'bun:sqlite'
import type { PrivacyStore } from '../domain/privacy.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Scrubber } from './scrubber.ts'

/** Every noun that keeps something of people can remove one person's rows, inside the transaction of the caller. */
export interface Eraser {
  eraseRows(userId: string): void
}

/** @param erasers every other noun of the store. */
export function createPrivacyStore(
  db: Database,
  group: GroupCommit,
  scrubber: Scrubber,
  erasers: readonly Eraser[],
): PrivacyStore {
  const hidden = db.prepare<{ user_id: string }, []>('SELECT user_id FROM hidden')
  const hide = db.prepare<void, [string]>('INSERT OR IGNORE INTO hidden (user_id) VALUES (?)')
  const show = db.prepare<void, [string]>('DELETE FROM hidden WHERE user_id = ?')

  return {
    loadHidden: () => hidden.all().map(({ user_id }) => user_id),
    storeHidden: (userId, hidden) => group.write(() => void (hidden ? hide : show).run(userId)),
    erase(userId) {
      const erased = group.write(() => {
        for (const eraser of erasers) eraser.eraseRows(userId)
        scrubber.mark()
      })
      void erased.then(scrubber.start, () => {})
      return erased
    },
  }
}
