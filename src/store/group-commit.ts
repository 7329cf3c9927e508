import { type Database, SQLiteError } from 'bun:sqlite'
import { storageUnavailable } from '../domain/errors.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { Misplaced } from './database.ts'

/** What became of one piece of work: its value, or what it threw. */
type Outcome = { readonly kept: true; readonly value: unknown } | { readonly kept: false; readonly error: unknown }

/**
 * Runs pieces of work in one durable transaction, each undone alone when it throws. Throws when the transaction as a
 * whole could not be kept; then none of them was.
 */
class Transaction {
  readonly #db: Database
  readonly #begin
  readonly #commit
  readonly #rollback
  readonly #savepoint
  readonly #release
  readonly #rollbackTo
  #undos: (() => void)[] = []

  constructor(db: Database) {
    this.#db = db
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
    this.#savepoint = db.prepare('SAVEPOINT one')
    this.#release = db.prepare('RELEASE one')
    this.#rollbackTo = db.prepare('ROLLBACK TO one')
  }

  run(works: readonly (() => unknown)[]): readonly Outcome[] {
    this.#undos = []
    this.#begin.run()
    try {
      const outcomes = works.map(work => this.#attempt(work))
      this.#commit.run()
      return outcomes
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run()
      this.#undoTo(0)
      throw error
    }
  }

  onUndone(undo: () => void): void {
    this.#undos.push(undo)
  }

  #attempt(work: () => unknown): Outcome {
    const before = this.#undos.length
    this.#savepoint.run()
    try {
      const value = work()
      this.#release.run()
      return { kept: true, value }
    } catch (error) {
      // A full or failing disk ends the whole transaction, not only this part of it.
      if (!this.#db.inTransaction) throw error
      this.#rollbackTo.run()
      this.#release.run()
      this.#undoTo(before)
      return { kept: false, error }
    }
  }

  #undoTo(length: number): void {
    for (const undo of this.#undos.splice(length).reverse()) undo()
  }
}

/** What the transactions are made in. */
interface Place {
  readonly db: Database
  /** Throws {@link Misplaced} when what is written now would be lost. */
  assertInPlace(): void
}

interface GroupCommitDeps {
  readonly log: Log
  readonly metrics?: Metrics | undefined
  readonly clock?: Pick<Clock, 'monotonic' | 'after'>
}

interface Write {
  readonly work: () => unknown
  readonly bytes: number
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
/** Writes in one transaction, in number and, beyond the first, in bytes: bounds how long the process is busy with it. */
const MOST_WRITES = 512
const MOST_BYTES = 2 * 1024 * 1024
/** Writes waiting, in number and in bytes. More means that the disk cannot follow: further ones are refused, not heaped up. */
const LONGEST_QUEUE = 20_000
const LARGEST_QUEUE = 64 * 1024 * 1024

/**
 * One transaction for all writes that arrive together, because making a transaction durable costs a hundred times more
 * than a row.
 */
export class GroupCommit {
  readonly #place: Place
  readonly #log: Log
  readonly #clock: Pick<Clock, 'monotonic' | 'after'>
  readonly #transaction: Transaction
  readonly #commits: Counter | undefined
  readonly #failures: Counter | undefined
  #queue: Write[] = []
  #bytes = 0
  #cancel: (() => void) | null = null
  #notBefore = 0
  #paused = false
  #failing = false
  #closed = false

  constructor(place: Place, { log, metrics, clock = systemClock }: GroupCommitDeps) {
    this.#place = place
    this.#log = log
    this.#clock = clock
    this.#transaction = new Transaction(place.db)
    this.#commits = metrics?.counter('store_commits_total', 'Transactions written to the database')
    this.#failures = metrics?.counter('store_failures_total', 'Writes the database could not keep')
  }

