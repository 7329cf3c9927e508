import type { Presences, Snapshot } from '../domain/presences.ts'
import type { Bytes } from '../lib/bytes.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { Counter } from '../lib/metrics.ts'
import type { Backpressure } from './backpressure.ts'
import type { Precedence, Turns } from './fair-queue.ts'
import { deflatePiece, joinPieces, type Piece, storedPiece } from './frame.ts'
import { updateParts } from './protocol.ts'
import type { Publisher } from './publisher.ts'
import type { Socket } from './session.ts'
import { follows } from './subscriptions.ts'

interface LongUpdatesDeps {
  readonly presences: Pick<Presences, 'snapshot'>
  readonly publisher: Publisher
  readonly sockets: ReadonlySet<Socket>
  readonly backpressure: Backpressure
  readonly turns: Turns
  readonly precedence: Precedence
  readonly outbound: Counter
  readonly clock?: Clock
}

/**
 * A person's pairs can make megabytes. Published to thousands at once they would take all memory, and keep everybody
 * waiting; so such a presence goes to one socket after the other, in turns, to each when it has taken the last, and then
 * as it is at that moment.
 */
export class LongUpdates {
  readonly #deps: LongUpdatesDeps
  readonly #clock: Clock
  /** Whose newest presence each socket has not been sent yet. */
  readonly #owed = new Map<Socket, Set<string>>()
  /** Compressed, without what differs between messages: as long as the presence is the same. */
  readonly #bodies = new WeakMap<Snapshot, Piece>()
  #sending: NodeJS.Immediate | undefined

  constructor(deps: LongUpdatesDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    deps.turns.onOpen(() => this.#send())
  }

  /** The person has changed, and is long. */
  note(id: string): void {
    for (const ws of this.#deps.sockets) {
      if (!follows(ws.data, id)) continue
      const ids = this.#owed.get(ws)
      if (ids === undefined) this.#owed.set(ws, new Set([id]))
      else ids.add(id)
    }
    this.resume()
  }

  /** A socket has read something, or closed. */
  resume(): void {
    if (this.#owed.size > 0) this.#sending ??= setImmediate(() => this.#send())
  }

  forget(ws: Socket): void {
    this.#owed.delete(ws)
  }

  /** Everybody who follows this person is sent how they are now in another way. */
  settled(id: string): void {
    for (const ws of this.#owed.keys()) this.told(ws, [id])
  }

  /** The socket is sent how these people are now in another way; null: all of them. */
  told(ws: Socket, told: readonly string[] | null): void {
    const ids = this.#owed.get(ws)
    if (ids === undefined) return
    for (const id of told ?? [...ids]) ids.delete(id)
    if (ids.size === 0) this.#owed.delete(ws)
  }

  /** Whether somebody is not sent anything because others hold the memory for it. */
  get crowded(): boolean {
    return this.#owed.keys().some(ws => !this.#deps.backpressure.mayStart(ws))
  }

  stop(): void {
    clearImmediate(this.#sending)
  }

  #send(): void {
    this.#sending = undefined
    if (this.#owed.size === 0) return
    const { turns, precedence, backpressure } = this.#deps
    for (const [ws, ids] of precedence.order(this.#owed)) {
      if (!turns.open) return
      const [id] = ids
      if (id === undefined || !backpressure.hasRoom(ws) || !backpressure.mayStart(ws)) continue
      ids.delete(id)
      if (ids.size === 0) this.#owed.delete(ws)
      this.#sendTo(ws, id)
    }
  }

  #sendTo(ws: Socket, id: string): void {
    const { presences, publisher, backpressure, turns, precedence, outbound } = this.#deps
    const startedAt = this.#clock.monotonic()
    const snapshot = follows(ws.data, id) ? presences.snapshot(id) : undefined
    if (snapshot === undefined || ws.readyState !== WebSocket.OPEN) return
    publisher.made(snapshot)
    const seq = publisher.next()
    const parts = updateParts(seq, hasUserId(ws, id) ? id : null, snapshot.json)
    if (ws.data.zlib) ws.sendBinary(this.#compressed(snapshot, parts))
    else ws.sendText(parts.join(''))
    ws.data.lastNumber = seq
    backpressure.excuse(ws)
    outbound.inc()
    turns.took(startedAt)
    precedence.served(ws)
  }

  #compressed(snapshot: Snapshot, [head, fields, end]: readonly [string, string, string]): Bytes {
    const body = this.#bodies.get(snapshot) ?? deflatePiece(fields)
    this.#bodies.set(snapshot, body)
    return joinPieces([storedPiece(head), body, storedPiece(end)])
  }
}

const hasUserId = ({ data }: Socket, id: string) => data.all || (data.many?.has(id) ?? false)
