import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { FatalError } from '../domain/errors.ts'

/** A database that is garbage is closed, and its lock with it: claims are kept even when nobody else remembers them. */
const HELD = new Set<Database>()

/**
 * Claims a database file for this process, so that no second one serves from it and nothing is put in its place. The
 * claim is a lock on a small file beside it; the operating system drops it when the process ends, however it ends.
 * Throws FatalError when another process has it for longer than `patience` (ms). Returns how to let go.
 */
export function claim(file: string, patience: number): () => void {
  const lock = new Database(`${file}.lock`, { create: true })
  try {
    lock.run(`PRAGMA busy_timeout = ${patience}`)
    // Nothing is ever written, not even a journal: a full disk is no reason not to start.
    lock.run('PRAGMA journal_mode = MEMORY')
    lock.run('BEGIN EXCLUSIVE')
  } catch (error) {
    lock.close()
    if (isBusy(error)) {
      throw new FatalError(`${file} is in use by another Exoix process. Stop that one first, or set DATABASE_PATH.`)
    }
    throw error
  }
  HELD.add(lock)
  return () => {
    HELD.delete(lock)
    lock.close(true)
  }
}

/** Whether a process has claimed the file. */
export function isClaimed(file: string): boolean {
  if (!existsSync(`${file}.lock`)) return false
  const lock = new Database(`${file}.lock`)
  try {
    lock.run('PRAGMA journal_mode = MEMORY')
    // Reading takes a lock for a moment that a claim does not share.
    lock.query('SELECT count(*) FROM sqlite_schema').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    lock.close()
  }
}

const isBusy = (error: unknown) => String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')
