import type { Socket } from './session.ts'

/**
 * Who is next of those who wait for a large INIT_STATE: the address that was given one longest ago, or never. So who opens a
 * thousand sockets waits for all of theirs, and nobody else does.
 */
export interface Precedence {
  /** A socket was given a large one. */
  served(ws: Socket): void
  /** Those who wait, the next one first; of one address those who came first. */
  order<T>(waiting: Iterable<readonly [Socket, T]>): (readonly [Socket, T])[]
}

/** Addresses remembered; those beyond count as never served. */
const MOST = 10_000

export function createPrecedence(): Precedence {
  /** The number of each address's last turn, the oldest first. */
  const turns = new Map<string, number>()
  let turn = 0
  const lastTurn = ([{ data }]: readonly [Socket, unknown]) => turns.get(data.address) ?? 0

  return {
    served({ data: { address } }) {
      turns.delete(address)
      turns.set(address, ++turn)
      const [oldest] = turns.keys()
      if (turns.size > MOST && oldest !== undefined) turns.delete(oldest)
    },
    order: waiting => [...waiting].sort((a, b) => lastTurn(a) - lastTurn(b)),
  }
}
