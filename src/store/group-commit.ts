import { type Database, SQLiteError } from 'bun:sqlite'
import { storageUnavailable } from '../domain/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'

/** What became of one piece of work: its value, or what it threw. */
type Outcome = { readonly kept: true; readonly value: unknown } | { readonly kept: false; readonly error: unknown }

/**
 * Runs pieces of work in one durable transaction, each undone alone when it throws. Throws when the transaction as a
 * whole could not be kept; then none of them was.
 */
type RunBatch = (works: readonly (() => unknown)[]) => readonly Outcome[]

function createBatch(db: Database): RunBatch {
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

/**
 * One transaction for all writes that arrive together, because making a transaction durable costs a hundred times more
 * than a row.
 */
export interface GroupCommit {
  /**
   * Runs the work inside the next transaction and settles once that is durable, in the order of the calls. What the work
   * throws undoes this work only, and is what it rejects with; `storage_unavailable` when it could not be kept.
   */
  write<T>(work: () => T): Promise<T>
  /** Lets writes wait until the work is done. */
  pause<T>(work: () => Promise<T>): Promise<T>
  /** Writes everything pending now. Later writes are refused. */
  close(): void
}

interface GroupCommitDeps {
  readonly log: Log
  readonly metrics?: Metrics | undefined
}

interface Write {
  readonly work: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/**
 * How far apart commits are on average (ms), after one with so many writes. Few writes: hardly, or one client that writes
 * one thing after the other would wait each time. Some: the longer, so that a thousand writes a second cost seventy
 * commits. Many: they share the cost well as it is.
 */
const spacing = (writes: number) => (writes < 32 ? Math.min(2 + writes, 15) : 4)
/** On slow disks they are further apart: of ten ms one may be spent on a commit, the others are for everything else. */
const SLOWDOWN = 10
/** But no further than this (ms): whoever writes a lot must not keep others from writing. */
const FURTHEST = 500
/** Time saved up while little is written (ms): that much spacing is left out, so that lone writes are kept at once. */
const CREDIT = 100
/** Writes in one transaction: bounds how long the process is busy with it. */
const LARGEST_BATCH = 512
/** Writes waiting. More than this means that the disk cannot follow: further ones are refused, not heaped up. */
const LONGEST_QUEUE = 20_000

export function createGroupCommit(db: Database, { log, metrics }: GroupCommitDeps): GroupCommit {
  const runBatch = createBatch(db)
  const commits = metrics?.counter('store_commits_total', 'Transactions written to the database')
  const failures = metrics?.counter('store_failures_total', 'Writes the database could not keep')
  let queue: Write[] = []
  let timer: { cancel: () => void } | null = null
  let notBefore = 0
  let paused = false
  let failing = false
  let closed = false

  function schedule(): void {
    if (timer !== null || paused || queue.length === 0) return
    const wait = notBefore - performance.now()
    timer = wait <= 0 ? soon(flush) : later(flush, wait)
  }

  function flush(): void {
    timer = null
    if (paused) return
    const started = performance.now()
    const writes = commitSome()
    const taken = performance.now() - started
    notBefore = Math.max(notBefore, started - CREDIT) + Math.max(spacing(writes), Math.min(SLOWDOWN * taken, FURTHEST))
    schedule()
  }

  /** Settles in the order of the calls, all in this tick: whoever awaits them sees the same order. Tells how many. */
  function commitSome(): number {
    const batch = queue.slice(0, LARGEST_BATCH)
    queue = queue.slice(LARGEST_BATCH)
    const outcomes = transact(batch)
    batch.forEach(({ resolve, reject }, at) => {
      const outcome = outcomes[at]
      if (outcome?.kept) resolve(outcome.value as never)
      else reject(outcome?.error)
    })
    return batch.length
  }

  function transact(batch: readonly Write[]): readonly Outcome[] {
    try {
      const outcomes = runBatch(batch.map(({ work }) => work))
      commits?.inc()
      if (outcomes.every(outcome => outcome.kept || !(outcome.error instanceof SQLiteError))) recovered()
      return outcomes.map(outcome => (outcome.kept ? outcome : { kept: false, error: translate(outcome.error) }))
    } catch (error) {
      return batch.map(() => ({ kept: false, error: translate(error) }))
    }
  }

  /** What the database could not keep is told to clients as such; what a piece of work threw itself stays. */
  function translate(error: unknown): unknown {
    if (!(error instanceof SQLiteError)) return error
    failures?.inc()
    if (!failing) log.error('the database cannot keep writes', { code: error.code, reason: error.message })
    failing = true
    return storageUnavailable()
  }

  function recovered(): void {
    if (failing) log.info('the database keeps writes again')
    failing = false
  }

  function write<T>(work: () => T): Promise<T> {
    if (closed || queue.length >= LONGEST_QUEUE) return Promise.reject(storageUnavailable())
    return new Promise((resolve, reject) => {
      queue.push({ work, resolve, reject })
      schedule()
    })
  }

  return {
    write,
    async pause(work) {
      paused = true
      try {
        return await work()
      } finally {
        paused = false
        schedule()
      }
    },
    close() {
      closed = true
      timer?.cancel()
      while (queue.length > 0) commitSome()
    },
  }
}

function soon(run: () => void) {
  const immediate = setImmediate(run)
  return { cancel: () => clearImmediate(immediate) }
}

function later(run: () => void, wait: number) {
  const timeout = setTimeout(run, wait)
  return { cancel: () => clearTimeout(timeout) }
}
