import { isIP } from 'node:net'
import { isLoopback } from './ip.ts'

/** Lets so many in at once; others wait their turn, up to a number. */
export class Semaphore {
  readonly #mostWaiting: number
  readonly #waiting = new Set<(release: () => void) => void>()
  #free: number

  constructor(places: number, mostWaiting: number) {
    this.#free = places
    this.#mostWaiting = mostWaiting
  }

  /** Resolves with what gives the place back, or undefined when too many wait already or the signal is aborted first. */
  async acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined
    if (this.#free > 0) {
      this.#free--
      return this.#release()
    }
    if (this.#waiting.size >= this.#mostWaiting) return undefined
    return await new Promise(resolve => {
      const enter = (release: () => void) => {
        signal.removeEventListener('abort', giveUp)
        resolve(release)
      }
      const giveUp = () => {
        this.#waiting.delete(enter)
        resolve(undefined)
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** Gives one place back, to whoever has waited longest. */
  #release(): () => void {
    return once(() => {
      const [next] = this.#waiting
      if (next === undefined) this.#free++
      else {
        this.#waiting.delete(next)
        next(this.#release())
      }
    })
  }
}

function once(run: () => void): () => void {
  let done = false
  return () => {
    if (!done) run()
    done = true
  }
}

/** Open connections an address: sockets and event streams, counted together. */
export interface Addresses {
  /** Whether one more may be opened. Loopback always may: a reverse proxy without further settings is there. */
  admits(address: string): boolean
  opened(address: string): void
  closed(address: string): void
}

/** `max` 0 means any number. A whole IPv6 /64 is one address. */
export function createAddresses(max: number): Addresses {
  const open = new Map<string, number>()
  const count = (address: string) => open.get(network(address)) ?? 0
  return {
    admits: address => max === 0 || isLoopback(address) || count(address) < max,
    opened: address => void open.set(network(address), count(address) + 1),
    closed(address) {
      if (count(address) > 1) open.set(network(address), count(address) - 1)
      else open.delete(network(address))
    },
  }
}

/** One customer has a whole IPv6 /64: its addresses count as one. */
export function network(address: string): string {
  if (isIP(address) !== 6) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail?.split(':') ?? [])]
    .slice(0, 4)
    .map(group => Number.parseInt(group || '0', 16).toString(16))
    .join(':')
}
