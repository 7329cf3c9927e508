import type { Database } from 'bun:sqlite'
import type { PrivacyStore } from '../domain/privacy.ts'
import { MINUTE } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { type Claimed, MEMORY } from './database.ts'
import type { GroupCommit } from './group-commit.ts'

/**
 * Rewrites the file after somebody was erased. SQLite's `secure_delete` wipes a row that is deleted, but not the copies
 * it has left in unused parts of pages whenever it moved rows between them; only a file written anew has none of them.
 */
interface Scrubber {
  /** To be called inside the transaction that erases: what is to be done outlives a crash. */
  mark(): void
  /** Begins, in the background, unless nothing is to be done or it has just been done. */
  start(): void
  /** Begins nothing more; resolves when nothing is under way. */
  stop(): Promise<void>
  /** Does at once what is still to be done. To be called at the very end, when nothing is written any more. */
  finish(): void
}

/** What is only in memory is gone with the process. */
const NOTHING_TO_SCRUB: Scrubber = { mark() {}, start() {}, async stop() {}, finish() {} }

/** Rest after a rewrite, in times it took: people erasing themselves over and over cannot keep the disk busy. */
const REST = 20

/** Writes wait for a rewrite no longer than this (ms), whatever has become of it. */
const LONGEST = MINUTE

/** A rewrite takes seconds where the file is large, so it has a thread to itself. */
const REWRITE = `
  import { Database } from 'bun:sqlite'
  self.onmessage = ({ data: file }) => {
    try {
      const db = new Database(file)
      db.run('PRAGMA busy_timeout = 1000')
      db.run('VACUUM')
      const { busy } = db.query('PRAGMA wal_checkpoint(TRUNCATE)').get()
      db.close(true)
      postMessage(busy === 0 ? null : 'the file is being read')
    } catch (error) {
      postMessage(String(error))
    }
  }`

export function createScrubber({ db, file }: Claimed, group: GroupCommit, log: Log): Scrubber {
  if (file === MEMORY) return NOTHING_TO_SCRUB
  const read = db.prepare<{ name: string }, []>("SELECT name FROM chores WHERE name = 'scrub'")
  const write = db.prepare<void, []>("INSERT OR IGNORE INTO chores (name) VALUES ('scrub')")
  const clear = db.prepare<void, []>("DELETE FROM chores WHERE name = 'scrub'")
  let due = read.get() !== null
  let running: Promise<void> | null = null
  let timer: Timer | null = null
  let rest = 0
  let stopped = false

  async function scrub(): Promise<void> {
    const started = performance.now()
    const trouble = await group.pause(async () => {
      const told = await rewrite(file)
      if (told === null) done()
      return told
    })
    rest = REST * (performance.now() - started)
    if (trouble !== null) log.info('what erased people have left in the file is removed later', { reason: trouble })
  }

  function done(): void {
    clear.run()
    due = false
  }

  function start(): void {
    if (!due || stopped || running !== null || timer !== null) return
    running = scrub()
      .catch(error => log.warn('the file was not rewritten', { error: describeError(error) }))
      .finally(() => {
        running = null
        timer = setTimeout(again, rest)
        timer.unref()
      })
  }

  function again(): void {
    timer = null
    start()
  }

  return {
    mark() {
      write.run()
      due = true
    },
    start,
    async stop() {
      stopped = true
      if (timer !== null) clearTimeout(timer)
      await running
    },
    finish() {
      if (!due) return
      try {
        db.run('VACUUM')
        done()
      } catch (error) {
        log.warn('what erased people have left in the file is removed next time', { error: describeError(error) })
      }
    },
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
