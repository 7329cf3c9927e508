import { isIP } from 'node:net'

/** Places for so many at once; others wait their turn. */
export interface Slots {
  /** Resolves with what gives the place back, or undefined when too many wait already or the signal is aborted first. */
  take(signal: AbortSignal): Promise<(() => void) | undefined>
}

export function createSlots(places: number, mostWaiting: number): Slots {
  const waiting = new Set<(release: () => void) => void>()
  let taken = 0

  function release(): void {
    const [next] = waiting
    if (next === undefined) taken--
    else {
      waiting.delete(next)
      next(once(release))
    }
  }

  return {
    async take(signal) {
      if (signal.aborted) return undefined
      if (taken < places) {
        taken++
        return once(release)
      }
      if (waiting.size >= mostWaiting) return undefined
      return await new Promise(resolve => {
        const enter = (leave: () => void) => {
          signal.removeEventListener('abort', giveUp)
          resolve(leave)
        }
        const giveUp = () => {
          waiting.delete(enter)
          resolve(undefined)
        }
        waiting.add(enter)
        signal.addEventListener('abort', giveUp, { once: true })
      })
    },
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

/** Whether an address is this machine's own; IPv4 may come in IPv6 clothes. */
export const isLoopback = (address: string) => /^(::ffff:)?127\.|^::1$/i.test(address)

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
