import { describe, expect, test } from 'bun:test'
import { spend } from '../../src/lib/token-bucket.ts'

describe('the frame allowance', () => {
  test('lets a burst through, then so many a second', () => {
    const allowance = { tokens: 120, heardAt: 0 }
    const frame = (now: number) => spend(allowance, now, 120, 2)
    for (let i = 0; i < 120; i++) expect(frame(0)).toBe(true)
    expect(frame(0)).toBe(false)
    expect(frame(499)).toBe(false)
    expect(frame(501)).toBe(true)
    expect(frame(502)).toBe(false)
    expect(frame(1501)).toBe(true)
    expect(frame(1501)).toBe(true)
    expect(frame(1501)).toBe(false)
  })

  test('never saves up more than the burst', () => {
    const allowance = { tokens: 120, heardAt: 0 }
    const hour = 3_600_000
    let frames = 0
    while (spend(allowance, hour, 120, 2)) frames++
    expect(frames).toBe(120)
  })

  test('notes when the client was last heard', () => {
    const allowance = { tokens: 0, heardAt: 0 }
    spend(allowance, 100, 120, 2)
    expect(allowance.heardAt).toBe(100)
  })
})
