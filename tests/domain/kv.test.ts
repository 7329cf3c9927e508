import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { kvJson } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'

const ANN = '100000000000000001'
const KEY_MESSAGE = 'key must be alphanumeric (a-zA-Z0-9_)'

let store: Store
let presences: PresenceStore
let kv: Kv
beforeEach(() => {
  store = openStore(':memory:', { log: silent })
  presences = new PresenceStore()
  kv = createKv(store, presences)
})
afterEach(() => store.close())

const shown = (userId = ANN) => new Map(presences.kv(userId))
const stored = (userId = ANN) => new Map(new Map(store.loadPairs()).get(userId))

describe('a pair', () => {
  const refused: [what: string, key: string, value: string, code: string, message: string][] = [
    ['an empty key', '', 'v', 'kv_validation_failed', KEY_MESSAGE],
    ['a key with a dash', 'a-b', 'v', 'kv_validation_failed', KEY_MESSAGE],
    ['a key with a line end', 'a\n', 'v', 'kv_validation_failed', KEY_MESSAGE],
    ['a key of other letters', 'é', 'v', 'kv_validation_failed', KEY_MESSAGE],
    ['a key of 255 astral characters', '\u{1f600}'.repeat(255), 'v', 'kv_validation_failed', KEY_MESSAGE],
    ['a key of 256 characters', 'k'.repeat(256), 'v', 'kv_validation_failed', 'key must be 255 characters or less'],
    [
      'a value of 30,001 characters',
      'k',
      'v'.repeat(30_001),
      'kv_validation_failed',
      'value must be 30000 characters or less',
    ],
    [
      'a value of 30,001 astral characters',
      'k',
      '\u{1f600}'.repeat(30_001),
      'kv_validation_failed',
      'value must be 30000 characters or less',
    ],
    ['half a character', 'k', 'a\ud800b', 'invalid_kv_value', 'value must be valid Unicode'],
  ]
  test.each(refused)('is refused with %s, put or merged, and nothing changes', async (_, key, value, code, message) => {
    await kv.put(ANN, 'before', '1')
    const error = { status: 400, code, message }
    await expect(kv.put(ANN, key, value)).rejects.toMatchObject(error)
    const wanted = new Map([
      ['good', '1'],
      [key, value],
    ])
    await expect(kv.merge(ANN, Object.fromEntries(wanted))).rejects.toMatchObject(error)
    expect(await kv.delete(ANN, 'none')).toBe(false)
    expect(shown()).toEqual(new Map([['before', '1']]))
    expect(stored()).toEqual(shown())
  })

  const kept: [what: string, key: string, value: string][] = [
    ['a key of 255 characters', 'k'.repeat(255), 'v'],
    ['a value of 30,000 characters', 'k', 'v'.repeat(30_000)],
    ['a value of 30,000 astral characters', 'k', '\u{1f600}'.repeat(30_000)],
    ['an empty value', 'k', ''],
    ['the name of an object member', '__proto__', 'v'],
    ['the name of another object member', 'constructor', 'v'],
  ]
  test.each(kept)('may have %s', async (_, key, value) => {
    await kv.put(ANN, key, value)
    expect(shown()).toEqual(new Map([[key, value]]))
    expect(stored()).toEqual(shown())
  })
})

describe('a live key', () => {
  let keys: Keys
  let guarded: Kv
  beforeEach(() => {
    keys = new Keys(store)
    guarded = createKv(store, presences, keys)
  })

  test.each<[string, (key: string) => Promise<void>]>([
    ['a value', key => guarded.put(ANN, 'a', `my key: ${key}`)],
    ['one of many values', key => guarded.merge(ANN, { a: '1', b: key })],
    ['the name of a pair', key => guarded.put(ANN, key, '1')],
  ])('is never %s: nothing is stored, and it is revoked', async (_, write) => {
    // The name of a pair has no dash in it, and a key may.
    let key = await issueKey(keys, ANN)
    while (key.includes('-')) key = await issueKey(keys, ANN)
    const heard: unknown[] = []
    keys.onExposed((...what) => heard.push(what))
    await expect(write(key)).rejects.toMatchObject({ status: 400, code: 'invalid_kv_value' })
    expect(keys.ownerOf(hashKey(key))).toBeUndefined()
    expect(heard).toEqual([[[ANN], 'a key-value pair']])
    expect([[...presences.kv(ANN)], [...store.loadPairs()]]).toEqual([[], []])
    await store.deleteKeys('0')
    expect([...store.loadKeys()]).toEqual([])
  })
})

describe('a merge', () => {
  test.each([
    [null],
    [undefined],
    ['text'],
    [7],
    [true],
    [[]],
    [['a']],
    [{ a: 1 }],
    [{ a: null }],
    [{ a: 'x', b: {} }],
  ])('of %j is refused: it is no object of strings', async body => {
    await expect(kv.merge(ANN, body)).rejects.toMatchObject({
      status: 400,
      code: 'invalid_kv_value',
      message: 'body must be an object',
    })
    expect(shown().size).toBe(0)
  })

  test('of nothing is fine and tells nobody', async () => {
    let told = 0
    presences.putMember('1', { user: { id: ANN, username: 'ann' } })
    presences.onChange(() => void told++)
    await kv.merge(ANN, {})
    expect(told).toBe(0)
  })

  test('over the key limit changes nothing', async () => {
    await kv.merge(ANN, Object.fromEntries(Array.from({ length: 512 }, (_, at) => [`k${at}`, ''])))
    await expect(kv.merge(ANN, { k0: 'changed', more: '1' })).rejects.toMatchObject({
      code: 'kv_validation_failed',
      message: 'request would exceed key limit (512), please delete keys first',
    })
    await kv.merge(ANN, { k1: 'changed' })
    expect(shown().size).toBe(512)
    expect(shown().get('k0')).toBe('')
    expect(shown().get('k1')).toBe('changed')
  })
})

