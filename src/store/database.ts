import { Database, SQLiteError } from 'bun:sqlite'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import type { Log } from '../lib/log.ts'
import { createPrivate, databaseFile, identityOf, MEMORY, removeLeftovers, shutOut } from './files.ts'
import { migrate } from './migrations.ts'

/** A database that is garbage is closed, and its lock with it: claims are kept even when nobody else remembers them. */
const HELD = new Set<Database>()

/**
 * Claims a database file for this process, so that no second one serves from it and nothing is put in its place. The
 * claim is a lock on a small file beside it; the operating system drops it when the process ends, however it ends.
 * Throws FatalError when another process has it for longer than `patience` (ms). Returns how to let go.
 */
export function claim(file: string, patience: number): () => void {
  createPrivate(`${file}.lock`, existsSync(file) ? file : dirname(file))
  shutOut(`${file}.lock`)
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

/** Throws FatalError where a setting means memory. */
export function realFile(path: string): string {
  if (path !== MEMORY) return databaseFile(path)
  throw new FatalError('DATABASE_PATH is :memory:, a database that is gone with its process: there is no file of it.')
}

/** The file of a database that is there. Throws FatalError when there is none. */
export function existingFile(path: string): string {
  const file = realFile(path)
  if (existsSync(file)) return file
  throw new FatalError(`There is no file ${file}.`)
}

const isBusy = (error: unknown) => String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')

/** The file is no longer where it was, or somebody else has it: what is written now would be lost. */
export class Misplaced extends Error {
  override readonly name = 'Misplaced'
}

/** How long a starting process waits for one that is just ending. While serving, no request may hang on it. Milliseconds. */
const PATIENCE = 3000
const SERVE_TIMEOUT = 250
/** The log file is cut back to this after a burst. Bytes. */
const LOG_FILE_LIMIT = 16 * 1024 * 1024

/** An open, up-to-date database that no other Exoix process uses. */
export class OpenDatabase {
  readonly db: Database
  /** Its path, or {@link MEMORY}. */
  readonly file: string
  readonly #log: Log
  readonly #identity: string | null
  #lockIdentity: string | null
  #releases: (() => void)[]

  /** Opens or creates a database. Throws FatalError with one sentence for the operator. */
  constructor(path: string, log: Log, patience = PATIENCE) {
    this.file = databaseFile(path)
    this.#log = log
    const { file } = this
    this.#releases = file === MEMORY ? [] : [explaining(file, () => claim(file, patience))]
    try {
      this.db = explaining(file, () => openEvenWhenFull(file, patience, log))
    } catch (error) {
      this.#release()
      throw error
    }
    warnWhenReadOnly(file, log)
    this.#identity = identityOf(file)
    this.#lockIdentity = identityOf(`${file}.lock`)
  }

  /** Throws {@link Misplaced} when what is written now would not be found at the path. */
  assertInPlace(): void {
    if (this.file === MEMORY) return
    if (identityOf(this.file) !== this.#identity) {
      throw new Misplaced(`${this.file} was moved, removed or replaced while it is in use`)
    }
    if (identityOf(`${this.file}.lock`) !== this.#lockIdentity) this.#claimAgain()
  }

  /** Moves the log into the main file, closes it and lets others have it. */
  close(): void {
    try {
      this.db.close(true)
    } finally {
      this.#release()
    }
  }

  /** Somebody has removed the lock: a second process could not know that the file is taken. */
  #claimAgain(): void {
    try {
      this.#releases.push(claim(this.file, 0))
    } catch (error) {
      throw new Misplaced(error instanceof Error ? error.message : 'the file cannot be claimed')
    }
    this.#lockIdentity = identityOf(`${this.file}.lock`)
    this.#log.warn('the lock beside the database was removed while it is in use; it was made anew', { file: this.file })
  }

  #release(): void {
    for (const release of this.#releases) release()
    this.#releases = []
  }
}

/** Turns what SQLite throws into one sentence that says what to mend. */
export function explaining<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof SQLiteError) throw new FatalError(explain(file, error))
    throw error
  }
}

/**
 * A full disk must not keep anybody from reading what is there. What SQLite lacks then is the room for the index of its
 * log; for a database that it need not share with other programs it keeps that in memory.
 */
function openEvenWhenFull(file: string, patience: number, log: Log): Database {
  try {
    return open(file, patience, 'NORMAL')
  } catch (error) {
    if (!(error instanceof SQLiteError) || !/^SQLITE_(FULL|IOERR)/.test(String(error.code))) throw error
    const db = open(file, patience, 'EXCLUSIVE')
    log.error('the disk is full: what is stored is served, changes are refused until there is room', { file })
    return db
  }
}

function open(file: string, patience: number, lockingMode: 'NORMAL' | 'EXCLUSIVE'): Database {
  if (file !== MEMORY) {
    removeLeftovers(dirname(file))
    createPrivate(file)
  }
  const db = new Database(file, { create: true, strict: true })
  try {
    db.run(`PRAGMA busy_timeout = ${patience}`)
    db.run(`PRAGMA locking_mode = ${lockingMode}`)
    db.run('PRAGMA secure_delete = ON')
    db.run('PRAGMA synchronous = FULL')
    db.run(`PRAGMA journal_size_limit = ${LOG_FILE_LIMIT}`)
    keepTemporaryFilesNear(db, file)
    // Before the journal mode, which would be the first change to a file that may not be ours.
    migrate(db, file)
    if (file !== MEMORY) shutOut(file)
    db.run('PRAGMA journal_mode = WAL')
    db.run(`PRAGMA busy_timeout = ${SERVE_TIMEOUT}`)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Where the database may be written to, so may temporary files; /tmp and the like may not be there at all. What a single
 * change needs is little and kept in memory; a rewrite of the file is as large as the file.
 */
export function keepTemporaryFilesNear(db: Database, file: string): void {
  db.run('PRAGMA temp_store = MEMORY')
  if (file === MEMORY) return
  try {
    // For the whole process, and the only way to say it that works while it runs.
    db.run(`PRAGMA temp_store_directory = '${dirname(file).replaceAll("'", "''")}'`)
  } catch {
    // A folder that may not be written to: nothing is, then.
  }
}

function warnWhenReadOnly(file: string, log: Log): void {
  if (file === MEMORY) return
  try {
    accessSync(file, constants.W_OK)
  } catch {
    log.warn('the database may not be written to: what is stored is served, changes are refused', { file })
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

function explain(file: string, error: SQLiteError): string {
  const code = String(error.code)
  if (code.startsWith('SQLITE_CANTOPEN'))
    return isFolder(file) ? HINTS.databaseIsFolder(file) : HINTS.folderUnusable(file)
  const about = [
    ['SQLITE_NOTADB', 'is not a database. Choose another DATABASE_PATH, or put a backup in its place.'],
    ['SQLITE_CORRUPT', 'is damaged. Put a backup in its place: exoix restore <file> --force.'],
    ['SQLITE_BUSY', 'is locked by another program. Stop that program and try again.'],
    ['SQLITE_READONLY', 'may not be written to. Mend its permissions or DATABASE_PATH.'],
    ['SQLITE_FULL', 'cannot be opened: the disk is full.'],
    ['SQLITE_IOERR', 'cannot be read or written: the disk is full or failing.'],
  ].find(([prefix = '']) => code.startsWith(prefix))?.[1]
  return `${file} ${about ?? `cannot be used: ${error.message}.`}`
}
