import { now } from './commands.ts'

/** Updates that come one by one. Times in milliseconds as {@link now} counts them, the same for all processes. */
export interface Trickle {
  /** When the first is due. */
  readonly startAt: number
  /** Between two. */
  readonly interval: number
  readonly count: number
}

/** Calls back for each update when it is due, or as soon after as the process can; resolves after the last. */
export function evenly({ startAt, interval, count }: Trickle, update: (at: number) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let next = 0
  const look = () => {
    // One a turn of the event loop, as the gateway's socket brings them.
    if (now() >= startAt + next * interval) update(next++)
    if (next === count) resolve()
    else if (now() >= startAt + next * interval) setImmediate(look)
    else setTimeout(look, startAt + next * interval - now())
  }
  look()
  return promise
}

/** How late updates were, in milliseconds. */
export interface Lateness {
  readonly median: number
  readonly p99: number
}

const PER_MS = 10
const LONGEST_MS = 10_000

/** Notes when each client got each update: they come in order, so counting is enough. */
export class Delays {
  readonly #trickle: Trickle
  readonly #arrived = new Map<number, number>()
  /** How many were so many tenths of a millisecond late. */
  readonly #counts = new Uint32Array(PER_MS * LONGEST_MS + 1)
  #total = 0

  constructor(trickle: Trickle) {
    this.#trickle = trickle
  }

  arrived(client: number, at: number): void {
    const index = this.#arrived.get(client) ?? 0
    this.#arrived.set(client, index + 1)
    const late = at - (this.#trickle.startAt + index * this.#trickle.interval)
    const bucket = Math.min(Math.max(0, Math.floor(late * PER_MS)), this.#counts.length - 1)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total++
  }

  read(): Lateness {
    return { median: this.#quantile(0.5), p99: this.#quantile(0.99) }
  }

  #quantile(part: number): number {
    let seen = 0
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count
      if (seen >= part * this.#total) return bucket / PER_MS
    }
    return Number.NaN
  }
}
