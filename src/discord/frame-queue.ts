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
export class FrameQueue {
  #waiting: unknown[] = []
  #waitingLength = 0
  #busy = false
  #scheduled = false
  readonly #handle: (data: unknown) => void

  constructor(handle: (data: unknown) => void) {
    this.#handle = handle
  }

  take(data: unknown): void {
    const heavy = lengthOf(data) > HEAVY
    if (this.#waiting.length === 0 && !(this.#busy && heavy)) {
      if (heavy) {
        this.#busy = true
        this.#schedule()
      }
      this.#handle(data)
      return
    }
    this.#waiting.push(data)
    this.#waitingLength += lengthOf(data)
    while (this.#waitingLength > MOST_WAITING) this.#next()
  }

  /** Forgets what waits: the connection is gone. */
  clear(): void {
    this.#waiting = []
    this.#waitingLength = 0
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#scheduled = false
    this.#busy = false
    for (let count = 0; count < AT_ONCE && this.#waiting.length > 0 && !this.#busy; count++) this.#next()
    if (this.#waiting.length > 0 || this.#busy) this.#schedule()
  }

  #next(): void {
    const data = this.#waiting.shift()
    this.#waitingLength -= lengthOf(data)
    this.#busy = endsTurn(data)
    this.#handle(data)
  }
}

const lengthOf = (data: unknown) => (typeof data === 'string' ? data.length : 0)

const endsTurn = (data: unknown) => typeof data === 'string' && (data.length > HEAVY || data.startsWith(READY_HEAD))
