/** A snowflake as two halves of 64 bits, so that it needs no text. */
interface Halves {
  high: number
  low: number
}

const HALF = 2 ** 32
/** Digits of the largest number of 64 bits. */
const MOST_DIGITS = 20
const ZERO = 48
/** What {@link split} found last: reused, so that nothing is allocated for an id. */
const ID: Halves = { high: 0, low: 0 }

/** Reads an id into {@link ID}. False for what is no positive number of 64 bits in plain digits. */
function split(id: string): boolean {
  if (id.length > MOST_DIGITS || id.charCodeAt(0) === ZERO) return false
  let high = 0
  let low = 0
  for (let at = 0; at < id.length; at++) {
    const digit = id.charCodeAt(at) - ZERO
    if (digit < 0 || digit > 9) return false
    const next = low * 10 + digit
    low = next % HALF
    high = high * 10 + Math.floor(next / HALF)
  }
  ID.high = high
  ID.low = low
  return high < HALF && id !== ''
}

/** Spreads ids over 32 bits: they are made of times, so neighbours are alike. */
function spread(high: number, low: number): number {
  const mixed = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** A number of 32 bits for an id, the same as {@link IdSet.hashes} gives; undefined for what no set can hold. */
export function hashId(id: string): number | undefined {
  return split(id) ? spread(ID.high, ID.low) : undefined
}

const SMALLEST = 4
const FULL = 0.8
const GROWTH = 1.5

/** Holds ids in 8 to 15 bytes each, where a set of strings takes a hundred. Open addressing, linear probing. */
export class IdSet {
  /** High and low half of each place; both 0 where it is free. */
  #places = new Uint32Array(2 * SMALLEST)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** False when it is in already, or is no id: anything but a positive number of 64 bits. */
  add(id: string): boolean {
    if (!split(id)) return false
    if (this.#size + 1 > FULL * this.#capacity) this.#resize(Math.ceil(this.#capacity * GROWTH) + 1)
    const place = this.#find(ID.high, ID.low)
    if (!this.#isFree(place)) return false
    this.#put(place, ID.high, ID.low)
    this.#size++
    return true
  }

  has(id: string): boolean {
    return split(id) && !this.#isFree(this.#find(ID.high, ID.low))
  }

  /** False when it was not in. */
  delete(id: string): boolean {
    if (!split(id)) return false
    const place = this.#find(ID.high, ID.low)
    if (this.#isFree(place)) return false
    this.#close(place)
    this.#size--
    return true
  }

  /** What {@link hashId} gives for every id in the set. */
  *hashes(): IterableIterator<number> {
    for (let place = 0; place < this.#capacity; place++) {
      if (!this.#isFree(place)) yield spread(this.#high(place), this.#low(place))
    }
  }

  get #capacity(): number {
    return this.#places.length / 2
  }

  #high(place: number): number {
    return this.#places[2 * place] ?? 0
  }

  #low(place: number): number {
    return this.#places[2 * place + 1] ?? 0
  }

  #isFree(place: number): boolean {
    return this.#high(place) === 0 && this.#low(place) === 0
  }

  #home(high: number, low: number): number {
    return Math.floor((spread(high, low) / HALF) * this.#capacity)
  }

  #after(place: number): number {
    return place + 1 === this.#capacity ? 0 : place + 1
  }

  #put(place: number, high: number, low: number): void {
    this.#places[2 * place] = high
    this.#places[2 * place + 1] = low
  }

  /** Where the id is, or where it would go. */
  #find(high: number, low: number): number {
    let place = this.#home(high, low)
    while (!this.#isFree(place) && (this.#high(place) !== high || this.#low(place) !== low)) place = this.#after(place)
    return place
  }

  /** Frees a place, and moves up those behind it that are not at home: nobody looks past a free place. */
  #close(place: number): void {
    let gap = place
    for (let next = this.#after(gap); !this.#isFree(next); next = this.#after(next)) {
      const [high, low] = [this.#high(next), this.#low(next)]
      const home = this.#home(high, low)
      const reachable = gap <= next ? home <= gap || home > next : home <= gap && home > next
      if (!reachable) continue
      this.#put(gap, high, low)
      gap = next
    }
    this.#put(gap, 0, 0)
  }

  #resize(capacity: number): void {
    const before = this.#places
    this.#places = new Uint32Array(2 * capacity)
    for (let at = 0; at < before.length; at += 2) {
      const [high = 0, low = 0] = [before[at], before[at + 1]]
      if (high !== 0 || low !== 0) this.#put(this.#find(high, low), high, low)
    }
  }
}
