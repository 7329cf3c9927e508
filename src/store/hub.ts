import type { Database } from 'bun:sqlite'
import { randomUUID } from 'node:crypto'
import type { GroupCommit } from './group-commit.ts'

/** Which hub this file makes of whoever runs on it. */
export interface HubRow {
  /** A name nobody else has: the file's own, also after a restart. */
  readonly owner: string
  /** The highest term there was; 0 before the first. */
  readonly term: number
}

/** What tells one hub from another, and its lives from each other. */
export class HubStore {
  readonly #group: GroupCommit
  readonly #row
  readonly #insert
  readonly #update

  constructor(db: Database, group: GroupCommit) {
    this.#group = group
    this.#row = db.prepare<HubRow, []>('SELECT owner, term FROM hub')
    this.#insert = db.prepare<void, [string]>('INSERT INTO hub (id, owner, term) VALUES (1, ?, 0)')
    this.#update = db.prepare<void, [number]>('UPDATE hub SET term = max(term, ?)')
  }

  /** Made when it is asked for first: most never are. */
  async loadHub(): Promise<HubRow> {
    const known = this.#row.get()
    if (known !== null) return known
    const made = { owner: randomUUID(), term: 0 }
    await this.#group.write(() => void this.#insert.run(made.owner))
    return made
  }

  saveTerm(term: number): Promise<void> {
    return this.#group.write(() => void this.#update.run(term))
  }
}
