import type { GithubSnapshot } from '../domain/github.ts'
import type { Change, Person, Readiness, Snapshot, Source } from '../domain/presences.ts'
import {
  type Frame,
  LENGTHS,
  type Position,
  placeOf,
  type Records,
  readReadiness,
  type Slice,
  sliceAfter,
} from './record.ts'
import { Row } from './row.ts'

const NO_PAIRS: ReadonlyMap<string, string> = new Map()

/**
 * A copy of the presences that are shown elsewhere. It follows frames, and is made whole by slices: `begin`, then the
 * slices in any order and at any time between the frames, then `complete`. While it is being made whole again it goes on
 * serving, and listeners hear only of what is really different.
 */
export class Replica implements Source {
  readonly #rows = new Map<string, Row>()
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #detailListeners = new Set<(userId: string | undefined) => void>()
  /** Where those stood who left during a synchronization: an older slice must not bring them back. */
  #gone: Map<string, number> | null = null
  #round = 0
  #everybody = false
  #withheld = false
  /** Who has changed while nobody was shown. */
  readonly #missed = new Set<string>()
  #readiness: Readiness = 'starting'
  #term = 0
  #number = 0
  /** Places of one term begin behind all of those before it. */
  #termStart = 0

  /** Whether everybody is known and shown. */
  get whole(): boolean {
    return this.#everybody && !this.#withheld
  }

  get withheld(): boolean {
    return this.#withheld
  }

  get readiness(): Readiness {
    return this.whole ? this.#readiness : 'starting'
  }