  /**
   * Runs the work inside the next transaction and settles once that is durable, in the order of the calls. What the work
   * throws undoes this work only, and is what it rejects with; `storage_unavailable` when it could not be kept, or when
   * too much waits already.
   * @param bytes what it holds in memory while it waits
   */
  write<T>(work: () => T, bytes = 0): Promise<T> {
    const full = this.#queue.length >= LONGEST_QUEUE || (this.#bytes > 0 && this.#bytes + bytes > LARGEST_QUEUE)
    if (this.#closed || full) return Promise.reject(storageUnavailable())
    return new Promise((resolve, reject) => {
      this.#bytes += bytes
      this.#queue.push({ work, bytes, resolve, reject })
      this.#schedule()
    })
  }

  /** For work under way: what it has changed in memory is changed back if the transaction is not kept. */
  onUndone(undo: () => void): void {
    this.#transaction.onUndone(undo)
  }

  /** Lets writes wait until the work is done. */
  async pause<T>(work: () => Promise<T>): Promise<T> {
    this.#paused = true
    try {
      return await work()
    } finally {
      this.#paused = false
      this.#schedule()
    }
  }

  /** Says so when the database is no longer where it was, also while nothing is written. */
  watch(): void {
    try {
      this.#place.assertInPlace()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Writes everything pending now. Later writes are refused. */
  close(): void {
    this.#closed = true
    this.#cancel?.()
    while (this.#queue.length > 0) this.#commitSome()
  }

  #schedule(): void {
    if (this.#cancel !== null || this.#paused || this.#queue.length === 0) return
    const wait = this.#notBefore - this.#clock.monotonic()
    this.#cancel = wait <= 0 ? soon(this.#flush) : this.#clock.after(wait, this.#flush)
  }

  readonly #flush = (): void => {
    this.#cancel = null
    if (this.#paused) return
    const started = this.#clock.monotonic()
    const writes = this.#commitSome()
    const taken = this.#clock.monotonic() - started
    const apart = Math.max(spacing(writes), Math.min(SLOWDOWN * taken, FURTHEST))
    this.#notBefore = Math.max(this.#notBefore, started - CREDIT) + apart
    this.#schedule()
  }

  /** Settles in the order of the calls, all in this tick: whoever awaits them sees the same order. Tells how many. */
  #commitSome(): number {
    const batch = this.#queue.splice(0, this.#fitting())
    const outcomes = this.#transact(batch)
    batch.forEach(({ bytes, resolve, reject }, at) => {
      this.#bytes -= bytes
      const outcome = outcomes[at]
      if (outcome?.kept) resolve(outcome.value as never)
      else reject(outcome?.error)
    })
    return batch.length
  }

  /** How many of the writes that wait go into one transaction. */
  #fitting(): number {
    let bytes = 0
    const end = this.#queue.findIndex((write, at) => {
      bytes += write.bytes
      return at >= MOST_WRITES || (at > 0 && bytes > MOST_BYTES)
    })
    return end === -1 ? this.#queue.length : end
  }

  #transact(batch: readonly Write[]): readonly Outcome[] {
    try {
      this.#place.assertInPlace()
      const outcomes = this.#transaction.run(batch.map(({ work }) => work))
      this.#commits?.inc()
      if (outcomes.every(outcome => outcome.kept || !(outcome.error instanceof SQLiteError))) this.#recover()
      return outcomes.map(outcome => (outcome.kept ? outcome : { kept: false, error: this.#translate(outcome.error) }))
    } catch (error) {
      return batch.map(() => ({ kept: false, error: this.#translate(error) }))
    }
  }

  /** What the database could not keep is told to clients as such; what a piece of work threw itself stays. */
  #translate(error: unknown): unknown {
    if (!(error instanceof SQLiteError) && !(error instanceof Misplaced)) return error
    this.#failures?.inc()
    this.#fail(error)
    return storageUnavailable()
  }

  #fail(error: unknown): void {
    const { code, message } = error as { code?: unknown; message?: unknown }
    const fields = { ...(code !== undefined && { code }), reason: message }
    if (!this.#failing) this.#log.error('the database cannot keep writes', fields)
    this.#failing = true
  }

  #recover(): void {
    if (this.#failing) this.#log.info('the database keeps writes again')
    this.#failing = false
  }
}

/** In this turn of the loop, behind whatever else it brought. */
function soon(run: () => void): () => void {
  const immediate = setImmediate(run)
  return () => clearImmediate(immediate)
}
