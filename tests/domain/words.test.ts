import { describe, expect, test } from 'bun:test'
import { ago, clock, lasting, remaining, span } from '../../src/domain/words.ts'

describe('a length of time', () => {
  test.each([
    [-5, '0:00'],
    [59_999, '0:59'],
    [61_000, '1:01'],
    [3_600_000, '1:00:00'],
    [90_000_000, '1 d 1 h'],
    [86_400_000 * 20, '20 d'],
  ])('of %d ms is %s on a clock', (milliseconds, shown) => expect(clock(milliseconds)).toBe(shown))

  test.each([
    [-5, undefined],
    [Number.NaN, undefined],
    [59_999, undefined],
    [60_000, '1 min'],
    [7_260_000, '2 h 1 min'],
    [86_400_000, '1 d'],
    [90_000_000, '1 d 1 h'],
    [86_400_000 * 400 + 3_600_000, '400 d'],
  ])('of %d ms is %p to the minute', (milliseconds, shown) => {
    expect(span(milliseconds)).toBe(shown)
    expect(ago(milliseconds)).toBe(shown === undefined ? 'just now' : `${shown} ago`)
    expect(lasting(milliseconds)).toBe(shown === undefined ? 'just now' : `for ${shown}`)
  })

  test.each([
    [-1, ''],
    [0, ''],
    [Number.NaN, ''],
    [1000, 'under a minute left'],
    [300_000, '5 min left'],
  ])('of %d ms that is left is told as %p', (milliseconds, shown) => expect(remaining(milliseconds)).toBe(shown))
})
