import { isLoopback } from './ip.ts'
import { network } from './semaphore.ts'

export interface QuotaOptions {
  /** What one client address may hold; a whole IPv6 /64 is one. */
  readonly perAddress: number
  /** What all of them may hold together. */
  readonly total: number
}

/**
 * A bound on a sum: how much of something (bytes that wait to be read, names that are followed) client addresses hold,
 * each and together. Loopback has the whole for a bound: a reverse proxy without further settings is there, and with it
 * everybody. One object is shared by all that draw on the same sum.
 */
export class Quota {
  readonly #perAddress: number
  readonly #total: number
  readonly #held = new Map<string, number>()
  #sum = 0

  constructor({ perAddress, total }: QuotaOptions) {
    this.#perAddress = perAddress
    this.#total = total
  }

  /** What everybody holds. */
  get held(): number {
    return this.#sum
  }

  heldBy(address: string): number {
    return this.#held.get(network(address)) ?? 0
  }

  /** How much more the address may hold. Below 0 it holds too much, or all of them do. */
  room(address: string): number {
    const whole = this.#total - this.#sum
    return isLoopback(address) ? whole : Math.min(whole, this.#perAddress - this.heldBy(address))
  }

  /** Notes that the address holds so much more, if there is room for it. */
  take(address: string, amount: number): boolean {
    if (amount > this.room(address)) return false
    this.add(address, amount)
    return true
  }

  /** Notes that the address holds so much more whether there is room or not, or less: `amount` may be negative. */
  add(address: string, amount: number): void {
    if (amount === 0) return
    const key = network(address)
    const held = (this.#held.get(key) ?? 0) + amount
    this.#sum += amount
    if (held > 0) this.#held.set(key, held)
    else this.#held.delete(key)
  }
}
