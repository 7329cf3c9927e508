import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Checkpoint } from '../../src/domain/checkpoint.ts'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Privacy } from '../../src/domain/privacy.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { createManualClock } from '../discord/clocks.ts'
import { silent } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'

let store: Store
let presences: PresenceStore
let kv: Kv
let keys: Keys
let privacy: Privacy
beforeEach(() => {
  store = openStore(':memory:', { log: silent })
  presences = new PresenceStore()
  keys = new Keys(store)
  kv = createKv(store, presences, keys)
  privacy = new Privacy(store, { presences, kv, keys })
  for (const id of [ANN, BEN]) presences.putMember('1', { user: { id, username: 'x' } })
})
afterEach(() => store.close())

test('whoever hides is gone at once, in the next process too, until they show themselves', async () => {
  await privacy.hide(ANN)
  expect([presences.has(ANN), presences.has(BEN)]).toEqual([false, true])
  const next = new PresenceStore()
  new Privacy(store, { presences: next, kv, keys })
  expect(next.isHidden(ANN)).toBe(true)
  await privacy.show(ANN)
  expect(presences.has(ANN)).toBe(true)
  expect([...store.loadHidden()]).toEqual([])
})

test('whoever is erased is a newcomer: no pairs, no key, in memory as in the store', async () => {
  await kv.put(ANN, 'a', '1')
  await kv.put(BEN, 'b', '1')
  const [ann, ben] = [await issueKey(keys, ANN), await issueKey(keys, BEN)]
  await privacy.erase(ANN)
  expect(JSON.parse(presences.snapshot(ANN)?.json ?? '').kv).toEqual({})
  expect([keys.ownerOf(hashKey(ann)), keys.ownerOf(hashKey(ben))]).toEqual([undefined, BEN])
  expect([...new Map(store.loadPairs()).keys()]).toEqual([BEN])
  expect([...new Map(store.loadKeys()).values()]).toEqual([BEN])
})

test('whoever is erased stays a member when the process starts again, seen or not', async () => {
  const checkpoint = new Checkpoint(store, presences, silent)
  presences.patchPresence({ user: { id: ANN }, status: 'dnd' })
  await checkpoint.saveAll()
  await Promise.all([privacy.erase(ANN), privacy.erase(BEN)])
  await checkpoint.stop()
  const next = new PresenceStore()
  await new Checkpoint(store, next, silent).stop()
  expect([ANN, BEN].map(id => next.person(id)?.presence.status)).toEqual(['dnd', 'offline'])
})

test('whoever is erased or hides was never seen, in what is saved too', async () => {
  for (const id of [ANN, BEN])
    for (const status of ['online', 'offline']) presences.patchPresence({ user: { id }, status })
  presences.drainDirty()
  await Promise.all([privacy.erase(ANN), privacy.hide(BEN)])
  expect(presences.person(ANN)?.lastSeenAt).toBeNull()
  const touched = [...presences.drainDirty()].map(([id, person]) => [id, person?.lastSeenAt])
  expect(touched.sort()).toEqual([
    [ANN, null],
    [BEN, null],
  ])
})

test('whoever is erased while hidden stays hidden', async () => {
  await privacy.hide(ANN)
  await privacy.erase(ANN)
  expect(presences.has(ANN)).toBe(false)
  expect([...store.loadHidden()]).toEqual([ANN])
})

