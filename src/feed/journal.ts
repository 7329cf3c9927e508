import type { Change, Source } from '../domain/presences.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import { detailsOf, type Frame, MOST_STRINGS, type Slice } from './record.ts'

export interface JournalOptions {
  /** Which life of the owner of the truth this is. */
  readonly term?: number
  readonly clock?: Clock
}

/** Milliseconds between frames while there is a load. The first change after quiet goes out at once. */
const GATHER = 5
/** Characters of a frame. */
const FULL = 64 * 1024

/** Writes down what happens to presences, for copies elsewhere: every change with the text of its moment, in frames. */
export class Journal {
  readonly term: number
  readonly #source: Source
  readonly #clock: Clock
  readonly #listeners = new Set<(frame: Frame) => void>()
  readonly #stops: readonly (() => void)[]
  #records: string[] = []
  #characters = 0
  #number = 0
  #flushedAt = Number.NEGATIVE_INFINITY
  #immediate: NodeJS.Immediate | undefined
  #cancelTimer: (() => void) | undefined

  constructor(source: Source, { term = 1, clock = systemClock }: JournalOptions = {}) {
    this.term = term
    this.#source = source
    this.#clock = clock
    const beat = setInterval(() => this.beat(), SECOND)
    this.#stops = [
      source.onChange(change => this.#note(change)),
      source.onDetail(id => this.#noteDetails(id)),
      () => clearInterval(beat),
    ]
    this.beat()
  }

  /** The last frame that went out. */
  get number(): number {
    return this.#number
  }

  /** Hears every frame from the next one on. Returns what ends that. */
  onFrame(listener: (frame: Frame) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Sends what was noted. What the source shows now is in this frame, or was in one before. */
  flush(): void {
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    if (this.#records.length === 0) return
    const frame = { term: this.term, number: ++this.#number, records: this.#records }
    this.#records = []
    this.#characters = 0
    this.#flushedAt = this.#clock.monotonic()
    for (const listener of this.#listeners) listener(frame)
  }

  /** Those of the people who are shown, as they are now: to be laid beside the frames, for who begins to follow them. */
  slice(ids: readonly string[]): Slice {
    this.flush()
    const records = ids.flatMap(id => {
      const json = this.#source.snapshot(id)?.json
      return json === undefined ? [] : ['P', id, json, detailsOf(this.#source, id)]
    })
    return { term: this.term, number: this.#number, records }
  }

  /** Tells how much can be told at the moment, and that all is well. */
  beat(): void {
    const { readiness, withheld } = this.#source
    if (withheld !== undefined) this.#add('W', String(withheld))
    this.#add('B', readiness, String(this.#clock.now()))
    this.#schedule()
  }

  /** Asks whoever takes this in to tell so at once; everything up to now is before it. Returns which frame that is. */
  confirm(): number {
    this.#add('C')
    this.flush()
    return this.#number
  }

  stop(): void {
    for (const stop of this.#stops) stop()
    this.flush()
  }

  #note({ id, kind }: Change): void {
    if (kind === 'left') {
      this.#add('D', id)
      this.#soon()
      return
    }
    const json = this.#source.snapshot(id)?.json
    if (json === undefined) return
    this.#add('P', id, json, detailsOf(this.#source, id))
    this.#schedule()
  }

  #noteDetails(id: string | undefined): void {
    if (id === undefined) this.beat()
    else {
      const json = this.#source.snapshot(id)?.json
      if (json === undefined) return
      this.#add('S', id, json, detailsOf(this.#source, id))
      this.#schedule()
    }
  }

  #add(...strings: readonly string[]): void {
    for (const text of strings) this.#characters += text.length
    this.#records.push(...strings)
    if (this.#characters >= FULL || this.#records.length >= MOST_STRINGS) this.flush()
  }

  /** At the end of the burst, or when the last frame is long enough ago: fifty changes in one frame cost little more than one. */
  #schedule(): void {
    if (this.#immediate !== undefined || this.#cancelTimer !== undefined || this.#records.length === 0) return
    const wait = GATHER - (this.#clock.monotonic() - this.#flushedAt)
    if (wait <= 0) this.#soon()
    else this.#cancelTimer = this.#clock.after(wait, () => this.flush())
  }

  #soon(): void {
    if (this.#records.length > 0) this.#immediate ??= setImmediate(() => this.flush())
  }
}
