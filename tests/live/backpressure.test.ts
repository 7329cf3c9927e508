import { describe, expect, test } from 'bun:test'
import { Quota } from '../../src/lib/quota.ts'
import { Backpressure } from '../../src/live/backpressure.ts'
import { createSession, type Socket } from '../../src/live/session.ts'

/** Stands in for Bun's sockets: only their queues and sessions are looked at. */
function queues(bounds: { perAddress?: number; total?: number } = {}) {
  const closed: Socket[] = []
  const sockets = new Set<Socket>()
  const unread = new Quota({ perAddress: 100_000, total: 21_000, ...bounds })
  const socket = (queued: number, address = '192.0.2.1') => {
    const made = { queued, data: createSession('', address, 0), getBufferedAmount: () => made.queued }
    sockets.add(made as unknown as Socket)
    return made as typeof made & Socket
  }
  const closeSlow = (ws: Socket) => {
    closed.push(ws)
    sockets.delete(ws)
    backpressure.forget(ws)
  }
  const backpressure = new Backpressure({ sockets, unread, maxQueuedBytes: 1000, minReadRate: 10, closeSlow })
  return { closed, socket, backpressure, unread }
}

describe('the bound of a queue', () => {
  test('is looked at after every quarter of it', () => {
    const { closed, socket, backpressure } = queues()
    const ws = socket(1001)
    backpressure.queued(249)
    expect(closed).toEqual([])
    backpressure.queued(1)
    expect(closed).toEqual([ws])
  })

  test('grows by what is left of the last long message, and shrinks as it is read', () => {
    const { closed, socket, backpressure } = queues({ total: 100_000 })
    const ws = socket(50_000)
    backpressure.excuse(ws)
    ws.queued = 51_000
    backpressure.queued(1000)
    ws.queued = 20_000
    backpressure.drained(ws)
    ws.queued = 21_000
    backpressure.queued(1000)
    expect(closed).toEqual([])
    ws.queued = 21_001
    backpressure.queued(1000)
    expect(closed).toEqual([ws])
  })

  test('is no excuse to stop reading', () => {
    const { closed, socket, backpressure } = queues({ total: 1_000_000 })
    const [stuck, moving, done] = [socket(50_000), socket(50_000), socket(50_000)]
    for (const ws of [stuck, moving, done]) backpressure.excuse(ws)
    const start = performance.now()
    backpressure.checkProgress(start + 9_000, false)
    expect(closed).toEqual([])
    stuck.queued -= 10
    moving.queued -= 1000
    done.queued = 0
    backpressure.checkProgress(start + 11_000, false)
    expect(closed).toEqual([stuck])
    moving.queued -= 1
    backpressure.checkProgress(start + 15_000, false)
    expect(closed).toEqual([stuck])
    backpressure.checkProgress(start + 22_000, false)
    expect(closed).toEqual([stuck, moving])
  })

  test('leaves fifteen seconds for a long message when others wait for the memory', () => {
    const { closed, socket, backpressure } = queues()
    const ws = socket(50_000)
    backpressure.excuse(ws)
    const start = performance.now()
    ws.queued = 30_000
    backpressure.checkProgress(start + 14_000, true)
    ws.queued = 10_000
    backpressure.checkProgress(start + 16_000, false)
    expect(closed).toEqual([])
    backpressure.checkProgress(start + 16_000, true)
    expect(closed).toEqual([ws])
  })

  test('counts no time in which the process stood still', () => {
    const { closed, socket, backpressure } = queues()
    const ws = socket(50_000)
    backpressure.excuse(ws)
    const start = performance.now()
    backpressure.resumed(start + 75_000)
    backpressure.checkProgress(start + 77_000, true)
    expect(closed).toEqual([])
    backpressure.checkProgress(start + 91_000, true)
    expect(closed).toEqual([ws])
  })
})

describe('the sum of all queues', () => {
  test('is bounded for each address: those of it who read least are closed, and only as many as that takes', () => {
    const { closed, socket, backpressure, unread } = queues({ perAddress: 2000 })
    const [small, large, larger] = [socket(700), socket(800), socket(900)]
    const other = socket(950, '192.0.2.2')
    backpressure.queued(1000)
    expect(closed).toEqual([larger])
    expect([unread.heldBy('192.0.2.1'), unread.heldBy('192.0.2.2')]).toEqual([1500, 950])
    small.queued = 0
    large.queued = 1000
    other.queued = 1000
    backpressure.queued(1000)
    expect(closed).toEqual([larger])
  })

  test('is bounded over all addresses', () => {
    const { closed, socket, backpressure, unread } = queues({ total: 2500 })
    const crowd = Array.from({ length: 4 }, (_, at) => socket(700 + at, `192.0.2.${at}`))
    backpressure.queued(1000)
    expect(closed).toEqual(crowd.slice(3))
    expect(unread.held).toBe(2103)
  })

  test('holds long messages, too: another is begun while there is room, and none is closed for being long', () => {
    const { closed, socket, backpressure } = queues({ total: 10_000 })
    const [reader, other] = [socket(0), socket(0, '192.0.2.2')]
    expect(backpressure.mayStart(other)).toBe(true)
    reader.queued = 15_000
    backpressure.excuse(reader)
    expect(backpressure.mayStart(other)).toBe(false)
    backpressure.queued(1000)
    expect(closed).toEqual([])
    reader.queued = 9_000
    backpressure.drained(reader)
    expect(backpressure.mayStart(other)).toBe(true)
  })
})
