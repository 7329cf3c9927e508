import { afterEach, beforeEach, expect, test } from 'bun:test'
import { Checkpoint } from '../../src/domain/checkpoint.ts'
import { createKeys, hashKey, type Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { createPrivacy, type Privacy } from '../../src/domain/privacy.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'

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
  kv = createKv(store, presences)
  keys = createKeys(store)
  privacy = createPrivacy(store, presences, [keys.forget])
  for (const id of [ANN, BEN]) presences.putMember('1', { user: { id, username: 'x' } })
})
afterEach(() => store.close())

test('whoever hides is gone at once, in the next process too, until they show themselves', async () => {
  await privacy.hide(ANN)
  expect([presences.has(ANN), presences.has(BEN)]).toEqual([false, true])
  const next = new PresenceStore()
  createPrivacy(store, next)
  expect(next.isHidden(ANN)).toBe(true)
  await privacy.show(ANN)
  expect(presences.has(ANN)).toBe(true)
  expect([...store.loadHidden()]).toEqual([])
})

test('whoever is erased is a newcomer: no pairs, no key, in memory as in the store', async () => {
  await kv.put(ANN, 'a', '1')
  await kv.put(BEN, 'b', '1')
  const [ann, ben] = [await keys.issue(ANN), await keys.issue(BEN)]
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
  expect([...presences.drainDirty()].map(([id, person]) => [id, person?.lastSeenAt])).toEqual([
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

test('writes before and after an erasure are kept apart, in memory as in the store', async () => {
  await Promise.all([kv.put(ANN, 'a', '1'), privacy.erase(ANN), kv.put(ANN, 'b', '2')])
  expect([...presences.kv(ANN)]).toEqual([['b', '2']])
  expect(new Map(store.loadPairs()).get(ANN)).toEqual(new Map([['b', '2']]))
})
