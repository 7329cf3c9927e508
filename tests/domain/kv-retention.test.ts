import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { createRetention } from '../../src/domain/privacy.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const GUILD = '1'
const DAY = 86_400_000

let store: Store
let presences: PresenceStore
let kv: Kv
beforeEach(async () => {
  store = openStore(':memory:', { log: silent })
  presences = new PresenceStore()
  kv = createKv(store, presences)
  await kv.put(ANN, 'a', '1')
  await kv.put(BEN, 'b', '1')
})
afterEach(() => store.close())

const join = (userId: string) => presences.putMember(GUILD, { user: { id: userId, username: 'x' } })
const pairsOf = (userId: string) => presences.kv(userId).size
const storedPeople = () => [...new Map(store.loadPairs()).keys()]

test('pairs of people who are in no guild for 30 days are removed, from memory and file; those of members stay', async () => {
  const { sweep } = createRetention(store, presences, 30)
  join(BEN)
  expect(await sweep(0)).toBe(0)
  expect(await sweep(30 * DAY - 1)).toBe(0)
  expect([pairsOf(ANN), pairsOf(BEN)]).toEqual([1, 1])
  expect(await sweep(30 * DAY)).toBe(1)
  expect([pairsOf(ANN), pairsOf(BEN)]).toEqual([0, 1])
  expect(storedPeople()).toEqual([BEN])
  expect(await sweep(31 * DAY)).toBe(0)
})

test('the first sight of an absence removes nothing, however long it has been', async () => {
  expect(await createRetention(store, presences, 1).sweep(1000 * DAY)).toBe(0)
  expect(storedPeople()).toEqual([ANN, BEN])
})

test('whoever comes back starts anew', async () => {
  const { sweep } = createRetention(store, presences, 30)
  await sweep(0)
  join(ANN)
  await sweep(29 * DAY)
  presences.removeGuild(GUILD)
  expect(await sweep(31 * DAY)).toBe(1)
  expect(storedPeople()).toEqual([ANN])
  expect(await sweep(61 * DAY)).toBe(1)
})

test('a write of somebody absent starts the time anew', async () => {
  const { sweep } = createRetention(store, presences, 30)
  await sweep(0)
  await kv.put(ANN, 'a', '2')
  expect(await sweep(40 * DAY)).toBe(1)
  expect(storedPeople()).toEqual([ANN])
})

test('hidden members are members', async () => {
  const { sweep } = createRetention(store, presences, 30)
  join(ANN)
  join(BEN)
  presences.setHidden(ANN, true)
  await sweep(0)
  expect(await sweep(60 * DAY)).toBe(0)
})

test('hidden people who have left are absent like anybody', async () => {
  const { sweep } = createRetention(store, presences, 30)
  join(BEN)
  presences.setHidden(ANN, true)
  await sweep(0)
  expect(await sweep(60 * DAY)).toBe(1)
  expect(storedPeople()).toEqual([BEN])
})

test('0 days keep pairs for ever', async () => {
  const { sweep } = createRetention(store, presences, 0)
  await sweep(0)
  expect(await sweep(10_000 * DAY)).toBe(0)
  expect(storedPeople()).toEqual([ANN, BEN])
})

test('a write that meets the removal is not lost: memory and file agree', async () => {
  const { sweep } = createRetention(store, presences, 30)
  await sweep(0)
  const [removed] = await Promise.all([sweep(30 * DAY), kv.put(ANN, 'new', '1')])
  expect(removed).toBe(2)
  expect([...presences.kv(ANN)]).toEqual([['new', '1']])
  expect(new Map(store.loadPairs()).get(ANN)).toEqual(new Map([['new', '1']]))
})

test('thousands of absent people are swept', async () => {
  const { sweep } = createRetention(store, presences, 1)
  await Promise.all(Array.from({ length: 1200 }, (_, at) => kv.put(String(at + 1), 'a', '1')))
  await sweep(0)
  expect(await sweep(DAY)).toBe(1202)
  expect(storedPeople()).toEqual([])
})
