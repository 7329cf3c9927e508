import type { Clock } from './clock.ts'

/** Something that somebody may look at. Times are monotonic milliseconds. */
export interface Refreshable {
  /** When it is to be asked after again; in the past: as soon as possible, the longest due first. */
  dueAt: number
  /** When somebody last looked. */
  lookedAt: number
  /** False once nobody may be shown it any more. */
  readonly live: boolean
}

export interface RefreshQueueOptions<T> {
  readonly clock: Clock
  /** Whom nobody looked at for so long leaves. Milliseconds. */
  readonly attentionMs: number
  /** When the budget allows the next to be asked after, monotonic milliseconds. */
  freeAt(): number
  /** Asks after it, and puts its `dueAt` later. Never rejects. */
  refresh(entry: T): Promise<void>
}

/** Keeps fresh what somebody looks at: one after the other, as fast as a budget allows. Nobody waits for it. */
export class RefreshQueue<T extends Refreshable> {
  readonly #options: RefreshQueueOptions<T>
  readonly #entries = new Set<T>()
  /** Whose turn is next, and how to call it off. */
  #next: { readonly entry: T; readonly dueAt: number; readonly cancel: () => void } | null = null
  #busy = false
  #stopped = false

  constructor(options: RefreshQueueOptions<T>) {
    this.#options = options
  }

  /** Somebody looks. Costs next to nothing once it is in the queue. */
  look(entry: T): void {
    entry.lookedAt = this.#options.clock.monotonic()
    if (this.#entries.has(entry)) return
    this.#entries.add(entry)
    this.#wakeFor(entry)
  }

  /** What was known of it is not so any more: its turn comes before all others, if anybody looks at it. */
  hurry(entry: T): void {
    if (!this.#entries.has(entry)) return
    entry.dueAt = Number.NEGATIVE_INFINITY
    this.#wakeFor(entry)
  }

  /** Everything somebody looks at, or did a short while ago. */
  entries(): Iterable<T> {
    return this.#entries
  }

  stop(): void {
    this.#stopped = true
    this.#next?.cancel()
  }

  /** Gives it the next turn, unless something has it that is due earlier. */
  #wakeFor(entry: T): void {
    if (this.#busy || this.#stopped || (this.#next !== null && this.#next.dueAt <= entry.dueAt)) return
    this.#next?.cancel()
    const { clock } = this.#options
    const cancel = clock.after(Math.max(0, this.#turnOf(entry) - clock.monotonic()), () => void this.#take(entry))
    this.#next = { entry, dueAt: entry.dueAt, cancel }
  }

  #turnOf(entry: T): number {
    return Math.max(entry.dueAt, this.#options.freeAt())
  }

  async #take(entry: T): Promise<void> {
    this.#next = null
    const { clock, refresh } = this.#options
    if (this.#isWanted(entry) && this.#turnOf(entry) <= clock.monotonic()) {
      this.#busy = true
      await refresh(entry)
      this.#busy = false
    }
    const longest = this.#longestDue()
    if (longest !== undefined) this.#wakeFor(longest)
  }

  /** Lets go of what nobody wants any more, on the way. */
  #longestDue(): T | undefined {
    let longest: T | undefined
    for (const entry of this.#entries) {
      if (!this.#isWanted(entry)) this.#entries.delete(entry)
      else if (longest === undefined || entry.dueAt < longest.dueAt) longest = entry
    }
    return longest
  }

  #isWanted({ live, lookedAt }: T): boolean {
    return live && lookedAt >= this.#options.clock.monotonic() - this.#options.attentionMs
  }
}
