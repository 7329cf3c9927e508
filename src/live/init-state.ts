import type { Change, Presences } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import { deflate, deflatePiece, joinPieces, type Piece, storedPiece } from './frame.ts'
import { type Follow, initStateFrame } from './protocol.ts'
import type { Publisher } from './publisher.ts'

/** An INIT_STATE and its number: text, or one zlib stream. */
export interface InitialState {
  readonly seq: number
  readonly data: string | Bytes
}

/** Entries of a map, from id to presence; who is not shown is left out. */
function entries(presences: Presences, ids: Iterable<string>): string {
  // Concatenation makes a rope of the presences' own texts, which is laid out flat once, when it is sent.
  let text = ''
  for (const id of ids) {
    const snapshot = presences.snapshot(id)
    if (snapshot !== undefined) text += `${text === '' ? '' : ','}"${id}":${snapshot.json}`
  }
  return text
}

/** People of one part: the fewer, the less is made anew when one of them changes. */
const PART_PEOPLE = 16
/** Milliseconds after which what changes all the time is made to its end in one go. */
const LONGEST_MAKING = 10_000

const COMMA = storedPiece(',')
const END = storedPiece('}}')

/** A few people: their entries as text, or compressed. */
interface Part {
  readonly ids: readonly string[]
  text: string
  piece: Piece | null
}

/**
 * A large INIT_STATE while it is made, a little at a time, in parts of a few people each. It is told of changes, and makes
 * anew what they are part of, so that what it gives is how people are at the moment it gives it.
 */
export class Making {
  readonly #presences: Presences
  readonly #publisher: Publisher
  readonly #zlib: boolean
  /** Whether who joins belongs to it. */
  readonly #everybody: boolean
  readonly #ids: string[]
  readonly #parts: Part[] = []
  readonly #partOf = new Map<string, Part>()
  readonly #stale = new Set<Part>()
  #next = 0
  /** When the present work was begun; null when there is none. */
  #startedAt: number | null = null
  /** What was given last, for others who ask before anything changes. */
  #made: InitialState | null = null

  constructor(presences: Presences, publisher: Publisher, zlib: boolean, follow: FollowSome) {
    this.#presences = presences
    this.#publisher = publisher
    this.#zlib = zlib
    this.#everybody = follow.kind === 'followAll'
    this.#ids = [...(follow.kind === 'followAll' ? presences.ids() : follow.ids)]
  }

  /** Makes one part, and goes on until this time (`performance.now()`) or the end. Returns whether it is at the end. */
  advance(until: number): boolean {
    this.#startedAt ??= performance.now()
    const end = this.#startedAt + LONGEST_MAKING
    for (let now = this.#startedAt; this.#step(); now = performance.now()) if (now >= until && now < end) return false
    this.#startedAt = null
    return true
  }

  /** Returns whether there is more to do. */
  #step(): boolean {
    const [stale] = this.#stale
    if (this.#next < this.#ids.length) this.#addPart()
    else if (stale !== undefined) this.#make(stale)
    return this.#next < this.#ids.length || this.#stale.size > 0
  }

  changed({ id, kind }: Change): void {
    this.#made = null
    const part = this.#partOf.get(id)
    if (part !== undefined) this.#stale.add(part)
    // Who left and came back is in the list twice; the second time they have a part.
    else if (this.#everybody && kind === 'joined') this.#ids.push(id)
  }

  /** Call when `advance` has just come to the end. A socket that has seen a number as large gets one with another. */
  state(lastNumber: number): InitialState {
    if (this.#made === null || this.#made.seq <= lastNumber) {
      const seq = this.#publisher.next()
      this.#made = { seq, data: this.#zlib ? this.#compressed(seq) : this.#plain(seq) }
    }
    return this.#made
  }

  #plain(seq: number): string {
    let text = ''
    for (const part of this.#parts) if (part.text !== '') text += text === '' ? part.text : `,${part.text}`
    return initStateFrame(seq, `{${text}}`)
  }

  #compressed(seq: number): Bytes {
    const pieces = this.#parts.flatMap(({ piece }) => (piece === null ? [] : [COMMA, piece]))
    const head = storedPiece(initStateFrame(seq, '{').slice(0, -1))
    return joinPieces([head, ...pieces.slice(1), END])
  }

  #addPart(): void {
    const ids: string[] = []
    while (ids.length < PART_PEOPLE && this.#next < this.#ids.length) {
      const id = this.#ids[this.#next++] ?? ''
      if (!this.#partOf.has(id)) ids.push(id)
    }
    const part = { ids, text: '', piece: null }
    for (const id of ids) this.#partOf.set(id, part)
    this.#parts.push(part)
    this.#make(part)
  }

  #make(part: Part): void {
    this.#stale.delete(part)
    const text = entries(this.#presences, part.ids)
    if (!this.#zlib) part.text = text
    else part.piece = text === '' ? null : deflatePiece(text)
  }
}

type FollowSome = Exclude<Follow, { kind: 'followOne' }>
type FollowNamed = Exclude<Follow, { kind: 'followAll' }>

/** Makes what an op 2 is answered with. */
export class InitialStates {
  readonly #presences: Presences
  readonly #publisher: Publisher
  /** Of everybody, plain and compressed: shared by all who ask while one is made, or before something changes. */
  readonly #everybody = new Map<boolean, Making>()
  /** Of some people, each for the one socket that asked. */
  readonly #others = new Set<Making>()

  constructor(presences: Presences, publisher: Publisher) {
    this.#presences = presences
    this.#publisher = publisher
  }

  /** Every change, before anything is told of it. */
  changed(change: Change): void {
    for (const making of this.#everybody.values()) making.changed(change)
    for (const making of this.#others) making.changed(change)
  }

  /** What is told of one or some, as JSON: a presence, `{}` for somebody unknown; or a map by id, unknown ids left out. */
  body(follow: FollowNamed): string {
    if (follow.kind === 'followMany') return `{${entries(this.#presences, follow.ids)}}`
    const snapshot = follow.id === null ? undefined : this.#presences.snapshot(follow.id)
    return snapshot?.json ?? '{}'
  }

  /** At once. */
  small(zlib: boolean, body: string): InitialState {
    const seq = this.#publisher.next()
    const text = initStateFrame(seq, body)
    return { seq, data: zlib ? deflate(text) : text }
  }

  /** A little at a time, for some or all. */
  begin(zlib: boolean, follow: FollowSome): Making {
    const everybody = follow.kind === 'followAll'
    const known = everybody ? this.#everybody.get(zlib) : undefined
    if (known !== undefined) return known
    const making = new Making(this.#presences, this.#publisher, zlib, follow)
    if (everybody) this.#everybody.set(zlib, making)
    else this.#others.add(making)
    return making
  }

  /** One that was begun is not needed any more; that of everybody may be, by others. */
  end(making: Making): void {
    this.#others.delete(making)
  }

  /** Nobody is there to share that of everybody with: frees the memory. */
  forget(): void {
    this.#everybody.clear()
  }
}
