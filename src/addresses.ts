/** Open connections an address: sockets and event streams, counted together. */
export interface Addresses {
  /** Whether one more may be opened. Loopback always may: a reverse proxy without further settings is there. */
  admits(address: string): boolean
  opened(address: string): void
  closed(address: string): void
}

/** `max` 0 means any number. */
export function createAddresses(max: number): Addresses {
  const open = new Map<string, number>()
  const count = (address: string) => open.get(address) ?? 0
  return {
    admits: address => max === 0 || isLoopback(address) || count(address) < max,
    opened: address => void open.set(address, count(address) + 1),
    closed(address) {
      if (count(address) > 1) open.set(address, count(address) - 1)
      else open.delete(address)
    },
  }
}

const isLoopback = (address: string) => /^(::ffff:)?127\.|^::1$/.test(address)
