import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { measure, truncate } from '../../src/card/text.ts'

describe('the width of a text', () => {
  test.each([
    ['iiii', 'mmmm'],
    ['ada', 'ada lovelace'],
    ['abc', 'ABC'],
    ['abc', '北の灯'],
    ['a', '🌱'],
  ])('of %p is less than of %p', (narrow, wide) => {
    expect(measure(narrow, 10)).toBeLessThan(measure(wide, 10))
  })

  test.each([
    ['é', 'e'],
    ['e\u0301\u0302\u0303', 'e'],
    ['👩‍👩‍👧‍👦', '👩'],
    ['🇫🇷', '👩'],
    ['a\u200b', 'a'],
  ])('of %p is that of %p', (one, other) => {
    expect(measure(one, 10)).toBe(measure(other, 10))
  })

  test('is greater in bold and in proportion to the size', () => {
    expect(measure('word', 10, 'bold')).toBeGreaterThan(measure('word', 10))
    expect(measure('word', 20)).toBe(2 * measure('word', 10))
  })
})

describe('a text in a line', () => {
  test('stays whole where it fits', () => {
    expect(truncate('ada', 100, 13)).toBe('ada')
  })

  test('ends in … where it does not', () => {
    expect(truncate('a long walk along the river', 80, 13)).toMatch(/^a long .*\S…$/)
    expect(truncate('anything', 0, 13)).toBe('…')
  })

  test('is not cut inside what people see as one character', () => {
    expect(truncate('👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦', 50, 20)).toBe('👩‍👩‍👧‍👦…')
  })

  test('never needs more room than there is, and loses nothing before the end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 20, max: 300 }), (text, room) => {
        const shown = truncate(text, room, 13)
        expect(measure(shown, 13)).toBeLessThanOrEqual(room + 1e-6)
        expect(text).toStartWith(shown.replace(/…$/, ''))
      }),
    )
  })
})
