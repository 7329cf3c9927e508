import type { Clock } from '../lib/clock.ts'
import type { Socket } from './session.ts'

/**
 * When something large may be made or sent: one at a time, and never more than half of the time, so that fifty clients
 * who ask for everybody at once, or one who keeps asking, leave the process to the others.
 */
export class Turns {
  readonly #clock: Clock
  readonly #waiting: (() => void)[] = []
  #endPause: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `resume` is called at the end of every pause. Who comes first changes: the first may take the whole turn. */
  onOpen(resume: () => void): void {
    this.#waiting.push(resume)
  }

  get open(): boolean {
    return this.#endPause === null
  }

  /** It took from `startedAt` (the clock's monotonic milliseconds) until now. As long a pause follows. */
  took(startedAt: number): void {
    this.#endPause?.()
    this.#endPause = this.#clock.after(this.#clock.monotonic() - startedAt, () => {
      this.#endPause = null
      for (const resume of [...this.#waiting]) resume()
      this.#waiting.push(...this.#waiting.splice(0, 1))
    })
  }

  stop(): void {
    this.#endPause?.()
  }
}

/** Addresses remembered; those beyond count as never served. */
const MOST = 10_000

/**
 * Who is next of those who wait for something large: the address that was given it longest ago, or never. So who opens a
 * thousand sockets waits for all of theirs, and nobody else does.
 */
export class Precedence {
  /** The number of each address's last turn, the oldest first. */
  readonly #turns = new Map<string, number>()
  #turn = 0

  served({ data: { address } }: Socket): void {
    this.#turns.delete(address)
    this.#turns.set(address, ++this.#turn)
    const [oldest] = this.#turns.keys()
    if (this.#turns.size > MOST && oldest !== undefined) this.#turns.delete(oldest)
  }

  /** Those who wait, the next one first; of one address those who came first. */
  order<T>(waiting: Iterable<readonly [Socket, T]>): (readonly [Socket, T])[] {
    const lastTurn = ([{ data }]: readonly [Socket, T]) => this.#turns.get(data.address) ?? 0
    return [...waiting].sort((a, b) => lastTurn(a) - lastTurn(b))
  }
}
