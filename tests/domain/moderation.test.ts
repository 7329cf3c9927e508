import { afterEach, beforeEach, expect, test } from 'bun:test'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv } from '../../src/domain/kv.ts'
import { Moderation } from '../../src/domain/moderation.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Privacy } from '../../src/domain/privacy.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'
import { issueKey } from '../support/keys.ts'

const ANN = '100000000000000001'

let store: Store
let presences: PresenceStore
let keys: Keys
let privacy: Privacy
let moderation: Moderation
function start(): void {
  presences = new PresenceStore()
  keys = new Keys(store)
  const kv = createKv(store, presences, keys)
  privacy = new Privacy(store, { presences, kv, keys })
  moderation = new Moderation(privacy, keys)
  presences.putMember('1', { user: { id: ANN } }, { status: 'online' })
}
beforeEach(() => {
  store = openStore(':memory:', { log: silent })
  start()
})
afterEach(() => store.close())

test('whom the operator hides is hidden for the next process, too, whatever they wish', async () => {
  expect(await moderation.take('hide', ANN)).toEqual({ done: true, text: expect.stringContaining('is hidden until') })
  await privacy.hide(ANN)
  expect(await privacy.show(ANN)).toBe(false)
  start()
  expect(presences.has(ANN)).toBe(false)
  expect(await privacy.show(ANN)).toBe(false)
  expect(await moderation.take('show', ANN)).toMatchObject({ done: true })
  start()
  expect(presences.has(ANN)).toBe(true)
})

test('erasing keeps an exclusion', async () => {
  await moderation.take('hide', ANN)
  await moderation.take('erase', ANN)
  start()
  expect(presences.has(ANN)).toBe(false)
})

test('a database that refuses keeps nobody from being hidden or losing their key, and it is said', async () => {
  const key = await issueKey(keys, ANN)
  store.storeExcluded = () => Promise.reject(storageUnavailable())
  store.deleteKeys = () => Promise.reject(storageUnavailable())
  const notKept = { done: false, text: expect.stringContaining('refuses to keep it') }
  expect(await moderation.take('hide', ANN)).toEqual(notKept)
  expect(presences.has(ANN)).toBe(false)
  expect(await moderation.take('revoke', ANN)).toEqual(notKept)
  expect(keys.ownerOf(hashKey(key))).toBeUndefined()
  await expect(moderation.take('show', ANN)).rejects.toMatchObject({ code: 'storage_unavailable' })
  expect(presences.has(ANN)).toBe(false)
})

test('servers that could not be told are counted', async () => {
  presences.copies.add({ spread: async () => {}, confirm: async () => 2 })
  const { done, text } = await moderation.take('hide', ANN)
  expect([done, text]).toEqual([true, expect.stringContaining('could not be reached: 2')])
})
