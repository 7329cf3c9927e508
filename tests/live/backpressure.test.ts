import { describe, expect, test } from 'bun:test'
import { createBacklogs } from '../../src/live/backpressure.ts'
import { createSession, type Socket } from '../../src/live/session.ts'

describe('the bounds of a queue', () => {
  /** Stands in for Bun's socket: only its queue and session are looked at. */
  function queues() {
    const closed: Socket[] = []
    const sockets = new Set<Socket>()
    const socket = (queued: number) => {
      const made = { queued, data: createSession(false, '', 0), getBufferedAmount: () => made.queued }
      sockets.add(made as unknown as Socket)
      return made as typeof made & Socket
    }
    const closeSlow = (ws: Socket) => {
      closed.push(ws)
      sockets.delete(ws)
      backlogs.forget(ws)
    }
    const backlogs = createBacklogs({
      sockets,
      maxQueuedBytes: 1000,
      maxInitialBytes: 21_000,
      minReadRate: 10,
      closeSlow,
    })
    return { closed, socket, backlogs }
  }

  test('are looked at after every quarter of the bound', () => {
    const { closed, socket, backlogs } = queues()
    const ws = socket(1001)
    backlogs.queued(249)
    expect(closed).toEqual([])
    backlogs.queued(1)
    expect(closed).toEqual([ws])
  })

  test('grow by what is left of the last initial state, and shrink as it is read', () => {
    const { closed, socket, backlogs } = queues()
    const ws = socket(50_000)
    backlogs.excuse(ws)
    ws.queued = 51_000
    backlogs.queued(1000)
    ws.queued = 20_000
    backlogs.drained(ws)
    ws.queued = 21_000
    backlogs.queued(1000)
    expect(closed).toEqual([])
    expect(backlogs.crowded()).toBe(true)
    ws.queued = 21_001
    backlogs.queued(1000)
    expect(closed).toEqual([ws])
    expect(backlogs.crowded()).toBe(false)
  })

  test('are no excuse to stop reading', () => {
    const { closed, socket, backlogs } = queues()
    const [stuck, moving, done] = [socket(50_000), socket(50_000), socket(50_000)]
    for (const ws of [stuck, moving, done]) backlogs.excuse(ws)
    const start = performance.now()
    backlogs.checkProgress(start + 9_000, false)
    expect(closed).toEqual([])
    stuck.queued -= 10
    moving.queued -= 1000
    done.queued = 0
    backlogs.checkProgress(start + 11_000, false)
    expect(closed).toEqual([stuck])
    moving.queued -= 1
    backlogs.checkProgress(start + 15_000, false)
    expect(closed).toEqual([stuck])
    backlogs.checkProgress(start + 22_000, false)
    expect(closed).toEqual([stuck, moving])
  })

  test('leave fifteen seconds when others wait for the memory', () => {
    const { closed, socket, backlogs } = queues()
    const ws = socket(50_000)
    backlogs.excuse(ws)
    const start = performance.now()
    ws.queued = 30_000
    backlogs.checkProgress(start + 14_000, true)
    ws.queued = 10_000
    backlogs.checkProgress(start + 16_000, false)
    expect(closed).toEqual([])
    backlogs.checkProgress(start + 16_000, true)
    expect(closed).toEqual([ws])
  })
})
