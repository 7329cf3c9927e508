import type { Change, Presences, Snapshot } from '../domain/presences.ts'
import { type Clock, systemClock } from '../lib/clock.ts'

/** How somebody is now, under a number larger than every one before. */
export interface Update {
  readonly snapshot: Snapshot
  readonly seq: number
}

/** A way to readers: WebSocket topics, or event streams. */
export interface Transport {
  /** Hears of every change at once, before it is known who follows. */
  changed?(change: Change): void
  follows(id: string): boolean
  /** Sends an update to whoever follows. Returns to how many. */
  publish(update: Update): number
  /**
   * Somebody whose presence was long has changed: readers get the newest as soon as they have taken what they have. Who
   * makes its text says so by {@link Publisher.made}.
   */
  publishLong(id: string): void
  /** The turn is over, and with `idle` nothing is left for another. */
  endTurn(idle: boolean): void
}

export interface PublisherOptions {
  /** Characters beyond which a presence is long, and its changes are gathered. */
  long: number
  /** Characters one reader gets in a turn: more would queue up at those who are not slow, just not scheduled yet. */
  turnCharacters: number
  /** Messages of a turn, over all readers: each takes about half a microsecond. */
  turnMessages: number
  /** Milliseconds that changes wait for others at most, and how many of them are enough. */
  mostGathered: number
  enough: number
}

const DEFAULTS: PublisherOptions = {
  long: 1024 * 1024,
  turnCharacters: 512 * 1024,
  turnMessages: 250_000,
  mostGathered: 20,
  enough: 50,
}

interface PublisherDeps {
  readonly presences: Presences
  readonly clock?: Clock
  readonly options?: Partial<PublisherOptions> | undefined
}

/**
 * Brings changes to all who follow, over every transport: one listener, one burst, one number an update.
 *
 * One update alone costs a system call a reader, fifty together a twentieth of that each. So changes gather: the first
 * after quiet goes out at the end of its burst, and while there is load, changes wait as long as the last flush took, or
 * until they are fifty.
 */
export class Publisher {
  readonly #presences: Presences
  readonly #clock: Clock
  readonly #options: PublisherOptions
  readonly #transports: Transport[] = []
  readonly #stopListening: () => void
  readonly #waiting: Snapshot[] = []
  /** Of whom an update waits; who was in a turn that is over may still be among them. */
  readonly #concerned = new Set<string>()
  /** People whose presence was long when it was last made. */
  readonly #long = new Set<string>()
  /** Those of them who have changed since the last turn. */
  readonly #changedLong = new Set<string>()
  #number = 0
  /** Set while changes wait for others. */
  #stopGathering: (() => void) | null = null
  /** Whether a turn is due, or over and not measured yet. */
  #due = false
  #measuring = false
  /** Until then changes gather. */
  #gatherUntil = 0

  constructor({ presences, clock = systemClock, options }: PublisherDeps) {
    this.#presences = presences
    this.#clock = clock
    this.#options = { ...DEFAULTS, ...options }
    this.#stopListening = presences.onChange(change => this.#change(change))
  }

  add(transport: Transport): void {
    this.#transports.push(transport)
  }

  /** A number for what is told of presences. On each connection numbers rise, and may skip. */
  next(): number {
    return ++this.#number
  }

  /** Whether a number given out is still the newest. */
  isNewest(seq: number): boolean {
    return seq === this.#number
  }

  /** The text of somebody whose changes are gathered was made; if it is short, the next changes are sent as they come. */
  made({ id, json }: Snapshot): void {
    if (json.length <= this.#options.long) this.#long.delete(id)
  }

  /**
   * Sends what waits, if any of it is about people for whom this holds. Whoever begins to follow them after this call
   * sees none of it, whoever did before sees all. False when that is more than a turn: then it goes on by itself.
   */
  settle(concerns: (id: string) => boolean): boolean {
    if (this.#waiting.length === 0 && this.#changedLong.size === 0) return true
    const concerned = this.#concerned.values().some(concerns) || this.#changedLong.values().some(concerns)
    return !concerned || this.#turn()
  }

  /** Sends everything that waits, however much it is. */
  flush(): void {
    while (!this.#turn()) {
      // One more.
    }
  }

  /** Sends what waits a last time, and lets go of the store. */
  close(): void {
    this.flush()
    this.#stopListening()
  }

  #change(change: Change): void {
    for (const transport of this.#transports) transport.changed?.(change)
    const { id, kind } = change
    if (kind === 'left' || !this.#transports.some(transport => transport.follows(id))) return
    // Its text is not made before somebody can take it: a hundred changes may be one by then.
    if (this.#long.has(id)) this.#changedLong.add(id)
    else this.#note(id)
    this.#schedule()
  }

  #note(id: string): void {
    const snapshot = this.#presences.snapshot(id)
    if (snapshot === undefined) return
    if (snapshot.json.length > this.#options.long) {
      this.#long.add(id)
      this.#changedLong.add(id)
    } else {
      this.#waiting.push(snapshot)
      this.#concerned.add(id)
    }
  }

  #schedule(): void {
    if (this.#due || this.#measuring) return
    const wait = this.#gatherUntil - this.#clock.monotonic()
    if (wait <= 0 || this.#waiting.length >= this.#options.enough) this.#endGathering()
    else this.#stopGathering ??= this.#clock.after(wait, () => this.#endGathering())
  }

  /** Every message of one read of the gateway's socket is handled before the next setImmediate. */
  #endGathering(): void {
    this.#stopGathering?.()
    this.#stopGathering = null
    this.#due = true
    // Also behind a timer: what is called immediate there is still the same turn of the loop.
    setImmediate(() => this.#run())
  }

  #run(): void {
    this.#due = false
    this.#measuring = true
    const startedAt = this.#clock.monotonic()
    const idle = this.#turn()
    // Bun sends when this turn of the loop is over: only the next one knows what that took.
    setImmediate(() => this.#measured(startedAt, idle))
  }

  #measured(startedAt: number, idle: boolean): void {
    this.#measuring = false
    const now = this.#clock.monotonic()
    if (idle) this.#gatherUntil = now + Math.min(now - startedAt, this.#options.mostGathered)
    if (this.#waiting.length > 0 || this.#changedLong.size > 0) this.#schedule()
  }

  /** Sends what fits in one turn. Returns whether that was all. */
  #turn(): boolean {
    this.#sendLong()
    const idle = this.#sendWaiting()
    if (idle) this.#concerned.clear()
    for (const transport of this.#transports) transport.endTurn(idle)
    return idle
  }

  #sendLong(): void {
    const changed = [...this.#changedLong]
    this.#changedLong.clear()
    for (const id of changed) for (const transport of this.#transports) transport.publishLong(id)
  }

  /** Takes each update out before sending it: sending may close a slow reader, and that may come back here. */
  #sendWaiting(): boolean {
    const { turnCharacters, turnMessages } = this.#options
    let characters = 0
    let messages = 0
    while (characters < turnCharacters && messages < turnMessages) {
      const snapshot = this.#waiting.shift()
      if (snapshot === undefined) return true
      const update = { snapshot, seq: this.next() }
      for (const transport of this.#transports) messages += transport.publish(update)
      characters += snapshot.json.length
    }
    return this.#waiting.length === 0
  }
}
