import { describe, expect, test } from 'bun:test'
import { Limits, PACE, UNDER_WAY } from '../../src/bot/limits.ts'

/** Limits with a clock that is set by hand. */
function withClock() {
  const clock = { now: 0 }
  return { clock, limits: new Limits({ monotonic: () => clock.now }) }
}

const many = (count: number, act: () => unknown) => Array.from({ length: count }, act)

describe('the pace of one person', () => {
  test('allows a burst, warns once, then ignores', () => {
    const { limits } = withClock()
    expect(many(PACE.burst, () => limits.pace('a'))).toEqual(many(PACE.burst, () => 'ok'))
    expect(many(3, () => limits.pace('a'))).toEqual(['warn', 'ignore', 'ignore'])
    expect(limits.pace('b')).toBe('ok')
  })

  test('allows a steady rate after the burst', () => {
    const { clock, limits } = withClock()
    many(PACE.burst + 2, () => limits.pace('a'))
    const outcomes = many(10, () => {
      clock.now += 1000 / PACE.perSecond
      return [limits.pace('a'), limits.pace('a')]
    })
    expect(outcomes).toEqual(many(10, () => ['ok', 'ignore']))
  })

  test('warns again after a rest', () => {
    const { clock, limits } = withClock()
    many(PACE.burst + 2, () => limits.pace('a'))
    clock.now += 3_600_000
    expect(many(PACE.burst + 2, () => limits.pace('a')).slice(-3)).toEqual(['ok', 'warn', 'ignore'])
  })

  test('is kept for a crowd of any size without forgetting those who are over it', () => {
    const { clock, limits } = withClock()
    many(PACE.burst + 1, () => limits.pace('a'))
    for (let person = 0; person < 30_000; person++) {
      clock.now = person / 10
      limits.pace(String(person))
    }
    clock.now = 3000
    expect([limits.pace('a'), limits.pace('a'), limits.pace('a'), limits.pace('a')]).toEqual([
      'ok',
      'ok',
      'ok',
      'ignore',
    ])
  })
})

describe('commands under way', () => {
  test('are bounded in one place and altogether, and places come back', () => {
    const { limits } = withClock()
    const here = many(UNDER_WAY.perPlace, () => limits.enter('here')) as (() => void)[]
    expect(limits.enter('here')).toBeNull()
    for (let place = 0; place < UNDER_WAY.total - UNDER_WAY.perPlace; place++) limits.enter(String(place))
    expect(limits.enter('elsewhere')).toBeNull()
    here[0]?.()
    expect(limits.enter('here')).toBeFunction()
    expect(limits.enter('here')).toBeNull()
  })
})

describe('a muted channel', () => {
  test('is left alone for a minute', () => {
    const { clock, limits } = withClock()
    limits.mute('a')
    expect([limits.isMuted('a'), limits.isMuted('b')]).toEqual([true, false])
    clock.now += 60_000
    expect(limits.isMuted('a')).toBe(false)
  })
})
