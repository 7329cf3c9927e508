/** Takes frames as they arrive and hands them on in order, the heavy ones one a turn of the event loop. */
export interface Inflow {
  take(data: unknown): void
  /** Forgets what waits: the connection is gone. */
  clear(): void
}

/** A frame of this length (characters) takes milliseconds: a full chunk of members, a large guild. */
const HEAVY = 1 << 16
/** Light frames handled in one turn when some had to wait. */
const AT_ONCE = 256
/** Beyond this much waiting (characters) nothing waits any more: then the network has to. */
const MOST_WAITING = 1 << 26
const READY_HEAD = '{"t":"READY"'

/**
 * A fast network brings many chunks in one read, and all of them at once would hold readers up. What follows a frame
 * that had to wait waits as well. READY ends a turn too, because the library needs longer for it than for the rest.
 */
export function createInflow(handle: (data: unknown) => void): Inflow {
  let waiting: unknown[] = []
  let waitingLength = 0
  let busy = false
  let scheduled = false

  function schedule(): void {
    if (scheduled) return
    scheduled = true
    setImmediate(turn)
  }

  function turn(): void {
    scheduled = false
    busy = false
    for (let count = 0; count < AT_ONCE && waiting.length > 0 && !busy; count++) next()
    if (waiting.length > 0 || busy) schedule()
  }

  function next(): void {
    const data = waiting.shift()
    waitingLength -= lengthOf(data)
    busy = endsTurn(data)
    handle(data)
  }

  return {
    take(data) {
      const heavy = lengthOf(data) > HEAVY
      if (waiting.length === 0 && !(busy && heavy)) {
        if (heavy) {
          busy = true
          schedule()
        }
        handle(data)
        return
      }
      waiting.push(data)
      waitingLength += lengthOf(data)
      while (waitingLength > MOST_WAITING) next()
    },
    clear() {
      waiting = []
      waitingLength = 0
    },
  }
}

const lengthOf = (data: unknown) => (typeof data === 'string' ? data.length : 0)

const endsTurn = (data: unknown) => typeof data === 'string' && (data.length > HEAVY || data.startsWith(READY_HEAD))
