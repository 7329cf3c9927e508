import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { KvChange } from '../../src/domain/kv.ts'
import { KV_LIMITS } from '../../src/domain/kv-limits.ts'
import type { Past } from '../../src/domain/timeline.ts'
import type { Store } from '../../src/store/sqlite.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'

const put = (pairs: Record<string, string>): KvChange => ({ kind: 'put', pairs: new Map(Object.entries(pairs)) })
const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, String(at)]))

/** What every store must do, whatever it is made of. */
export function storeContract(name: string, open: (maxPairsMib?: number) => Store): void {
  describe(name, () => {
    let store: Store
    beforeEach(() => {
      store = open()
    })
    afterEach(() => store.close())

    const pairsOf = (userId: string) => Object.fromEntries(new Map(store.loadPairs()).get(userId) ?? [])
    const keys = () => new Map(store.loadKeys())
    const absences = () => new Map(store.loadAbsences())

    describe('pairs', () => {
      test('come back as they were put, in the order in which they were first set', async () => {
        await store.changePairs(ANN, put({ z: '1', a: '2' }))
        await store.changePairs(ANN, put({ m: '3', z: '4' }))
        expect([...(new Map(store.loadPairs()).get(ANN) ?? [])]).toEqual([
          ['z', '4'],
          ['a', '2'],
          ['m', '3'],
        ])
      })

      test('keep every character: empty, NUL, line ends, astral, byte order marks, names of object members', async () => {
        const pairs = new Map([
          ['empty', ''],
          ['odd', '\0a\r\n\ufeffb\u{1f600}\u2028'],
          ['__proto__', 'p'],
          ['constructor', 'c'],
        ])
        await store.changePairs(ANN, { kind: 'put', pairs })
        expect(new Map(store.loadPairs()).get(ANN)).toEqual(pairs)
      })

      test('belong to one person each', async () => {
        await store.changePairs(ANN, put({ a: '1' }))
        await store.changePairs(BEN, put({ a: '2' }))
        await store.changePairs(ANN, { kind: 'clear' })
        expect(pairsOf(ANN)).toEqual({})
        expect(pairsOf(BEN)).toEqual({ a: '2' })
      })

      test('tell whether anything was stored or removed', async () => {
        expect(await store.changePairs(ANN, put({ a: '1' }))).toBe(true)
        expect(await store.changePairs(ANN, put({ a: '1' }))).toBe(true)
        expect(await store.changePairs(ANN, put({}))).toBe(false)
        expect(await store.changePairs(ANN, { kind: 'delete', key: 'b' })).toBe(false)
        expect(await store.changePairs(ANN, { kind: 'delete', key: 'a' })).toBe(true)
        expect(await store.changePairs(ANN, { kind: 'clear' })).toBe(false)
        await store.changePairs(ANN, put({ a: '1' }))
        expect(await store.changePairs(ANN, { kind: 'clear' })).toBe(true)
      })

      test('are at most 512 a person, counted with what is there already', async () => {
        await store.changePairs(ANN, put(numbered(KV_LIMITS.keys)))
        await store.changePairs(BEN, put({ a: '1' }))
        await store.changePairs(ANN, put({ k0: 'overwritten' }))
        const refused = store.changePairs(ANN, put({ k1: 'not this either', oneMore: '1' }))
        await expect(refused).rejects.toMatchObject({
          code: 'kv_validation_failed',
          message: expect.stringContaining('512'),
        })
        await refused.catch(() => {})
        expect(pairsOf(ANN)).toEqual({ ...numbered(KV_LIMITS.keys), k0: 'overwritten' })
      })

      test('of concurrent writers are all kept, and a refused write takes no other along', async () => {
        await store.changePairs(ANN, put(numbered(KV_LIMITS.keys - 1)))
        const results = await Promise.allSettled([
          store.changePairs(ANN, put({ last: '1' })),
          store.changePairs(ANN, put({ tooMany: '1' })),
          store.changePairs(BEN, put({ a: '1' })),
          store.changePairs(ANN, { kind: 'delete', key: 'k0' }),
          store.changePairs(ANN, put({ fits: '1' })),
        ])
        expect(results.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'fulfilled',
          'fulfilled',
          'fulfilled',
        ])
        const { k0: _, ...rest } = numbered(KV_LIMITS.keys - 1)
        expect(pairsOf(ANN)).toEqual({ ...rest, last: '1', fits: '1' })
        expect(pairsOf(BEN)).toEqual({ a: '1' })
      })

      test('settle in the order of the calls', async () => {
        const order: number[] = []
        await Promise.allSettled(
          Array.from({ length: 900 }, (_, at) => {
            const change: KvChange = at % 90 === 0 ? put(numbered(513)) : put({ a: String(at) })
            return store.changePairs(ANN, change).then(
              () => order.push(at),
              () => order.push(at),
            )
          }),
        )
        expect(order).toEqual(Array.from({ length: 900 }, (_, at) => at))
        expect(pairsOf(ANN)).toEqual({ a: '899' })
      })
    })

    describe('pairs of everybody together', () => {
      const BIG = 'x'.repeat(30_000)
      const full = { status: 507, code: 'storage_full', message: expect.stringContaining('1 MiB') }
      const bigs = (from: number, to: number) =>
        Object.fromEntries(Array.from({ length: to - from }, (_, at) => [`big${from + at}`, BIG]))
      beforeEach(async () => {
        await store.close()
        store = open(1)
      })

      test('are bounded in bytes: a write that would exceed that is refused whole, whoever writes', async () => {
        await store.changePairs(ANN, put(bigs(0, 30)))
        await expect(store.changePairs(BEN, put({ small: '1', ...bigs(0, 5) }))).rejects.toMatchObject(full)
        expect(pairsOf(BEN)).toEqual({})
        await store.changePairs(BEN, put(bigs(0, 4)))
        await expect(store.changePairs(ANN, put({ another: BIG }))).rejects.toMatchObject(full)
      })

      test('count in bytes, not in characters', async () => {
        await expect(
          store.changePairs(ANN, put({ a: '\u{1f600}'.repeat(30_000), ...bigs(0, 32) })),
        ).rejects.toMatchObject(full)
        await store.changePairs(ANN, put({ a: 'x'.repeat(30_000), ...bigs(0, 32) }))
      })

      test('count what a pair takes besides its characters', async () => {
        const people = Array.from({ length: 20 }, (_, at) => String(600_000_000_000_000_000n + BigInt(at)))
        const results = await Promise.allSettled(people.map(id => store.changePairs(id, put(numbered(512)))))
        const kept = results.filter(({ status }) => status === 'fulfilled')
        expect(kept.length).toBeGreaterThan(10)
        expect(kept.length).toBeLessThan(17)
      })

      test('make room when they are deleted, overwritten, cleared, erased or swept', async () => {
        const fill = () => store.changePairs(ANN, put(bigs(0, 34)))
        const more = () => store.changePairs(BEN, put({ more: BIG }))
        await fill()
        await expect(more()).rejects.toMatchObject(full)
        for (const makeRoom of [
          () => store.changePairs(ANN, { kind: 'delete', key: 'big3' }),
          () => store.changePairs(ANN, put({ big4: 'short' })),
          () => store.changePairs(ANN, { kind: 'clear' }),
          () => store.erase(ANN),
          async () => {
            await store.storeAbsence(ANN, 1)
            return store.removeAbsent(ANN, 1)
          },
        ]) {
          await makeRoom()
          await more()
          await store.changePairs(BEN, { kind: 'delete', key: 'more' })
          await fill()
          await expect(more()).rejects.toMatchObject(full)
        }
      })

      test('may always become less, and stay as large as they are', async () => {
        await store.changePairs(ANN, put(bigs(0, 34)))
        await store.changePairs(ANN, put({ big0: 'y'.repeat(30_000), big1: '' }))
        expect(pairsOf(ANN)).toEqual({ ...bigs(0, 34), big0: 'y'.repeat(30_000), big1: '' })
      })

      test('are counted right after a write that was refused for another reason', async () => {
        const tooMany = { ...numbered(512), ...bigs(0, 30) }
        for (let at = 0; at < 5; at++) {
          await expect(store.changePairs(ANN, put(tooMany))).rejects.toMatchObject({ code: 'kv_validation_failed' })
        }
        await store.changePairs(ANN, put(bigs(0, 34)))
      })

      test('that are imported stay within it as well', async () => {
        const { added, overBudget } = await store.importPairs(ANN, new Map(Object.entries(bigs(0, 40))))
        expect([added.length, overBudget.length]).toEqual([34, 6])
      })
    })

    describe('histories', () => {
      const ended = (at: number, name = `game ${at}`): Past => ({
        kind: 'activity',
        at,
        until: at + 1,
        name,
        applicationId: null,
      })
      const ongoing = { at: 5, status: { value: 'idle', at: 1, seen: true }, track: null, activities: [] } as const
      const save = (userId: string, since: number, past: readonly Past[]) =>
        store.saveState(() => ({
          people: new Map(),
          sessions: null,
          history: { at: 7, parts: [{ userId, since, ongoing, ended: past }] },
        }))
      const histories = () => [...store.loadHistories()]

      test('are there with what goes on and what has ended, and when they were saved', async () => {
        expect([histories(), store.historiesSavedAt()]).toEqual([[], null])
        await store.storeConsent(ANN, 1)
        expect(histories()).toEqual([{ userId: ANN, since: 1, ongoing: null }])
        await save(ANN, 1, [ended(1), ended(2)])
        await save(ANN, 1, [ended(3)])
        expect(histories()).toEqual([{ userId: ANN, since: 1, ongoing }])
        expect(store.loadPast(ANN)).toEqual([ended(1), ended(2), ended(3)])
        expect(store.historiesSavedAt()).toBe(7)
      })

      test('are kept of nobody without a consent, nor what belongs to an earlier one', async () => {
        await save(BEN, 1, [ended(1)])
        await store.storeConsent(ANN, 1)
        await save(ANN, 1, [ended(1)])
        await store.storeConsent(ANN, 2)
        await save(ANN, 1, [ended(2)])
        expect([histories(), store.loadPast(ANN), store.loadPast(BEN)]).toEqual([
          [{ userId: ANN, since: 2, ongoing: null }],
          [],
          [],
        ])
      })

      test('end with the consent, and with the person', async () => {
        for (const end of [() => store.endConsent(ANN), () => store.erase(ANN)]) {
          await store.storeConsent(ANN, 1)
          await save(ANN, 1, [ended(1)])
          await end()
          await save(ANN, 1, [ended(2)])
          expect([histories(), store.loadPast(ANN)]).toEqual([[], []])
        }
      })

      test('hold the 2,000 newest of a person, whoever else has more', async () => {
        await store.storeConsent(ANN, 1)
        await store.storeConsent(BEN, 1)
        await save(BEN, 1, [ended(1)])
        await save(
          ANN,
          1,
          Array.from({ length: 1500 }, (_, at) => ended(at)),
        )
        await save(
          ANN,
          1,
          Array.from({ length: 1500 }, (_, at) => ended(1500 + at)),
        )
        const kept = store.loadPast(ANN)
        expect([kept.length, kept[0], kept.at(-1)]).toEqual([2000, ended(1000), ended(2999)])
        expect(store.loadPast(BEN)).toEqual([ended(1)])
      })

      test('lose what ended before a time', async () => {
        await store.storeConsent(ANN, 1)
        await save(ANN, 1, [ended(1), ended(5), ended(9)])
        await store.prunePast(6)
        expect(store.loadPast(ANN)).toEqual([ended(5), ended(9)])
      })

      test('of the absent are known without any pairs, and removed with them', async () => {
        await store.storeConsent(ANN, 1)
        await save(ANN, 1, [ended(1)])
        expect(absences()).toEqual(new Map([[ANN, null]]))
        await store.storeAbsence(ANN, 3)
        expect(await store.removeAbsent(ANN, 3)).toBe(true)
        expect([histories(), store.loadPast(ANN), absences()]).toEqual([[], [], new Map()])
      })
    })

    describe('keys', () => {
      test('are one a person: a new one replaces the old', async () => {
        await store.replaceKeys(ANN, 'hash1')
        await store.replaceKeys(BEN, 'hash2')
        await store.replaceKeys(ANN, 'hash3')
        expect(keys()).toEqual(
          new Map([
            ['hash2', BEN],
            ['hash3', ANN],
          ]),
        )
      })

      test('can be deleted', async () => {
        await store.replaceKeys(ANN, 'hash1')
        await store.replaceKeys(BEN, 'hash2')
        await store.deleteKeys(ANN)
        expect(keys()).toEqual(new Map([['hash2', BEN]]))
      })

      test('that are imported live side by side and follow what is imported next', async () => {
        expect(await store.importKeys(ANN, new Set(['old1', 'old2']))).toBe('added')
        expect(await store.importKeys(ANN, new Set(['old1', 'old2']))).toBe('unchanged')
        expect(await store.importKeys(ANN, new Set(['old2', 'old3']))).toBe('added')
        expect([...keys().keys()].sort()).toEqual(['old2', 'old3'])
      })

      test('that were replaced or revoked are not brought back by an import', async () => {
        await store.importKeys(ANN, new Set(['old']))
        await store.replaceKeys(ANN, 'new')
        expect(await store.importKeys(ANN, new Set(['old', 'other']))).toBe('kept')
        expect(keys()).toEqual(new Map([['new', ANN]]))

        await store.importKeys(BEN, new Set(['ben']))
        await store.deleteKeys(BEN)
        expect(await store.importKeys(BEN, new Set(['ben']))).toBe('kept')
        expect(keys()).toEqual(new Map([['new', ANN]]))
      })
    })

    describe('imported pairs', () => {
      test('are added, and never overwrite what is there', async () => {
        await store.changePairs(ANN, put({ mine: 'new', same: '1' }))
        const imported = await store.importPairs(ANN, new Map(Object.entries({ mine: 'old', same: '1', more: '2' })))
        expect(imported).toEqual({
          added: ['more'],
          unchanged: ['same'],
          kept: ['mine'],
          overLimit: [],
          overBudget: [],
        })
        expect(pairsOf(ANN)).toEqual({ mine: 'new', same: '1', more: '2' })
      })

      test('beyond 512 are named and left out', async () => {
        await store.changePairs(ANN, put(numbered(KV_LIMITS.keys - 1)))
        const imported = await store.importPairs(ANN, new Map(Object.entries({ a: '1', b: '2', k0: '0' })))
        expect(imported).toEqual({ added: ['a'], unchanged: ['k0'], kept: [], overLimit: ['b'], overBudget: [] })
      })
    })

    describe('privacy', () => {
      test('remembers who is hidden', async () => {
        await store.storeHidden(ANN, true)
        await store.storeHidden(ANN, true)
        await store.storeHidden(BEN, true)
        await store.storeHidden(BEN, false)
        expect([...store.loadHidden()]).toEqual([ANN])
      })

      test('remembers who wants to be shown, until they are erased', async () => {
        for (const userId of [ANN, ANN, BEN]) await store.storeOptIn(userId)
        expect([...store.loadOptIns()].sort()).toEqual([ANN, BEN])
        await store.erase(ANN)
        expect([...store.loadOptIns()]).toEqual([BEN])
      })

      test('erases one person, all but the wish to be hidden', async () => {
        for (const userId of [ANN, BEN]) {
          await store.changePairs(userId, put({ a: '1' }))
          await store.storeAbsence(userId, 1)
          await store.importKeys(userId, new Set([`imported ${userId}`]))
          await store.deleteKeys(userId)
          await store.replaceKeys(userId, `hash ${userId}`)
          await store.storeHidden(userId, true)
        }
        await store.erase(ANN)
        expect([...new Map(store.loadPairs()).keys()]).toEqual([BEN])
        expect([...keys().values()]).toEqual([BEN])
        expect([...absences().keys()]).toEqual([BEN])
        expect([...store.loadHidden()].sort()).toEqual([ANN, BEN])
        expect(await store.importKeys(ANN, new Set([`imported ${ANN}`]))).toBe('added')
      })
    })

    describe('absences', () => {
      test('are known for people with pairs, until they are back or change a pair', async () => {
        await store.changePairs(ANN, put({ a: '1' }))
        await store.changePairs(BEN, put({ a: '1' }))
        expect(absences()).toEqual(new Map([ANN, BEN].map(userId => [userId, null])))
        await store.storeAbsence(ANN, 1_700_000_000_000)
        await store.storeAbsence(BEN, 5)
        expect(absences().get(ANN)).toBe(1_700_000_000_000)
        await store.storeAbsence(ANN, null)
        await store.changePairs(BEN, { kind: 'delete', key: 'no such key' })
        expect(absences()).toEqual(new Map([ANN, BEN].map(userId => [userId, null])))
      })

      test('lead to removal only while they are the same absence', async () => {
        await store.changePairs(ANN, put({ a: '1', b: '2' }))
        await store.storeAbsence(ANN, 5)
        expect(await store.removeAbsent(ANN, 4)).toBe(false)
        const [written, removed] = await Promise.all([
          store.changePairs(ANN, put({ c: '3' })),
          store.removeAbsent(ANN, 5),
        ])
        expect([written, removed]).toEqual([true, false])
        await store.storeAbsence(ANN, 6)
        expect(await store.removeAbsent(ANN, 6)).toBe(true)
        expect(pairsOf(ANN)).toEqual({})
        expect(absences().size).toBe(0)
      })
    })

    test('refuses writes once it is closed, and can be closed twice', async () => {
      const pending = store.changePairs(ANN, put({ a: '1' }))
      await store.close()
      expect(await pending).toBe(true)
      await expect(store.changePairs(ANN, put({ a: '2' }))).rejects.toMatchObject({
        code: 'storage_unavailable',
        status: 503,
      })
      await store.close()
    })
  })
}
