import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'

/** Rows that cannot be read any more: each costs itself and nothing else, and is told of once a start. */
export class Damage {
  readonly #log: Log
  readonly #counter: Counter | undefined
  readonly #rows = new Map<string, number>()

  constructor(log: Log, metrics?: Metrics) {
    this.#log = log
    this.#counter = metrics?.counter('store_damaged_rows_total', 'Rows of the database that could not be read')
  }

  /** A row of this kind makes no sense. */
  found(kind: string): void {
    this.#counter?.inc()
    this.#rows.set(kind, (this.#rows.get(kind) ?? 0) + 1)
  }

  /** From here on no row of this kind can be read. */
  broke(kind: string, error: unknown): void {
    this.found(kind)
    this.#log.error('a part of the database cannot be read', { kind, error: describeError(error) })
  }

  /** Tells what was found since it was told last. */
  tell(): void {
    for (const [kind, rows] of this.#rows) {
      this.#log.error('rows of the database are damaged and were left out; put a backup in its place', { kind, rows })
    }
    this.#rows.clear()
  }
}