  /** The last frame that was taken in. */
  get position(): Position {
    return { term: this.#term, number: this.#number }
  }

  get size(): number {
    return this.#withheld ? 0 : this.#rows.size
  }

  ids(): IterableIterator<string> {
    return this.#withheld ? [].values() : this.#rows.keys()
  }

  has(userId: string): boolean {
    return this.#row(userId) !== undefined
  }

  snapshot(userId: string): Snapshot | undefined {
    return this.#row(userId)
  }

  person(userId: string): Person | undefined {
    return this.#row(userId)?.person
  }

  kv(userId: string): ReadonlyMap<string, string> {
    return this.#row(userId)?.kv ?? NO_PAIRS
  }

  account(userId: string): GithubSnapshot | null {
    return this.#row(userId)?.account ?? null
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  onDetail(listener: (userId: string | undefined) => void): () => void {
    this.#detailListeners.add(listener)
    return () => void this.#detailListeners.delete(listener)
  }

  /**
   * Takes a frame in. False when frames before it are missing, or a new term has begun: then there is to be a
   * synchronization, from `begin` on. A frame of an older term, or one that was here before, says nothing.
   */
  apply({ term, number, records }: Frame): boolean {
    if (term < this.#term || (term === this.#term && number <= this.#number)) return true
    const follows = term === this.#term && number === this.#number + 1
    this.#moveTo({ term, number })
    this.#applyAll(records, follows)
    return follows
  }

  /** A synchronization begins, behind that frame. Whom neither a slice nor a frame names until it is complete is gone. */
  begin(position: Position = this.position): void {
    this.#moveTo(position)
    this.#round++
    this.#gone = new Map()
  }

  /** Some people as they are elsewhere. Of another term it says nothing. */
  take({ term, number, records }: Slice): void {
    if (term !== this.#term || this.#gone === null) return
    const place = this.#termStart + sliceAfter(number)
    for (let at = 0; at < records.length; at += LENGTHS.P as number) {
      const [, id = '', json = '', details = ''] = records.slice(at, at + 4)
      this.#takeOne(id, json, details, place)
    }
  }

  /** All slices are in. */
  complete(): void {
    for (const [id, row] of this.#rows) if (row.round !== this.#round) this.#leave(id)
    this.#gone = null
    this.#everybody = true
    this.#tellDetail(undefined)
  }

  /** Shows nobody while what is known cannot be trusted. Nobody is told that anybody left, and afterwards only what changed. */
  withhold(withheld: boolean): void {
    if (this.#withheld === withheld) return
    this.#withheld = withheld
    this.#tellDetail(undefined)
    if (withheld) return
    for (const id of this.#missed) this.#tell({ id, kind: this.#rows.has(id) ? 'changed' : 'left' })
    this.#missed.clear()
  }

  /** Says how much can be told, for when there is nobody else to say it. */
  setReadiness(readiness: Readiness): void {
    if (this.#readiness === readiness) return
    this.#readiness = readiness
    this.#tellDetail(undefined)
  }

  #moveTo({ term, number }: Position): void {
    if (term > this.#term) this.#termStart += this.#number + 1
    this.#term = term
    this.#number = number
  }

  #row(userId: string): Row | undefined {
    return this.#withheld ? undefined : this.#rows.get(userId)
  }

  #applyAll(records: Records, follows: boolean): void {
    const start = this.#termStart + this.#number
    for (let at = 0, index = 0; at < records.length; index++) {
      const kind = records[at] ?? ''
      const place = placeOf(start, index)
      const id = records[at + 1] ?? ''
      if (kind === 'P') this.#putTold(id, records[at + 2] ?? '', records[at + 3] ?? '', place, follows)
      else if (kind === 'S') this.#putQuietly(id, records[at + 2] ?? '', records[at + 3] ?? '', place, follows)
      else if (kind === 'D') this.#remove(id, place)
      else if (kind === 'W') this.withhold(id === 'true')
      else if (kind === 'B') this.setReadiness(readReadiness(id))
      at += LENGTHS[kind] ?? records.length
    }
  }

  /**
   * Somebody has changed. Where something before it may be missing, somebody who looks as they did may have left and come
   * back without a word of that here: nobody is told the same twice.
   */
  #putTold(id: string, json: string, details: string, place: number, follows: boolean): void {
    const known = this.#rows.get(id)
    if (known?.json === json && this.#doubts(known, follows)) this.#confirm(known, details, place)
    else this.#put(id, json, details, place)
  }

  #put(id: string, json: string, details: string, place: number): void {
    const known = this.#rows.get(id)
    if (known !== undefined && known.place >= place) return
    this.#rows.set(id, new Row(id, json, details, place, this.#round))
    this.#tell({ id, kind: known === undefined ? 'joined' : 'changed' })
  }

  /** What stands in the text beyond what was told is filled in; where something may be missing it may be news. */
  #putQuietly(id: string, json: string, details: string, place: number, follows: boolean): void {
    const known = this.#rows.get(id)
    if (known === undefined || known.place >= place) return
    const text = this.#doubts(known, follows) ? known.json : json
    this.#rows.set(id, new Row(id, text, details, place, known.round))
    this.#tellDetail(id)
  }

  /** Whether something of this person may be missing. */
  #doubts({ round }: Row, follows: boolean): boolean {
    return !follows || (this.#gone !== null && round !== this.#round)
  }

  #remove(id: string, place: number): void {
    const known = this.#rows.get(id)
    if (known !== undefined && known.place >= place) return
    this.#gone?.set(id, place)
    if (known !== undefined) this.#leave(id)
  }

  #leave(id: string): void {
    this.#rows.delete(id)
    this.#tell({ id, kind: 'left' })
  }

  #takeOne(id: string, json: string, details: string, place: number): void {
    const known = this.#rows.get(id)
    const before = known?.place ?? this.#gone?.get(id) ?? 0
    if (known?.json === json) this.#confirm(known, details, place)
    else if (before < place) this.#put(id, json, details, place)
  }

  /** Nothing that anybody would be told is different. */
  #confirm(known: Row, details: string, place: number): void {
    const { id, json } = known
    known.round = this.#round
    if (known.place >= place) return
    known.place = place
    if (known.details === details) return
    this.#rows.set(id, new Row(id, json, details, place, this.#round))
    this.#tellDetail(id)
  }

  #tell(change: Change): void {
    if (this.#withheld) this.#missed.add(change.id)
    else for (const listener of this.#listeners) listener(change)
  }

  #tellDetail(id: string | undefined): void {
    for (const listener of this.#detailListeners) listener(id)
  }
}
