import type { Socket } from './session.ts'

/**
 * When a large INIT_STATE may be made: never more than half of the time, so that fifty clients who ask for everybody
 * at once, or one who keeps asking, leave the process to the others.
 */
interface Turns {
  /** Whether it is time for one, or the last one is so fresh that it can be shared. */
  open(): boolean
  /** One was made, from `startedAt` (milliseconds of `performance.now()`) until now. */
  took(startedAt: number): void
  stop(): void
}

/** Milliseconds after an INIT_STATE in which others may still ride along on it. */
const RIDE = 25
/** Pause after a turn, in lengths of the turn. */
const PAUSE = 1

/** `onOpen` is called at the end of every pause. */
export function createTurns(onOpen: () => void): Turns {
  let turnStart = 0
  let rideUntil = 0
  let pause: NodeJS.Timeout | undefined

  function endPause(): void {
    pause = undefined
    onOpen()
  }

  return {
    open: () => pause === undefined || performance.now() < rideUntil,
    took(startedAt) {
      const now = performance.now()
      if (pause === undefined) {
        turnStart = startedAt
        rideUntil = now + RIDE
      }
      clearTimeout(pause)
      pause = setTimeout(endPause, PAUSE * (now - turnStart))
    },
    stop: () => clearTimeout(pause),
  }
}

/**
 * Who is next of those who wait for a large INIT_STATE: the address that was given one longest ago, or never. So who opens a
 * thousand sockets waits for all of theirs, and nobody else does.
 */
interface Precedence {
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
