import type { Database } from 'bun:sqlite'
import type { PrivacyStore } from '../domain/privacy.ts'
import { MINUTE } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { keepTemporaryFilesNear, type OpenDatabase } from './database.ts'
import { MEMORY } from './files.ts'
import type { GroupCommit } from './group-commit.ts'

/** Rest after a rewrite, in times it took: people erasing themselves over and over cannot keep the disk busy. */
const REST = 20

/** Writes wait for a rewrite no longer than this (ms), whatever has become of it. */
const LONGEST = MINUTE

/** A rewrite takes seconds where the file is large, so it has a thread to itself. */
const REWRITE = `
  import { Database } from 'bun:sqlite'
  self.onmessage = ({ data: file }) => {
    try {
      const db = new Database(file, { readwrite: true, create: false })
      db.run('PRAGMA busy_timeout = 1000')
      db.run('VACUUM')
      const { busy } = db.query('PRAGMA wal_checkpoint(TRUNCATE)').get()
      db.close(true)
      postMessage(busy === 0 ? null : 'the file is being read')
    } catch (error) {
      postMessage(String(error))
    }
  }`

/**
 * Rewrites the file after somebody was erased. SQLite's `secure_delete` wipes a row that is deleted, but not the copies
 * it has left in unused parts of pages whenever it moved rows between them; only a file written anew has none of them.
 */
export class Vacuum {
  readonly #database: OpenDatabase
  readonly #group: GroupCommit
  readonly #log: Log
  readonly #write
  readonly #clear
  #due = false
  #running: Promise<void> | null = null
  #timer: Timer | null = null
  #rest = 0
  #stopped = false

  constructor(database: OpenDatabase, group: GroupCommit, log: Log) {
    this.#database = database
    this.#group = group
    this.#log = log
    const { db } = database
    this.#write = db.prepare<void, []>("INSERT OR IGNORE INTO chores (name) VALUES ('scrub')")
    this.#clear = db.prepare<void, []>("DELETE FROM chores WHERE name = 'scrub'")
    this.#due = db.query("SELECT name FROM chores WHERE name = 'scrub'").get() !== null
  }

  /** To be called inside the transaction that erases: what is to be done outlives a crash. */
  mark(): void {
    // What is only in memory is gone with the process.
    if (this.#database.file === MEMORY) return
    this.#write.run()
    this.#due = true
  }

  /** Begins, in the background, unless nothing is to be done or it has just been done. */
  start(): void {
    if (!this.#due || this.#stopped || this.#running !== null || this.#timer !== null) return
    this.#running = this.#run()
      .catch(error => this.#log.warn('the file was not rewritten', { error: describeError(error) }))
      .finally(() => {
        this.#running = null
        this.#timer = setTimeout(this.#again, this.#rest)
        this.#timer.unref()
      })
  }

  /** Begins nothing more; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#running
  }

  /** Does at once what is still to be done. To be called at the very end, when nothing is written any more. */
  finish(): void {
    if (!this.#due) return
    try {
      this.#database.assertInPlace()
      this.#database.db.run('PRAGMA temp_store = FILE')
      this.#database.db.run('VACUUM')
      this.#done()
    } catch (error) {
      const fields = { error: describeError(error) }
      this.#log.warn('what erased people have left in the file is removed next time', fields)
    }
  }

  readonly #again = (): void => {
    this.#timer = null
    this.start()
  }

  async #run(): Promise<void> {
    const started = performance.now()
    const trouble = await this.#group.pause(async () => {
      this.#database.assertInPlace()
      keepTemporaryFilesNear(this.#database.db, this.#database.file)
      const told = await rewrite(this.#database.file)
      if (told === null) this.#done()
      return told
    })
    this.#rest = REST * (performance.now() - started)
    if (trouble === null) return
    this.#log.info('what erased people have left in the file is removed later', { reason: trouble })
  }

  #done(): void {
    this.#clear.run()
    this.#due = false
  }
}

/** Resolves with null, or why it could not be done now. */
function rewrite(file: string): Promise<string | null> {
  const code = URL.createObjectURL(new Blob([REWRITE], { type: 'text/javascript' }))
  const worker = new Worker(code)
  const { promise, resolve } = Promise.withResolvers<string | null>()
  worker.onmessage = ({ data }) => resolve(data as string | null)
  worker.onerror = ({ message }) => resolve(message)
  worker.addEventListener('close', () => resolve('its thread ended'))
  worker.postMessage(file)
  const timer = setTimeout(() => resolve('it takes too long'), LONGEST)
  return promise.finally(() => {
    clearTimeout(timer)
    worker.terminate()
    URL.revokeObjectURL(code)
  })
}

/** Every noun that keeps something of people can remove one person's rows, inside the transaction of the caller. */
export interface Eraser {
  eraseRows(userId: string): void
}

/** Who wishes to be hidden, and erasure. */
export class HiddenStore implements PrivacyStore {
  readonly #group: GroupCommit
  readonly #vacuum: Vacuum
  readonly #erasers: readonly Eraser[]
  readonly #hidden
  readonly #hide
  readonly #show
  readonly #excluded
  readonly #exclude
  readonly #readmit
  readonly #optIns
  readonly #optIn
  readonly #optOut

  /** @param erasers every other noun of the store */
  constructor(db: Database, group: GroupCommit, vacuum: Vacuum, erasers: readonly Eraser[]) {
    this.#group = group
    this.#vacuum = vacuum
    this.#erasers = erasers
    this.#hidden = db.prepare<{ user_id: string }, []>('SELECT user_id FROM hidden')
    this.#hide = db.prepare<void, [string]>('INSERT OR IGNORE INTO hidden (user_id) VALUES (?)')
    this.#show = db.prepare<void, [string]>('DELETE FROM hidden WHERE user_id = ?')
    this.#excluded = db.prepare<{ user_id: string }, []>('SELECT user_id FROM excluded')
    this.#exclude = db.prepare<void, [string]>('INSERT OR IGNORE INTO excluded (user_id) VALUES (?)')
    this.#readmit = db.prepare<void, [string]>('DELETE FROM excluded WHERE user_id = ?')
    this.#optIns = db.prepare<{ user_id: string }, []>('SELECT user_id FROM opted_in')
    this.#optIn = db.prepare<void, [string]>('INSERT OR IGNORE INTO opted_in (user_id) VALUES (?)')
    this.#optOut = db.prepare<void, [string]>('DELETE FROM opted_in WHERE user_id = ?')
  }

  loadHidden(): readonly string[] {
    return this.#hidden.all().map(({ user_id }) => user_id)
  }

  storeHidden(userId: string, hidden: boolean): Promise<void> {
    return this.#group.write(() => void (hidden ? this.#hide : this.#show).run(userId))
  }

  loadExcluded(): readonly string[] {
    return this.#excluded.all().map(({ user_id }) => user_id)
  }

  storeExcluded(userId: string, excluded: boolean): Promise<void> {
    return this.#group.write(() => void (excluded ? this.#exclude : this.#readmit).run(userId))
  }

  loadOptIns(): readonly string[] {
    return this.#optIns.all().map(({ user_id }) => user_id)
  }

  storeOptIn(userId: string): Promise<void> {
    return this.#group.write(() => void this.#optIn.run(userId))
  }

  erase(userId: string): Promise<void> {
    const erased = this.#group.write(() => {
      this.#optOut.run(userId)
      for (const eraser of this.#erasers) eraser.eraseRows(userId)
      this.#vacuum.mark()
    })
    void erased.then(
      () => this.#vacuum.start(),
      () => {},
    )
    return erased
  }
}
