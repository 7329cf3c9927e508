import { describe, expect, test } from 'bun:test'
import { Budget } from '../../src/github/budget.ts'
import { createTestClock, HOUR, MINUTE, SECOND } from './support.ts'

function open() {
  const clock = createTestClock()
  const budget = new Budget(clock)
  const start = clock.now()
  return {
    clock,
    budget,
    /** Milliseconds from now until the background may ask. */
    background: () => budget.backgroundFrom() - clock.now(),
    observe: (status: number, headers: Record<string, unknown> = {}) =>
      budget.observe({
        status,
        headers: new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])),
        body: undefined,
      }),
    /** Headers of a window that ends an hour after the test began. */
    window: (limit: number, remaining: number) => ({
      'x-ratelimit-limit': limit,
      'x-ratelimit-remaining': remaining,
      'x-ratelimit-reset': Math.ceil((start + HOUR) / SECOND),
    }),
  }
}

describe('the budget', () => {
  test('lets everybody ask before anything is known', () => {
    const { budget, background } = open()
    expect(budget.wait()).toBe(0)
    expect(background()).toBeLessThanOrEqual(0)
    expect(budget.remaining()).toBeNaN()
  })

  test('spreads what is left over the rest of the hour, but for a tenth of the limit', () => {
    const { observe, background, window } = open()
    observe(200, window(60, 59))
    expect(background() / SECOND).toBeCloseTo(3600 / 53, 0)
  })

  test('lets the background ask four times a second at most, also where GitHub has no limits', () => {
    const { observe, background, window } = open()
    observe(200)
    expect(background()).toBe(250)
    observe(200, window(5_000_000, 4_999_999))
    expect(background()).toBe(250)
  })

  test('keeps the last tenth for people who wait', () => {
    const { budget, observe, background, window } = open()
    observe(200, window(60, 6))
    expect(background()).toBe(HOUR)
    expect(budget.wait()).toBe(0)
  })

  test('lets nobody ask when nothing is left, until the window is over', async () => {
    const { clock, budget, observe, window } = open()
    observe(200, window(60, 0))
    expect(budget.wait()).toBe(HOUR)
    await clock.advance(HOUR)
    expect(budget.wait()).toBe(0)
    expect(budget.remaining()).toBe(60)
  })

  test.each([403, 429])('obeys retry-after of a %p', status => {
    const { budget, observe, background, window } = open()
    observe(status, { ...window(5000, 4990), 'retry-after': 90 })
    expect(budget.wait()).toBe(90 * SECOND)
    expect(background()).toBe(90 * SECOND)
  })

  test('waits until the window is over when a refusal says that nothing is left', () => {
    const { budget, observe, window } = open()
    observe(403, window(60, 0))
    expect(budget.wait()).toBe(HOUR)
  })

  test('waits a minute after a refusal without a hint, and longer after each further one', () => {
    const { budget, observe } = open()
    const waits = Array.from({ length: 8 }, () => {
      observe(403)
      return budget.wait() / MINUTE
    })
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  })

  test('never waits longer than a day, whatever a header says', () => {
    const { budget, observe } = open()
    observe(429, { 'retry-after': 999_999_999_999 })
    expect(budget.wait()).toBe(24 * HOUR)
  })

  test.each([['nonsense'], ['-5'], ['1e9'], ['']])('takes retry-after %p for none', text => {
    const { budget, observe } = open()
    observe(429, { 'retry-after': text })
    expect(budget.wait()).toBe(MINUTE)
  })

  test('believes no window that ends in the past or later than windows do', () => {
    const { clock, budget, observe } = open()
    const ending = (at: number) => ({
      'x-ratelimit-limit': 60,
      'x-ratelimit-remaining': 0,
      'x-ratelimit-reset': Math.round(at / SECOND),
    })
    observe(200, ending(clock.now() - HOUR))
    expect(budget.wait()).toBe(SECOND)
    observe(200, ending(clock.now() + 1000 * HOUR))
    expect(budget.wait()).toBe(61 * MINUTE)
  })

  test('holds only the background back during an outage, longer each time, until it is over', () => {
    const { budget, background } = open()
    const pauses = Array.from({ length: 9 }, () => {
      budget.failed()
      return background() / SECOND
    })
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 900, 900])
    expect(budget.wait()).toBe(0)
    budget.succeeded()
    budget.failed()
    expect(background()).toBe(10 * SECOND)
  })
})
