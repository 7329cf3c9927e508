import { expect, test } from 'bun:test'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from './support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const DAY = 24 * 3_600_000
const profile = (userId: string, checkedAt = Date.now()) => ({
  userId,
  banner: 'ab'.repeat(16),
  accent_color: 7,
  checkedAt,
})

test('profiles come back as they were told last', async () => {
  const store = openStore(':memory:', { log: silent })
  const [older, newer] = [profile(ANN), { ...profile(ANN), banner: null, accent_color: null }]
  for (const told of [older, newer, profile(BEN)]) await store.profiles.storeProfile(told)
  expect([...store.profiles.loadProfiles()]).toEqual([newer, expect.objectContaining({ userId: BEN, accent_color: 7 })])
  await store.close()
})

test('a profile goes with whoever is erased, and when nobody has wanted it for a month', async () => {
  const store = openStore(':memory:', { log: silent })
  await store.profiles.storeProfile(profile(ANN))
  await store.profiles.storeProfile(profile(BEN, Date.now() - 31 * DAY))
  expect([...store.profiles.loadProfiles()]).toHaveLength(2)
  while ([...store.profiles.loadProfiles()].length > 1) await new Promise(setImmediate)
  await store.erase(ANN)
  expect([...store.profiles.loadProfiles()]).toEqual([])
  await store.close()
})
