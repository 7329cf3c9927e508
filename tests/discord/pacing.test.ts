import { describe, expect, spyOn, test } from 'bun:test'
import { kindsOf, Pauses } from '../../src/discord/pauses.ts'
import { backoffMs } from '../../src/discord/retry.ts'
import { UnknownMembers } from '../../src/discord/unknown-members.ts'
import { createStoppableClock, pause, systemClock } from '../../src/lib/clock.ts'
import { createLog } from '../../src/lib/log.ts'
import { createSendBudget } from '../../src/lib/token-bucket.ts'
import { createManualClock } from './clocks.ts'

describe('the back-off', () => {
  const backoff = { firstMs: 1000, longestMs: 30_000 }

  test('does not wait after no failure', () => {
    expect(backoffMs(0, backoff)).toBe(0)
  })

  test('doubles with every failure and stays at the longest wait', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 500].map(failures => backoffMs(failures, backoff, () => 1))
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  })

  test('is spread over half its length, so that nobody comes back in step', () => {
    expect(backoffMs(3, backoff, () => 0)).toBe(2000)
  })
})

describe('the send budget', () => {
  test('lets a burst through and then one an interval, never 120 in a minute', () => {
    const budget = createSendBudget(15, 650)
    const sent: number[] = []
    for (let now = 0; now < 180_000; now += 10) {
      if (budget.freeAt() > now) continue
      budget.spend(now)
      sent.push(now)
    }
    expect(sent.filter(at => at === 0).length + sent.filter(at => at > 0 && at <= 140).length).toBe(15)
    const busiest = Math.max(...sent.map(from => sent.filter(at => at >= from && at < from + 60_000).length))
    expect(busiest).toBeLessThanOrEqual(108)
    expect(sent.length).toBeGreaterThan(250)
  })
})

describe('unknown', () => {
  test('are gathered for a while and asked about together, one guild at a time', () => {
    const unknown = new UnknownMembers(1000, 60_000)
    unknown.add('1', '10', 0)
    unknown.add('1', '11', 10)
    unknown.add('2', '12', 20)
    expect(unknown.take(999)).toBeUndefined()
    expect(unknown.nextAt()).toBe(1000)
    expect(unknown.take(1000)).toEqual({ guildId: '1', userIds: ['10', '11'] })
    expect(unknown.take(1000)).toBeUndefined()
    expect(unknown.take(1020)).toEqual({ guildId: '2', userIds: ['12'] })
    expect(unknown.nextAt()).toBe(Number.POSITIVE_INFINITY)
  })

  test('are not asked about again within the time given, and are after it', () => {
    const unknown = new UnknownMembers(0, 60_000)
    unknown.add('1', '10', 0)
    unknown.take(0)
    expect(unknown.add('1', '10', 59_999)).toBe(true)
    expect(unknown.take(59_999)).toBeUndefined()
    unknown.add('1', '10', 60_000)
    expect(unknown.take(60_000)).toEqual({ guildId: '1', userIds: ['10'] })
  })

  test('go out at once when a hundred have gathered, a hundred at a time', () => {
    const unknown = new UnknownMembers(1000, 60_000)
    for (let id = 1; id <= 150; id++) unknown.add('1', String(id), 0)
    expect(unknown.take(0)?.userIds).toHaveLength(100)
    expect(unknown.take(0)).toBeUndefined()
    expect(unknown.take(1000)?.userIds).toHaveLength(50)
  })

  test('are refused when there are too many to remember', () => {
    const unknown = new UnknownMembers(1000, 60_000)
    for (let id = 1; id <= 20_000; id++) unknown.add('1', String(id), 0)
    expect(unknown.add('1', '20001', 0)).toBe(false)
    expect(unknown.add('1', '20001', 60_000)).toBe(true)
  })
})

describe('a pause', () => {
  test('ends with its signal, and leaves no timer', async () => {
    const clock = createManualClock()
    const controller = new AbortController()
    const waiting = pause(clock, 60_000, controller.signal)
    controller.abort(new Error('enough'))
    expect(waiting).rejects.toThrow('enough')
    expect(clock.pending()).toBe(0)
    expect(pause(clock, 1, controller.signal)).rejects.toThrow('enough')
  })

  test('ends when the time is up', async () => {
    const clock = createManualClock()
    const waiting = pause(clock, 60_000, new AbortController().signal)
    clock.advance(60_000)
    await waiting
  })
})

describe('a clock', () => {
  test('that was stopped runs nothing any more', () => {
    const manual = createManualClock()
    const clock = createStoppableClock(manual)
    let runs = 0
    clock.after(10, () => runs++)
    clock.stop()
    clock.after(10, () => runs++)
    manual.advance(1000)
    expect(runs).toBe(0)
    expect(manual.pending()).toBe(0)
  })

  test('never asks a timer for more than it can count, which would fire at once', () => {
    const timer = spyOn(globalThis, 'setTimeout')
    systemClock.after(2 ** 40, () => {})()
    systemClock.after(-5, () => {})()
    const waits = timer.mock.calls.map(([, ms]) => ms)
    timer.mockRestore()
    expect(waits).toEqual([2 ** 31 - 1, 0])
  })
})

describe('a pause that Discord asked for', () => {
  test('is over in its time though the clock is set back an hour meanwhile', async () => {
    const clock = createManualClock()
    let back = 0
    const setBack = { ...clock, now: () => clock.now() - back }
    const pauses = new Pauses({ log: createLog({ level: 'silent', format: 'text' }), clock: setBack })
    const kinds = kindsOf('GET', '/api/v10/users/1')
    pauses.keep({ status: 429, headers: new Headers({ 'Retry-After': '5' }), body: {} }, kinds)
    back = 3_600_000
    const turn = pauses.turn(kinds, Number.POSITIVE_INFINITY, new AbortController().signal)
    clock.advance(5000)
    expect(await turn).toBeFunction()
  })
})
