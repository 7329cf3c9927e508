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

/** `id` and presence as an entry of a map; nothing for who is not shown. */
function entry(presences: Presences, id: string): string {
  const snapshot = presences.snapshot(id)
  return snapshot === undefined ? '' : `"${id}":${snapshot.json}`
}

/** Concatenation makes a rope of the presences' own texts, which is laid out flat once, when it is sent. */
function entries(presences: Presences, ids: Iterable<string>): string {
  let text = ''
  for (const id of ids) {
    const one = entry(presences, id)
    if (one !== '') text += text === '' ? one : `,${one}`
  }
  return text
}

/**
 * A large INIT_STATE while it is made, a little at a time. It is told of changes, so that what it gives is how people are
 * at the moment it gives it.
 */
export interface Making {
  /** Goes on until this time (`performance.now()`), or the end. Returns whether it has come to the end. */
  advance(until: number): boolean
  changed(change: Change): void
  /** Call when `advance` has just come to the end. A socket that has seen a number as large gets one with another. */
  state(lastNumber: number): InitialState
}

/** What is kept between two who ask, if nothing has changed. */
class Shared {
  #made: InitialState | null = null

  outdated(): void {
    this.#made = null
  }

  get(lastNumber: number, make: () => InitialState): InitialState {
    if (this.#made === null || this.#made.seq <= lastNumber) this.#made = make()
    return this.#made
  }
}

/** People looked at between two looks at the clock. */
const STRIDE = 16
/** Presences that are made anew at the end, together, rather than one round later. */
const FEW_CHANGES = 500

/** As text: presences are texts already, kept by who owns them, so all there is to do is to have each made. */
class PlainMaking implements Making {
  readonly #presences: Presences
  readonly #publisher: Publisher
  readonly #ids: () => Iterable<string>
  readonly #shared = new Shared()
  #rest: Iterator<string>
  #changes = 0

  constructor(presences: Presences, publisher: Publisher, ids: () => Iterable<string>) {
    this.#presences = presences
    this.#publisher = publisher
    this.#ids = ids
    this.#rest = [...ids()].values()
  }

  advance(until: number): boolean {
    if (this.#changes > FEW_CHANGES) {
      this.#changes = 0
      this.#rest = [...this.#ids()].values()
    }
    while (performance.now() < until) {
      for (let count = 0; count < STRIDE; count++) {
        const { done, value } = this.#rest.next()
        if (done) return true
        this.#presences.snapshot(value)
      }
    }
    return false
  }

  changed(): void {
    this.#changes++
    this.#shared.outdated()
  }

  state(lastNumber: number): InitialState {
    return this.#shared.get(lastNumber, () => {
      const seq = this.#publisher.next()
      return { seq, data: initStateFrame(seq, `{${entries(this.#presences, this.#ids())}}`) }
    })
  }
}

/** People of one piece: the fewer, the less is made anew when one of them changes. */
const PIECE_PEOPLE = 16
/** Characters after which a piece is long enough. */
const PIECE_LENGTH = 64 * 1024
/** Milliseconds after which what changes all the time is made to its end in one go. */
const LONGEST_MAKING = 10_000

const COMMA = storedPiece(',')
const END = storedPiece('}}')

interface Part {
  readonly ids: readonly string[]
  piece: Piece | null
}

/** As a zlib stream in pieces of a few people each; a piece is made anew when one of them has changed. */
class CompressedMaking implements Making {
  readonly #presences: Presences
  readonly #publisher: Publisher
  /** Whether who joins belongs to it. */
  readonly #everybody: boolean
  readonly #ids: string[]
  readonly #parts: Part[] = []
  readonly #partOf = new Map<string, Part>()
  readonly #stale = new Set<Part>()
  readonly #shared = new Shared()
  #next = 0
  /** When the present work was begun; null when there is none. */
  #startedAt: number | null = null

  constructor(presences: Presences, publisher: Publisher, ids: Iterable<string>, everybody: boolean) {
    this.#presences = presences
    this.#publisher = publisher
    this.#everybody = everybody
    this.#ids = [...ids]
  }

  advance(until: number): boolean {
    this.#startedAt ??= performance.now()
    const end = Math.max(until, this.#startedAt + LONGEST_MAKING)
    while (this.#next < this.#ids.length || this.#stale.size > 0) {
      if (performance.now() >= until && performance.now() < end) return false
      const [stale] = this.#stale
      if (this.#next < this.#ids.length) this.#makePart()
      else if (stale !== undefined) this.#remake(stale)
    }
    this.#startedAt = null
    return true
  }

  changed({ id, kind }: Change): void {
    this.#shared.outdated()
    const part = this.#partOf.get(id)
    if (part !== undefined) this.#stale.add(part)
    // Who left and came back is in the list twice; the second time they have a part.
    else if (this.#everybody && kind === 'joined') this.#ids.push(id)
  }

  state(lastNumber: number): InitialState {
    return this.#shared.get(lastNumber, () => {
      const seq = this.#publisher.next()
      const pieces = this.#parts.flatMap(({ piece }) => (piece === null ? [] : [COMMA, piece]))
      const head = storedPiece(initStateFrame(seq, '{').slice(0, -1))
      return { seq, data: joinPieces([head, ...pieces.slice(1), END]) }
    })
  }

  #makePart(): void {
    const ids: string[] = []
    let text = ''
    while (ids.length < PIECE_PEOPLE && text.length < PIECE_LENGTH) {
      const id = this.#ids[this.#next++]
      if (id === undefined) break
      if (this.#partOf.has(id)) continue
      const one = entry(this.#presences, id)
      if (one !== '') text += text === '' ? one : `,${one}`
      ids.push(id)
    }
    const part = { ids, piece: text === '' ? null : deflatePiece(text) }
    for (const id of ids) this.#partOf.set(id, part)
    this.#parts.push(part)
  }

  #remake(part: Part): void {
    this.#stale.delete(part)
    const text = entries(this.#presences, part.ids)
    part.piece = text === '' ? null : deflatePiece(text)
  }
}

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
  begin(zlib: boolean, follow: Exclude<Follow, { kind: 'followOne' }>): Making {
    const everybody = follow.kind === 'followAll'
    const known = everybody ? this.#everybody.get(zlib) : undefined
    if (known !== undefined) return known
    const ids = () => (everybody ? this.#presences.ids() : follow.ids)
    const making = zlib
      ? new CompressedMaking(this.#presences, this.#publisher, ids(), everybody)
      : new PlainMaking(this.#presences, this.#publisher, ids)
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
