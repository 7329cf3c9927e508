import { Database } from 'bun:sqlite'
import { existsSync, linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { FatalError } from '../domain/errors.ts'
import { claim, existingFile, explaining, keepTemporaryFilesNear, realFile } from './database.ts'
import { createPrivate, makeDurable, makeLike, partialOf, removeLeftovers } from './files.ts'
import { schemaVersion } from './migrations.ts'

/** How long to wait for a writer to finish, at most. Milliseconds. */
const BUSY_TIMEOUT = 5000

/**
 * Copies the database to a new file: consistent, complete and compact, also while a server writes to it. The file appears
 * only when it is whole. Resolves with what was done, in a sentence. Throws FatalError when the target exists, the
 * database does not, or either cannot be used.
 */
export async function backup(databasePath: string, target: string): Promise<string> {
  const [file, copy] = [existingFile(databasePath), resolve(target)]
  refuseExisting(copy, 'Choose another name, or move it away')
  const db = openExisting(file, { readwrite: true })
  try {
    copyInto(db, copy, null, partial => give(partial, copy))
    return `Backed up ${file} to ${copy} (${contents(db)}).`
  } finally {
    db.close(true)
  }
}

/**
 * Puts a backup in the place of the database. Nothing is touched before the backup has proved to be whole and ours, and
 * then the file changes in one step. Resolves with what was done, in a sentence. Throws FatalError when there is a
 * database already and `force` is not set, when a server uses it, or when the backup is damaged, newer or not ours.
 */
export async function restore(source: string, databasePath: string, { force }: { force: boolean }): Promise<string> {
  const [from, file] = [existingFile(source), realFile(databasePath)]
  if (from === file) throw new FatalError(`${file} is the database itself.`)
  const db = openExisting(from, { readonly: true })
  try {
    verify(db, from)
    const release = explaining(file, () => claim(file, 0))
    try {
      if (!force) refuseExisting(file, 'Add --force to replace it')
      copyInto(db, file, dirname(file), partial => replace(partial, file))
    } finally {
      release()
    }
    return `Restored ${file} from ${from} (${contents(db)}).`
  } finally {
    db.close(true)
  }
}

function refuseExisting(file: string, advice: string): void {
  if (existsSync(file)) throw new FatalError(`${file} exists already. ${advice}.`)
}

function openExisting(file: string, mode: { readonly: true } | { readwrite: true }): Database {
  return explaining(file, () => {
    const db = new Database(file, mode)
    try {
      db.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
      if (schemaVersion(db, file) === 0) throw new FatalError(`${file} is empty.`)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

function verify(db: Database, file: string): void {
  const findings = explaining(file, () => db.query<{ integrity_check: string }, []>('PRAGMA integrity_check(1)').get())
  if (findings?.integrity_check === 'ok') return
  throw new FatalError(`${file} is damaged (${findings?.integrity_check}): it was not used.`)
}

/**
 * Writes a whole copy beside the target, makes it durable, and only then gives it its name, in one step.
 * @param owned what root makes belongs to whom this belongs to; null: to root
 */
function copyInto(db: Database, target: string, owned: string | null, name: (partial: string) => void): void {
  const partial = partialOf(target)
  removeLeftovers(dirname(target))
  rmSync(partial, { force: true })
  try {
    vacuumInto(db, partial, target, owned)
    makeDurable(partial)
    name(partial)
    makeDurable(dirname(target))
  } finally {
    rmSync(partial, { force: true })
  }
}

function vacuumInto(db: Database, partial: string, target: string, owned: string | null): void {
  try {
    keepTemporaryFilesNear(db, target)
    // SQLite takes an empty file as well as none, and this one is for its owner alone.
    createPrivate(partial, owned)
    db.query('VACUUM INTO ?').run(partial)
  } catch (error) {
    throw new FatalError(`${target} could not be written (${error instanceof Error ? error.message : 'unknown'}).`)
  }
}

/** Fails when somebody else has made a file of that name meanwhile. */
function give(partial: string, file: string): void {
  try {
    linkSync(partial, file)
  } catch (error) {
    if (existsSync(file)) throw new FatalError(`${file} exists already.`)
    // There are file systems without second names for a file.
    if (!/^(EPERM|ENOSYS|ENOTSUP|EOPNOTSUPP|EMLINK)$/.test(String((error as { code?: unknown }).code))) {
      throw new FatalError(`${file} could not be written (${error instanceof Error ? error.message : 'unknown'}).`)
    }
    renameSync(partial, file)
  }
}

/** Puts the copy in the place of the database, as open as that was. */
function replace(partial: string, file: string): void {
  const old = statSync(file, { throwIfNoEntry: false })
  if (old !== undefined) makeLike(partial, old)
  setAside(file)
  renameSync(partial, file)
}

/** Nothing of the old database may be taken for the log of the new one. */
function setAside(file: string): void {
  if (existsSync(file)) closeForGood(file)
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

/** Moves the old log into the old file, so that it is whole until it is replaced. A damaged one is past that. */
function closeForGood(file: string): void {
  const db = new Database(file, { readwrite: true })
  try {
    db.run('PRAGMA locking_mode = EXCLUSIVE')
    db.run('PRAGMA journal_mode = DELETE')
  } catch (error) {
    if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) {
      throw new FatalError(`${file} is in use by another program. Stop that one first.`)
    }
  } finally {
    db.close()
  }
}

function contents(db: Database): string {
  const count = (what: string) => db.query<{ count: number }, []>(`SELECT count(*) AS count FROM ${what}`).get()?.count
  return `pairs: ${count('pairs')}, keys: ${count("keys WHERE origin <> 'revoked'")}`
}
