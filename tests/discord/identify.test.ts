import { describe, expect, test } from 'bun:test'
import { type GatewayInfo, IdentifyQueue } from '../../src/discord/identify.ts'
import { createLog } from '../../src/lib/log.ts'
import { createManualClock } from './clocks.ts'

const SILENT = createLog({ level: 'silent', format: 'text' })

function createQueue(limits: Partial<GatewayInfo> = {}) {
  const clock = createManualClock()
  const answer = { url: 'wss://x', shards: 1, maxConcurrency: 1, remaining: 1000, resetAt: clock.now(), ...limits }
  let info: GatewayInfo = { ...answer, askedAt: clock.now() }
  let asked = 0
  let unreachable = false
  const queue = new IdentifyQueue({
    info: {
      current: () => info,
      async refresh() {
        asked++
        if (unreachable) throw new Error('unreachable')
        info = { ...answer, askedAt: clock.now() }
      },
    },
    clock,
    log: SILENT,
    intervalMs: 5000,
    freshMs: 60_000,
  })
  const started: number[] = []
  const { signal } = new AbortController()
  return {
    clock,
    queue,
    answer,
    started,
    asked: () => asked,
    cutOff(cut: boolean) {
      unreachable = cut
    },
    identify: (shard: number) => void queue.waitForIdentify(shard, signal).then(() => started.push(shard)),
    /** Lets time pass, and everything that waits for promises happen. */
    async pass(ms: number) {
      for (let step = 0; step < 10; step++) await Promise.resolve()
      clock.advance(ms)
      for (let step = 0; step < 10; step++) await Promise.resolve()
    },
  }
}

describe('shards that identify', () => {
  test('do so one in five seconds', async () => {
    const { identify, started, pass } = createQueue()
    for (const shard of [0, 1, 2]) identify(shard)
    await pass(0)
    expect(started).toHaveLength(1)
    await pass(4999)
    expect(started).toHaveLength(1)
    await pass(1)
    expect(started).toHaveLength(2)
    await pass(5000)
    expect(started.sort()).toEqual([0, 1, 2])
  })

  test('do so at the same time where Discord allows, by bucket', async () => {
    const { identify, started, pass } = createQueue({ maxConcurrency: 2 })
    for (const shard of [0, 1, 2, 3]) identify(shard)
    await pass(0)
    expect(started.sort()).toEqual([0, 1])
    await pass(5000)
    expect(started.sort()).toEqual([0, 1, 2, 3])
  })

  test('ask about the budget only when the answer is old', async () => {
    const { identify, asked, pass } = createQueue()
    identify(0)
    await pass(60_001)
    expect(asked()).toBe(0)
    identify(0)
    await pass(0)
    expect(asked()).toBe(1)
  })

  test('wait when the budget is used up until it is renewed, and ask again before they go on', async () => {
    const { identify, started, answer, asked, pass, clock } = createQueue({ remaining: 2 })
    answer.resetAt = clock.now() + 3_600_000
    for (const shard of [0, 1, 2]) identify(shard)
    await pass(0)
    answer.remaining = 0
    await pass(5000)
    await pass(5000)
    expect(started).toHaveLength(2)
    answer.resetAt += 86_400_000
    answer.remaining = 1000
    await pass(3_589_999)
    expect(started).toHaveLength(2)
    const before = asked()
    await pass(1)
    expect(started).toHaveLength(3)
    expect(asked()).toBe(before + 1)
  })

  test('go by the last answer while Discord gives no other', async () => {
    const { identify, started, cutOff, pass } = createQueue({ remaining: 1 })
    await pass(60_001)
    cutOff(true)
    identify(0)
    identify(1)
    await pass(0)
    await pass(5000)
    expect(started).toHaveLength(1)
    cutOff(false)
    await pass(5000)
    expect(started).toHaveLength(2)
  })

  test('may give up waiting, and leave no timer', async () => {
    const { queue, identify, clock, pass } = createQueue()
    identify(0)
    await pass(0)
    const controller = new AbortController()
    const waiting = queue.waitForIdentify(1, controller.signal).catch((error: Error) => error.message)
    await pass(0)
    expect(clock.pending()).toBe(1)
    controller.abort(new Error('closed'))
    expect(await waiting).toBe('closed')
    expect(clock.pending()).toBe(0)
  })
})