describe('until somebody has been told that they are erased', () => {
  test('what they wrote before is gone, their key is worthless, and what they write waits', async () => {
    const key = await issueKey(keys, ANN)
    const before = kv.put(ANN, 'a', '1')
    const told = Promise.withResolvers<void>()
    const telling = Promise.withResolvers<void>()
    const erased = privacy.erase(ANN, () => {
      telling.resolve()
      return told.promise
    })
    // At once: a script that goes on writing gets nothing in behind the erasure.
    expect(keys.ownerOf(hashKey(key))).toBeUndefined()
    let isWritten = false
    const after = kv.merge(ANN, { c: '3' }).then(() => (isWritten = true))
    const made = issueKey(keys, ANN)
    await Promise.all([before, telling.promise])
    await store.storeHidden(BEN, false)
    expect([isWritten, [...presences.kv(ANN)], [...store.loadPairs()], [...store.loadKeys()]]).toEqual([
      false,
      [],
      [],
      [],
    ])
    told.resolve()
    await Promise.all([erased, after])
    expect([...presences.kv(ANN)]).toEqual([['c', '3']])
    expect(keys.ownerOf(hashKey(await made))).toBe(ANN)
  })

  test('a key that was being handed over is gone', async () => {
    const handed = keys.draft(ANN)
    handed.present()
    const erased = privacy.erase(ANN)
    await handed.activate()
    await erased
    expect(keys.ownerOf(hashKey(handed.key))).toBeUndefined()
    expect([...store.loadKeys()]).toEqual([])
  })

  test('others go on as ever', async () => {
    const key = await issueKey(keys, BEN)
    await privacy.erase(ANN, async () => {
      await kv.put(BEN, 'b', '1')
      expect(keys.ownerOf(hashKey(key))).toBe(BEN)
    })
  })

  test('a second erasure does not open what the first one holds', async () => {
    const first = Promise.withResolvers<void>()
    const erased = privacy.erase(ANN, () => first.promise)
    await privacy.erase(ANN)
    let isWritten = false
    const written = kv.put(ANN, 'a', '1').then(() => (isWritten = true))
    await store.storeHidden(BEN, false)
    expect(isWritten).toBe(false)
    first.resolve()
    await Promise.all([erased, written])
  })
})

test('an erasure that could not be stored leaves everything as it was', async () => {
  const key = await issueKey(keys, ANN)
  await kv.put(ANN, 'a', '1')
  const refusing = { ...store, erase: () => Promise.reject(storageUnavailable()) }
  const stuck = new Privacy(refusing, { presences, kv, keys })
  await expect(stuck.erase(ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(keys.ownerOf(hashKey(key))).toBe(ANN)
  await kv.put(ANN, 'b', '2')
  expect([...presences.kv(ANN).keys()]).toEqual(['a', 'b'])
})

describe('while the disk refuses', () => {
  let clock: ReturnType<typeof createManualClock>
  let full: boolean
  let wishes: Privacy
  beforeEach(() => {
    clock = createManualClock()
    full = true
    const refusing: Store = {
      ...store,
      storeHidden: (...wish) => (full ? Promise.reject(storageUnavailable()) : store.storeHidden(...wish)),
    }
    wishes = new Privacy(refusing, { presences, kv, keys }, { clock })
  })
  const written = () => [...store.loadHidden()]

  test('who hides is gone at once, which is kept as soon as it can be', async () => {
    await expect(wishes.hide(ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect([presences.has(ANN), written()]).toEqual([false, []])
    clock.advance(1000)
    await settled()
    full = false
    clock.advance(1000)
    await settled()
    expect(written()).toEqual([])
    clock.advance(1000)
    await settled()
    expect(written()).toEqual([ANN])
    expect(clock.pending()).toBe(0)
  })

  test('who hides and shows themselves when it can be kept again stays shown', async () => {
    await wishes.hide(ANN).catch(() => {})
    await expect(wishes.show(ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(presences.has(ANN)).toBe(false)
    full = false
    await wishes.show(ANN)
    clock.advance(60_000)
    await wishes.stop()
    expect([presences.has(ANN), written()]).toEqual([true, []])
  })

  test('it is tried a last time before the process ends', async () => {
    await wishes.hide(ANN).catch(() => {})
    full = false
    await wishes.stop()
    expect(written()).toEqual([ANN])
    expect(clock.pending()).toBe(0)
  })
})

/** Lets what the clock has started come to its end. */
const settled = () => store.storeHidden('0', false)
