import { type Clock, MINUTE, SECOND } from '../lib/clock.ts'

/** How much one person may ask for: a burst, then a steady rate. */
export const PACE = { burst: 30, perSecond: 1 } as const
/** How many commands may be under way, replies waiting for Discord's rate limits included. */
export const UNDER_WAY = { total: 1000, perPlace: 30 } as const
/** How long a channel in which the bot may not write is left alone, milliseconds. */
const MUTE = MINUTE
/** How often a person is told what this is who did not ask for it, milliseconds. */
const INTRODUCTION = 10 * MINUTE
/** Entries a table may have before the stale ones are looked for. */
const SWEEP_AT = 10_000

interface Bucket {
  left: number
  at: number
  warned: boolean
}

/** Keeps spam from turning into work. Measured by a clock that nobody can set back. */
export class Limits {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #buckets = new TidyTable<Bucket>(bucket => this.#refill(bucket).left >= PACE.burst)
  readonly #muted = new TidyTable<number>(until => until <= this.#now())
  readonly #introduced = new TidyTable<number>(until => until <= this.#now())
  readonly #places = new Map<string, number>()
  #total = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Counts a command. `warn`: too many, and the person has not been told yet. */
  pace(userId: string): 'ok' | 'warn' | 'ignore' {
    const bucket = this.#refill(this.#buckets.get(userId) ?? { left: PACE.burst, at: this.#now(), warned: false })
    this.#buckets.set(userId, bucket)
    if (bucket.left >= 1) {
      bucket.left--
      return 'ok'
    }
    const warned = bucket.warned
    bucket.warned = true
    return warned ? 'ignore' : 'warn'
  }

  /** A place among the commands under way, to be given back; null when there is none. */
  enter(place: string): (() => void) | null {
    const here = this.#places.get(place) ?? 0
    if (this.#total >= UNDER_WAY.total || here >= UNDER_WAY.perPlace) return null
    this.#total++
    this.#places.set(place, here + 1)
    return () => this.#leave(place)
  }

  /** Leaves a channel alone for a while: Discord bans those who go on knocking. */
  mute(channelId: string): void {
    this.#muted.set(channelId, this.#now() + MUTE)
  }

  isMuted(channelId: string): boolean {
    return (this.#muted.get(channelId) ?? 0) > this.#now()
  }

  /** Whether the person may be told now what this is; counts as told. */
  introduce(userId: string): boolean {
    if ((this.#introduced.get(userId) ?? 0) > this.#now()) return false
    this.#introduced.set(userId, this.#now() + INTRODUCTION)
    return true
  }

  #now(): number {
    return this.#clock.monotonic()
  }

  #leave(place: string): void {
    this.#total--
    const left = (this.#places.get(place) ?? 1) - 1
    if (left === 0) this.#places.delete(place)
    else this.#places.set(place, left)
  }

  #refill({ left, at, warned }: Bucket): Bucket {
    const now = this.#now()
    const refilled = Math.min(PACE.burst, left + ((now - at) / SECOND) * PACE.perSecond)
    return { left: refilled, at: now, warned: warned && refilled < PACE.burst / 2 }
  }
}

/** Forgets its stale entries whenever it has doubled, so that keeping it clean costs little per entry. */
class TidyTable<T> {
  readonly #entries = new Map<string, T>()
  readonly #isStale: (entry: T) => boolean
  #sweepAt = SWEEP_AT

  constructor(isStale: (entry: T) => boolean) {
    this.#isStale = isStale
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: T): void {
    this.#entries.set(key, entry)
    if (this.#entries.size < this.#sweepAt) return
    for (const [candidate, kept] of this.#entries) if (this.#isStale(kept)) this.#entries.delete(candidate)
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#entries.size)
  }
}
