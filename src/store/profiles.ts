import type { Database } from 'bun:sqlite'
import type { ProfileStore, StoredProfile } from '../domain/profiles.ts'
import { DAY } from '../lib/clock.ts'
import type { Eraser } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

interface ProfileRow {
  user_id: string
  banner: string | null
  accent_color: number | null
  checked_at: number
}

/** Nobody has looked at whom Discord was not asked about for so long. Milliseconds. */
const KEPT = 30 * DAY

/** What Discord told of people's profiles. */
export class ProfileRows implements ProfileStore, Eraser {
  readonly #group: GroupCommit
  readonly #all
  readonly #put
  readonly #remove
  readonly #trim

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#all = db.prepare<ProfileRow, []>('SELECT user_id, banner, accent_color, checked_at FROM profiles')
    this.#put = db.prepare<void, [string, string | null, number | null, number]>(
      'INSERT OR REPLACE INTO profiles (user_id, banner, accent_color, checked_at) VALUES (?, ?, ?, ?)',
    )
    this.#remove = db.prepare<void, [string]>('DELETE FROM profiles WHERE user_id = ?')
    this.#trim = db.prepare<void, [number]>('DELETE FROM profiles WHERE checked_at < ?')
  }

  loadProfiles(): readonly StoredProfile[] {
    this.#group.write(() => void this.#trim.run(Date.now() - KEPT)).catch(() => {})
    return this.#all.all().map(({ user_id, banner, accent_color, checked_at }) => ({
      userId: user_id,
      banner,
      accent_color,
      checkedAt: checked_at,
    }))
  }

  storeProfile({ userId, banner, accent_color, checkedAt }: StoredProfile): Promise<void> {
    return this.#group.write(() => void this.#put.run(userId, banner, accent_color, checkedAt))
  }

  eraseRows(userId: string): void {
    this.#remove.run(userId)
  }
}
