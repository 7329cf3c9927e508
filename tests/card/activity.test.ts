import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { drawAnimatedClock } from '../../src/card/activity.ts'
import { clock } from '../../src/domain/words.ts'

const PLACE = { x: 0, baseline: 20, room: 40, size: 11, fill: '#ffffff' }
const SECOND = 1000
const HOUR = 3_600_000

/**
 * What a card that was drawn at `passed` shows so many milliseconds later, told by the rules of SMIL (SVG animations,
 * "discrete" calculation, "freeze"); undefined: as drawn, without any animation.
 */
function shown(passed: number, length: number, later?: number): string {
  const markup = drawAnimatedClock(passed, length, PLACE)
  const columns = [...markup.matchAll(/<g transform="translate\(0 (-?\d+)\)"[^>]*>(.*?)<\/g>/g)]
  if (columns.length === 0) return /<text[^>]*>([^<]*)</.exec(markup)?.[1] ?? ''
  const [minutes, ...rest] = columns.map(([, still = '', inside = '']) => {
    const numbers = Array.from(inside.matchAll(/<text[^>]*>(\d+)</g), ([, number]) => number)
    const [, dur, begin, lasts] =
      / dur="([\d.]+)s" begin="(-?[\d.]+)s" repeatDur="([\d.]+)s"/.exec(inside)?.map(Number) ?? []
    if (later === undefined || dur === undefined || begin === undefined) return numbers[-Number(still) / 20]
    const active = Math.min(later / SECOND - begin, lasts ?? 0)
    return numbers[Math.floor(((active % dur) / dur) * numbers.length)]
  })
  return `${minutes}:${rest.join('')}`
}

describe('a time that goes on by itself', () => {
  test.each([
    [83_000, 187_000, undefined, '1:23'],
    [83_000, 187_000, 0, '1:23'],
    [83_400, 187_000, 500, '1:23'],
    [83_400, 187_000, 700, '1:24'],
    [83_000, 187_000, 7_100, '1:30'],
    [83_000, 187_000, 37_100, '2:00'],
    [83_000, 187_000, 104_000, '3:07'],
    [83_000, 187_000, 500_000, '3:07'],
    [0, 24_000, 500_000, '0:24'],
    [599_000, 720_000, 1_100, '10:00'],
    [24_000, 24_000, 10_000, '0:24'],
    [HOUR + 1000, 2 * HOUR, 10_000, '1:00:01'],
  ])('%d of %d ms shows after %p ms %s', (passed, length, later, expected) => {
    expect(shown(passed, length, later)).toBe(expected)
  })

  test('shows at every moment what a card drawn then would show', () => {
    const whole = fc.integer({ min: 1, max: HOUR - 1 })
    fc.assert(
      fc.property(
        whole,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 2 * HOUR }),
        (length, share, later) => {
          const passed = Math.floor(length * share)
          expect(shown(passed, length)).toBe(clock(passed))
          // Just before and after a digit changes a rounding error may count.
          const then = passed + later
          if (then % SECOND < 5 || then % SECOND > 995) return
          expect(shown(passed, length, later)).toBe(clock(Math.min(then, Math.floor(length / SECOND) * SECOND)))
        },
      ),
    )
  })
})
