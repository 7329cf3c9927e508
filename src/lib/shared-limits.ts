import { MINUTE } from './clock.ts'
import { isLoopback } from './ip.ts'
import { type Addresses, network } from './semaphore.ts'
import type { RateLimiter } from './token-bucket.ts'

/** Addresses that are told apart at a time; of more, those that were quiet longest are forgotten. */
const SLOTS = 65_536
/** Slots an address may be in. */
const WAYS = 8
/** Bytes of a slot of a rate limiter: when its bucket is full again, and whose it is. */
const RATE_SLOT = 8 + 4

/**
 * Memory in which the threads of a process count what client addresses do, as one. No locks: when two threads count the
 * same address in the same instant, one request in a few hundred is counted once for both.
 */
export interface SharedLimits {
  readonly rates: SharedArrayBuffer
  readonly connections: SharedArrayBuffer
  /** Makes the slots of addresses nobody's guess. */
  readonly seed: number
  readonly threads: number
}

export function createSharedLimits(threads: number): SharedLimits {
  return {
    rates: new SharedArrayBuffer(SLOTS * RATE_SLOT),
    connections: new SharedArrayBuffer(SLOTS * 4 * (threads + 1)),
    seed: Math.floor(Math.random() * 2 ** 32),
    threads,
  }
}

/** The clock of the machine in milliseconds, the same in every thread; `performance.now()` starts with each of them. */
const OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now()
const sharedNow = () => performance.now() + OFFSET

/** Where to look for an address: never 0, which marks a slot that is nobody's. */
const tagOf = (address: string, seed: number) => Bun.hash.xxHash32(network(address), seed) || 1

/** The first of the slots in which an address with this tag may be. */
const firstSlot = (tag: number) => (tag % (SLOTS / WAYS)) * WAYS

interface RateOptions {
  readonly perMinute: number
  /** Milliseconds that never go back, the same in every thread. */
  readonly now?: () => number
}

/** A token bucket per address for all threads together. A bucket is one number: when it will be full again. */
export class SharedRateLimiter implements RateLimiter {
  readonly #fullAt: Float64Array
  readonly #tags: Uint32Array
  readonly #seed: number
  /** Milliseconds in which one token comes back. */
  readonly #interval: number
  readonly #now: () => number

  constructor({ rates, seed }: SharedLimits, { perMinute, now = sharedNow }: RateOptions) {
    this.#fullAt = new Float64Array(rates, 0, SLOTS)
    this.#tags = new Uint32Array(rates, SLOTS * 8, SLOTS)
    this.#seed = seed
    this.#interval = MINUTE / perMinute
    this.#now = now
  }

  take(address: string, cost = 1): number {
    const now = this.#now()
    const slot = this.#slotOf(tagOf(address, this.#seed), now)
    const fullAt = Math.max(now, this.#fullAt[slot] ?? 0) + Math.min(MINUTE, cost * this.#interval)
    const wait = fullAt - now - MINUTE
    // What was divided and multiplied again is not exact: a hair over a full minute is a full minute.
    if (wait > 1e-6) return Math.ceil(wait / 1000)
    this.#fullAt[slot] = fullAt
    return 0
  }

  /** The address's slot; else one whose bucket is full, or will be first. */
  #slotOf(tag: number, now: number): number {
    const first = firstSlot(tag)
    let best = first
    for (let slot = first; slot < first + WAYS; slot++) {
      if (this.#tags[slot] === tag) return slot
      if ((this.#fullAt[slot] ?? 0) < (this.#fullAt[best] ?? 0)) best = slot
    }
    this.#tags[best] = tag
    this.#fullAt[best] = now
    return best
  }
}

/**
 * Open connections an address for all threads together. Each thread counts in a column of its own, so that those of one
 * that has died can be taken off.
 */
export class SharedAddresses implements Addresses {
  readonly #limits: SharedLimits
  readonly #tags: Uint32Array
  readonly #counts: Int32Array
  readonly #thread: number
  readonly #max: number
  /** Addresses for which there was no slot. */
  readonly #apart = new Map<string, number>()

  /** `max` 0 means any number. */
  constructor(limits: SharedLimits, thread: number, max: number) {
    this.#limits = limits
    this.#tags = new Uint32Array(limits.connections, 0, SLOTS)
    this.#counts = countsOf(limits)
    this.#thread = thread
    this.#max = max
  }

  readonly admits = (address: string): boolean => {
    if (this.#max === 0 || isLoopback(address)) return true
    const slot = this.#find(tagOf(address, this.#limits.seed))
    const apart = this.#apart.get(network(address)) ?? 0
    return (slot === undefined ? 0 : this.#sum(slot)) + apart < this.#max
  }

  opened(address: string): void {
    const tag = tagOf(address, this.#limits.seed)
    const slot = this.#find(tag) ?? this.#claim(tag)
    if (slot === undefined) this.#apart.set(network(address), (this.#apart.get(network(address)) ?? 0) + 1)
    else Atomics.add(this.#counts, this.#cell(slot), 1)
  }

  closed(address: string): void {
    const apart = this.#apart.get(network(address)) ?? 0
    const slot = apart > 0 ? undefined : this.#find(tagOf(address, this.#limits.seed))
    if (apart > 1) this.#apart.set(network(address), apart - 1)
    else if (apart === 1) this.#apart.delete(network(address))
    else if (slot !== undefined && (this.#counts[this.#cell(slot)] ?? 0) > 0)
      Atomics.sub(this.#counts, this.#cell(slot), 1)
  }

  readonly #cell = (slot: number) => slot * this.#limits.threads + this.#thread

  #find(tag: number): number | undefined {
    const first = firstSlot(tag)
    for (let slot = first; slot < first + WAYS; slot++) if (this.#tags[slot] === tag) return slot
    return undefined
  }

  /** A slot in which nobody has anything open. */
  #claim(tag: number): number | undefined {
    const first = firstSlot(tag)
    for (let slot = first; slot < first + WAYS; slot++) {
      const owner = this.#tags[slot] ?? 0
      if (this.#sum(slot) === 0 && Atomics.compareExchange(this.#tags, slot, owner, tag) === owner) return slot
    }
    return undefined
  }

  #sum(slot: number): number {
    const { threads } = this.#limits
    let sum = 0
    for (let at = slot * threads; at < (slot + 1) * threads; at++) sum += this.#counts[at] ?? 0
    return sum
  }
}

const countsOf = ({ connections, threads }: SharedLimits) => new Int32Array(connections, SLOTS * 4, SLOTS * threads)

/** Takes off what a thread had open that has died. */
export function forgetThread(limits: SharedLimits, thread: number): void {
  const counts = countsOf(limits)
  for (let at = thread; at < counts.length; at += limits.threads) counts[at] = 0
}
