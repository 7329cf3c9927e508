import type { Socket } from './session.ts'

/**
 * What clients have not read yet. Bun queues it in memory of its own and, asked to bound it (`backpressureLimit`), would
 * also cut off whoever is still downloading a large INIT_STATE: with the next update, or with the answer to a ping. So
 * Bun is told no limit, and the queues are looked at here: after every so many bytes published, which is exact enough.
 */
export interface Backlogs {
  /** So many bytes were queued for each socket at most. Closes sockets whose queue has passed the bound. */
  queued(bytes: number): void
  /** Whether the socket has read enough to be given more. */
  hasRoom(ws: Socket): boolean
  /** A message longer than the bound was sent, or an INIT_STATE: what now waits is no sign of a slow reader. */
  excuse(ws: Socket): void
  /** The socket has read something. */
  drained(ws: Socket): void
  forget(ws: Socket): void
  /** Whether a message longer than the bound may be sent; closes the socket if not. */
  admit(ws: Socket): boolean
  /** Whether queues longer than the bound take all the memory they may. */
  crowded(): boolean
  /**
   * Call every few seconds: closes sockets that have all but stopped reading a large INIT_STATE, and when others wait
   * for the memory also those that take too long over it.
   */
  checkProgress(now: number, othersWait: boolean): void
}

export interface BacklogsDeps {
  sockets: ReadonlySet<Socket>
  /** Bytes that may wait for one socket. */
  maxQueuedBytes: number
  /** Bytes that may wait in queues longer than that, together, when one more is begun. */
  maxInitialBytes: number
  /** Bytes a second at which a large INIT_STATE must be read at least. */
  minReadRate: number
  closeSlow: (ws: Socket, queued: number) => void
}

/** How far a reader has come, at the start of a stretch. Times in milliseconds. */
interface Progress {
  readonly startedAt: number
  readonly queued: number
  readonly at: number
}

const STRETCH = 10_000
const PATIENCE = 15_000

export function createBacklogs(deps: BacklogsDeps): Backlogs {
  const { sockets, maxQueuedBytes, maxInitialBytes, minReadRate, closeSlow } = deps
  const long = new Map<Socket, Progress>()
  const step = maxQueuedBytes / 4
  let unchecked = 0

  function check(ws: Socket): void {
    const queued = ws.getBufferedAmount()
    const { data } = ws
    if (queued < data.excusedBytes) data.excusedBytes = queued
    if (queued > data.excusedBytes + maxQueuedBytes) closeSlow(ws, queued)
  }

  function drained(ws: Socket): void {
    const queued = ws.getBufferedAmount()
    ws.data.excusedBytes = Math.min(ws.data.excusedBytes, queued)
    if (queued <= maxQueuedBytes) long.delete(ws)
  }

  function checkStretch(ws: Socket, { startedAt, ...before }: Progress, queued: number, now: number): void {
    const expected = (minReadRate * (now - before.at)) / 1000
    if (before.queued - queued < expected) closeSlow(ws, queued)
    else long.set(ws, { startedAt, queued, at: now })
  }

  const hasRoom = (ws: Socket) => ws.getBufferedAmount() <= maxQueuedBytes
  const crowded = () => long.keys().reduce((sum, ws) => sum + ws.getBufferedAmount(), 0) >= maxInitialBytes

  return {
    queued(bytes) {
      unchecked += bytes
      if (unchecked < step) return
      unchecked = 0
      // Ten nanoseconds a socket.
      for (const ws of sockets) check(ws)
    },
    hasRoom,
    crowded,
    admit(ws) {
      if (hasRoom(ws) && !crowded()) return true
      closeSlow(ws, ws.getBufferedAmount())
      return false
    },
    excuse(ws) {
      const queued = ws.getBufferedAmount()
      ws.data.excusedBytes = queued
      const now = performance.now()
      if (queued > maxQueuedBytes) long.set(ws, { startedAt: now, queued, at: now })
    },
    drained,
    forget: ws => void long.delete(ws),
    checkProgress(now, othersWait) {
      for (const [ws, progress] of long) {
        const queued = ws.getBufferedAmount()
        if (queued <= maxQueuedBytes) long.delete(ws)
        else if (othersWait && now - progress.startedAt > PATIENCE) closeSlow(ws, queued)
        else if (now - progress.at > STRETCH) checkStretch(ws, progress, queued, now)
      }
    },
  }
}
