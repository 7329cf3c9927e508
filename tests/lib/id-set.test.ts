import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { hashId, IdSet } from '../../src/lib/id-set.ts'

const id = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }).map(String)
/** Few different ones, so that they meet again. */
const known = fc.integer({ min: 1, max: 30 }).map(n => String(BigInt(n) * 2n ** 59n + BigInt(n % 7)))

describe('a set of ids', () => {
  test('does what a set of strings does, in any order of changes', () => {
    const change = fc.tuple(fc.constantFrom('add', 'delete', 'has'), fc.oneof(id, known))
    fc.assert(
      fc.property(fc.array(change, { maxLength: 400 }), changes => {
        const [set, strings] = [new IdSet(), new Set<string>()]
        for (const [kind, id] of changes) {
          const before = strings.has(id)
          if (kind === 'add') strings.add(id)
          if (kind === 'delete') strings.delete(id)
          expect(set[kind as 'add' | 'delete' | 'has'](id)).toBe(kind === 'add' ? !before : before)
          expect(set.size).toBe(strings.size)
        }
        const hashes = [...strings].map(hashId).sort()
        expect([...set.hashes()].sort()).toEqual(hashes as number[])
      }),
    )
  })

  test('holds 20,000 ids that follow each other, and lets go of each', () => {
    const ids = Array.from({ length: 20_000 }, (_, at) => String(94490510688792576n + BigInt(at)))
    const set = new IdSet()
    for (const id of ids) expect(set.add(id)).toBe(true)
    expect(ids.every(id => set.has(id))).toBe(true)
    for (const id of ids) expect(set.delete(id)).toBe(true)
    expect([set.size, ids.some(id => set.has(id))]).toEqual([0, false])
  })

  test.each(['', '0', '00', '01', '-1', '1.5', '1e3', ' 1', 'x', '18446744073709551616', '99999999999999999999'])(
    'cannot hold "%s", which is nobody\'s id',
    text => {
      const set = new IdSet()
      expect([set.add(text), set.has(text), set.delete(text), set.size, hashId(text)]).toEqual([
        false,
        false,
        false,
        0,
        undefined,
      ])
    },
  )

  test('tells ids apart whose halves are alike', () => {
    const set = new IdSet()
    for (const one of [1n, 2n ** 32n, 2n ** 32n + 1n, 2n ** 64n - 1n]) expect(set.add(String(one))).toBe(true)
    expect(set.has(String(2n ** 33n))).toBe(false)
  })
})
