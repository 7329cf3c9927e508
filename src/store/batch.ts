import type { Database } from 'bun:sqlite'

/** What became of one piece of work: its value, or what it threw. */
export type Outcome =
  | { readonly kept: true; readonly value: unknown }
  | { readonly kept: false; readonly error: unknown }

/**
 * Runs pieces of work in one durable transaction, each undone alone when it throws. Throws when the transaction as a
 * whole could not be kept; then none of them was.
 */
export type RunBatch = (works: readonly (() => unknown)[]) => readonly Outcome[]

export function createBatch(db: Database): RunBatch {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const rollback = db.prepare('ROLLBACK')
  const savepoint = db.prepare('SAVEPOINT one')
  const release = db.prepare('RELEASE one')
  const undo = db.prepare('ROLLBACK TO one')

  function attempt(work: () => unknown): Outcome {
    savepoint.run()
    try {
      const value = work()
      release.run()
      return { kept: true, value }
    } catch (error) {
      // A full or failing disk ends the whole transaction, not only this part of it.
      if (!db.inTransaction) throw error
      undo.run()
      release.run()
      return { kept: false, error }
    }
  }

  return works => {
    begin.run()
    try {
      const outcomes = works.map(attempt)
      commit.run()
      return outcomes
    } catch (error) {
      if (db.inTransaction) rollback.run()
      throw error
    }
  }
}