describe('listeners', () => {
  test('hear of every write that stores something, and of no deletion of what is not there', async () => {
    let told = 0
    presences.putMember('1', { user: { id: ANN, username: 'ann' } })
    presences.onChange(() => void told++)
    const changes = async (work: () => Promise<unknown>) => {
      told = 0
      await work()
      return told
    }
    expect(await changes(() => kv.put(ANN, 'a', '1'))).toBe(1)
    expect(await changes(() => kv.put(ANN, 'a', '1'))).toBe(1)
    expect(await changes(() => kv.merge(ANN, { b: '2', c: '3' }))).toBe(1)
    expect(await changes(() => kv.delete(ANN, 'no'))).toBe(0)
    expect(await changes(() => kv.delete(ANN, 'not a key!'))).toBe(0)
    expect(await changes(() => kv.delete(ANN, 'a'))).toBe(1)
    expect(await changes(() => kv.clear(ANN))).toBe(1)
    expect(await changes(() => kv.clear(ANN))).toBe(0)
  })

  test('never hear of a write before it is stored', async () => {
    presences.putMember('1', { user: { id: ANN, username: 'ann' } })
    const seen: boolean[] = []
    presences.onChange(() => void seen.push(stored().get('a') === presences.kv(ANN).get('a')))
    await Promise.all([kv.put(ANN, 'a', '1'), kv.put(ANN, 'b', '2')])
    expect(seen).toEqual([true, true])
  })
})

test('what was stored is shown again by a new process, in the same order', async () => {
  await kv.merge(ANN, { z: '1', a: '2' })
  await kv.put(ANN, 'm', '3')
  const next = new PresenceStore()
  createKv(store, next)
  expect([...next.kv(ANN)]).toEqual([...presences.kv(ANN)])
})

describe('whatever is written', () => {
  const anyKey = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_]{1,12}$/),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'a'.repeat(255), 'a'.repeat(256), ''),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  const anyValue = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.constant('\udc00'))

  test('a single pair is either stored exactly as it is or refused, by the stated rules', async () => {
    await fc.assert(
      fc.asyncProperty(anyKey, anyValue, async (key, value) => {
        await kv.clear(ANN)
        const allowed = /^[A-Za-z0-9_]{1,255}$/.test(key) && value.isWellFormed()
        const taken = await kv.put(ANN, key, value).then(
          () => true,
          () => false,
        )
        expect(taken).toBe(allowed)
        expect(shown()).toEqual(new Map(allowed ? [[key, value]] : []))
      }),
      { numRuns: 150 },
    )
  })

  test('a merged body of any JSON is stored whole or not at all', async () => {
    const body = fc.oneof(fc.jsonValue(), fc.dictionary(anyKey, fc.oneof(anyValue, fc.jsonValue())))
    await fc.assert(
      fc.asyncProperty(body, async sent => {
        await kv.clear(ANN)
        const json = JSON.parse(JSON.stringify(sent))
        const taken = await kv.merge(ANN, json).then(
          () => true,
          error => {
            expect(error).toMatchObject({
              status: 400,
              code: expect.stringMatching(/^(invalid_kv_value|kv_validation)/),
            })
            return false
          },
        )
        expect(shown()).toEqual(taken ? new Map(Object.entries(json)) : new Map())
      }),
      { numRuns: 150 },
    )
  })

  test('memory and store agree after any mixture of concurrent writes', async () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      fc.record({ kind: fc.constant('put' as const), key, value: fc.string() }),
      fc.record({ kind: fc.constant('merge' as const), pairs: fc.dictionary(key, fc.string()) }),
      fc.record({ kind: fc.constant('delete' as const), key }),
      fc.record({ kind: fc.constant('clear' as const) }),
      fc.record({ kind: fc.constant('refused' as const), key }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        await Promise.allSettled(
          steps.map(wanted => {
            if (wanted.kind === 'put') return kv.put(ANN, wanted.key, wanted.value)
            if (wanted.kind === 'merge') return kv.merge(ANN, wanted.pairs)
            if (wanted.kind === 'delete') return kv.delete(ANN, wanted.key)
            if (wanted.kind === 'clear') return kv.clear(ANN)
            return kv.merge(ANN, Object.fromEntries(Array.from({ length: 513 }, (_, at) => [`k${at}`, ''])))
          }),
        )
        expect([...shown()]).toEqual([...stored()])
      }),
      { numRuns: 60 },
    )
  })
})

test('pairs are shown as JSON does it, whatever is in them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string({ unit: 'binary' }), fc.string())), pairs => {
      const shown = kvJson(new Map(Object.entries(pairs)))
      expect(shown).toBe(JSON.stringify(pairs))
      expect(JSON.parse(shown)).toEqual(JSON.parse(JSON.stringify(pairs)))
    }),
  )
})
