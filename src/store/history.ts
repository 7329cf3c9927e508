import type { Database } from 'bun:sqlite'
import type { HistoryPart, HistorySave, HistoryStore, KeptHistory } from '../domain/history.ts'
import type { Ongoing, Past } from '../domain/timeline.ts'
import type { Damage } from './damage.ts'
import type { Eraser, Vacuum } from './erasure.ts'
import type { GroupCommit } from './group-commit.ts'

interface HistoryRow {
  user_id: string
  since: number
  ongoing: string | null
}

/** What has ended, for one person; the oldest goes first. */
const MOST_PAST = 2_000
/** Rows removed in one transaction. */
const CHUNK = 5_000

/** Histories of people who agreed. */
export class PastStore implements HistoryStore, Eraser {
  readonly #group: GroupCommit
  readonly #damage: Damage
  readonly #vacuum: Vacuum
  readonly #all
  readonly #one
  readonly #past
  readonly #savedAt
  readonly #setSavedAt
  readonly #agree
  readonly #disagree
  readonly #setOngoing
  readonly #add
  readonly #trim
  readonly #clear
  readonly #prune

  constructor(db: Database, group: GroupCommit, damage: Damage, vacuum: Vacuum) {
    this.#group = group
    this.#damage = damage
    this.#vacuum = vacuum
    this.#all = db.prepare<HistoryRow, []>('SELECT user_id, since, ongoing FROM histories')
    this.#one = db.prepare<{ ongoing: string | null }, [string]>('SELECT ongoing FROM histories WHERE user_id = ?')
    this.#savedAt = db.prepare<{ at: number }, []>("SELECT at FROM moments WHERE name = 'histories'")
    this.#setSavedAt = db.prepare<void, [number]>("INSERT OR REPLACE INTO moments (name, at) VALUES ('histories', ?)")
    this.#past = db.prepare<{ told: string }, [string]>('SELECT told FROM past WHERE user_id = ? ORDER BY until')
    this.#agree = db.prepare<void, [string, number]>(
      'INSERT OR REPLACE INTO histories (user_id, since, ongoing) VALUES (?, ?, NULL)',
    )
    this.#disagree = db.prepare<void, [string]>('DELETE FROM histories WHERE user_id = ?')
    this.#setOngoing = db.prepare<void, [string | null, string, number]>(
      'UPDATE histories SET ongoing = ? WHERE user_id = ? AND since = ?',
    )
    this.#add = db.prepare<void, [string, number, string]>('INSERT INTO past (user_id, until, told) VALUES (?, ?, ?)')
    this.#trim = db.prepare<void, [string, string]>(
      `DELETE FROM past WHERE user_id = ? AND id IN
         (SELECT id FROM past WHERE user_id = ? ORDER BY until DESC, id DESC LIMIT -1 OFFSET ${MOST_PAST})`,
    )
    this.#clear = db.prepare<void, [string]>('DELETE FROM past WHERE user_id = ?')
    this.#prune = db.prepare<void, [number]>(
      `DELETE FROM past WHERE id IN (SELECT id FROM past WHERE until < ? LIMIT ${CHUNK})`,
    )
  }

  loadHistories(): readonly KeptHistory[] {
    const histories = this.#all.all().map(({ user_id, since, ongoing }) => {
      return { userId: user_id, since, ongoing: ongoing === null ? null : this.#parse<Ongoing>(ongoing) }
    })
    this.#damage.tell()
    return histories
  }

  historiesSavedAt(): number | null {
    return this.#savedAt.get()?.at ?? null
  }

  loadPast(userId: string): readonly Past[] {
    const past = this.#past.all(userId).map(({ told }) => this.#parse<Past>(told))
    return past.filter(one => one !== null)
  }

  storeConsent(userId: string, since: number): Promise<void> {
    return this.#erasing(() => {
      this.#erasePast(userId)
      this.#agree.run(userId, since)
    })
  }

  endConsent(userId: string): Promise<void> {
    return this.#erasing(() => this.eraseRows(userId))
  }

  async prunePast(before: number): Promise<void> {
    while ((await this.#group.write(() => this.#prune.run(before).changes)) === CHUNK);
  }

  /** Inside the transaction that saves the presences it was seen in. What has been erased since stays erased. */
  save({ at, parts }: HistorySave): void {
    this.#setSavedAt.run(at)
    for (const part of parts) this.#savePart(part)
  }

  eraseRows(userId: string): void {
    this.#erasePast(userId)
    this.#disagree.run(userId)
  }

  #savePart({ userId, since, ongoing, ended }: HistoryPart): void {
    const text = ongoing === null ? null : JSON.stringify(ongoing)
    if (this.#setOngoing.run(text, userId, since).changes === 0) return
    for (const past of ended) this.#add.run(userId, past.until, JSON.stringify(past))
    if (ended.length > 0) this.#trim.run(userId, userId)
  }

  #erasePast(userId: string): void {
    const goesOn = this.#one.get(userId)?.ongoing ?? null
    if (this.#clear.run(userId).changes > 0 || goesOn !== null) this.#vacuum.mark()
  }

  #erasing(work: () => void): Promise<void> {
    const done = this.#group.write(work)
    void done.then(
      () => this.#vacuum.start(),
      () => {},
    )
    return done
  }

  #parse<T>(text: string): T | null {
    try {
      return JSON.parse(text) as T
    } catch {
      this.#damage.found('history')
      return null
    }
  }
}
