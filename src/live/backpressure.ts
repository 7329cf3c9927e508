import type { Quota } from '../lib/quota.ts'
import type { Socket } from './session.ts'

interface BackpressureDeps {
  readonly sockets: ReadonlySet<Socket>
  /** Bytes that wait to be read, over all kinds of answers: each address and together. */
  readonly unread: Quota
  /** Bytes that may wait for one socket. */
  readonly maxQueuedBytes: number
  /** Bytes a second at which a longer message must be read at least. */
  readonly minReadRate: number
  readonly closeSlow: (ws: Socket, queued: number) => void
}

/** How far a reader has come, at the start of a stretch. Times in milliseconds. */
interface Progress {
  readonly startedAt: number
  readonly queued: number
  readonly at: number
}

const STRETCH = 10_000
const PATIENCE = 15_000

/**
 * What clients have not read yet. Bun queues it in memory of its own and, asked to bound it (`backpressureLimit`), would
 * also cut off whoever is still downloading a large INIT_STATE: with the next update, or with the answer to a ping. So
 * Bun is told no limit, and the queues are looked at here: after every so many bytes published, which is exact enough.
 */
export class Backpressure {
  readonly #deps: BackpressureDeps
  /** Those who read a message longer than the bound. */
  readonly #long = new Map<Socket, Progress>()
  readonly #step: number
  #unchecked = 0

  constructor(deps: BackpressureDeps) {
    this.#deps = deps
    this.#step = deps.maxQueuedBytes / 4
  }

  /** So many bytes were queued for each socket at most. Closes sockets whose queue has passed the bound. */
  queued(bytes: number): void {
    this.#unchecked += bytes
    if (this.#unchecked < this.#step) return
    this.#unchecked = 0
    let crowded = false
    // Ten nanoseconds a socket that has read everything.
    for (const ws of this.#deps.sockets) crowded = this.#check(ws) || crowded
    if (crowded) this.#relieve()
  }

  /** Whether the socket has read enough to be given more. */
  hasRoom(ws: Socket): boolean {
    return ws.getBufferedAmount() <= this.#deps.maxQueuedBytes
  }

  /** Whether there is memory for one more long message to the socket. */
  mayStart({ data }: Socket): boolean {
    return this.#deps.unread.room(data.address) > 0
  }

  /** A long message was sent, or an INIT_STATE: what now waits is no sign of a slow reader. */
  excuse(ws: Socket): void {
    const queued = this.#measure(ws)
    ws.data.excused = queued
    const now = performance.now()
    if (queued > this.#deps.maxQueuedBytes) this.#long.set(ws, { startedAt: now, queued, at: now })
  }

  /** The socket has read something. */
  drained(ws: Socket): void {
    if (this.#measure(ws) <= this.#deps.maxQueuedBytes) this.#long.delete(ws)
  }

  forget(ws: Socket): void {
    this.#long.delete(ws)
    this.#deps.unread.add(ws.data.address, -ws.data.unread)
    ws.data.unread = 0
  }

  /**
   * Call every few seconds: closes sockets that have all but stopped reading a long message, and when others wait for
   * the memory also those that take too long over it.
   */
  checkProgress(now: number, othersWait: boolean): void {
    const { maxQueuedBytes, closeSlow } = this.#deps
    for (const [ws, progress] of this.#long) {
      const queued = this.#measure(ws)
      if (queued <= maxQueuedBytes) this.#long.delete(ws)
      else if (othersWait && now - progress.startedAt > PATIENCE) closeSlow(ws, queued)
      else if (now - progress.at > STRETCH) this.#checkStretch(ws, progress, queued, now)
    }
  }

  /** The process stood still until now: for so long nobody could read. */
  resumed(now: number): void {
    for (const ws of this.#long.keys()) this.#long.set(ws, { startedAt: now, queued: this.#measure(ws), at: now })
  }

  #checkStretch(ws: Socket, { startedAt, ...before }: Progress, queued: number, now: number): void {
    const expected = (this.#deps.minReadRate * (now - before.at)) / 1000
    if (before.queued - queued < expected) this.#deps.closeSlow(ws, queued)
    else this.#long.set(ws, { startedAt, queued, at: now })
  }

  /** Brings the sums up to date. Returns the bytes that wait for the socket. */
  #measure(ws: Socket): number {
    const queued = ws.getBufferedAmount()
    const { data } = ws
    if (queued === data.unread) return queued
    this.#deps.unread.add(data.address, queued - data.unread)
    data.unread = queued
    data.excused = Math.min(data.excused, queued)
    return queued
  }

  /** Closes the socket when its queue has passed the bound. Returns whether a sum has. */
  #check(ws: Socket): boolean {
    const queued = this.#measure(ws)
    if (queued === 0) return false
    if (queued > ws.data.excused + this.#deps.maxQueuedBytes) this.#deps.closeSlow(ws, queued)
    return this.#deps.unread.room(ws.data.address) < 0
  }

  /** Where a sum has passed its bound those who read least have to go, until it is within. */
  #relieve(): void {
    const slowest = [...this.#deps.sockets].filter(ws => surplus(ws) > 0).sort((a, b) => surplus(b) - surplus(a))
    for (const ws of slowest) {
      if (this.#deps.unread.room(ws.data.address) < 0) this.#deps.closeSlow(ws, ws.data.unread)
    }
  }
}

const surplus = ({ data }: Socket) => data.unread - data.excused
