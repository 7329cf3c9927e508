import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import type { StoredLink } from '../../src/domain/github.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { scratch, silent } from './support/files.ts'

const space = scratch()
afterAll(() => space[Symbol.dispose]())
let files = 0

const ANN: StoredLink = {
  userId: '100000000000000001',
  githubId: 583231,
  login: 'ada',
  account: '{"id":583231,"username":"ada"}',
  etag: 'W/"abc"',
  checkedAt: 1_767_000_000_000,
}
const BEN: StoredLink = { ...ANN, userId: '100000000000000002', account: null, etag: null }

for (const [name, path] of [
  ['a file', () => space.file(`github-${++files}.db`)],
  ['memory', () => ':memory:'],
] as const) {
  describe(`links in ${name}`, () => {
    let store: Store
    beforeEach(() => {
      store = openStore(path(), { log: silent })
    })
    afterEach(() => store.close())

    const links = () => [...store.loadLinks()].sort((a, b) => (a.userId < b.userId ? -1 : 1))

    test('come back as they were put, two people with one account included', async () => {
      await Promise.all([store.storeLink(ANN), store.storeLink(BEN)])
      expect(links()).toEqual([ANN, BEN])
    })

    test('are one for each person', async () => {
      const other = { ...ANN, githubId: 1, login: 'eve' }
      await store.storeLink(ANN)
      await store.storeLink(other)
      expect(links()).toEqual([other])
    })

    test('take a newer copy, but only of the account that is linked', async () => {
      const newer = { ...ANN, login: 'countess', account: null, etag: null, checkedAt: ANN.checkedAt + 1 }
      await store.updateLink(newer)
      expect(links()).toEqual([])
      await store.storeLink(ANN)
      await store.updateLink({ ...newer, githubId: 1 })
      expect(links()).toEqual([ANN])
      await store.updateLink(newer)
      expect(links()).toEqual([newer])
    })

    test('are forgotten alone, and with everything else of the person', async () => {
      await Promise.all([store.storeLink(ANN), store.storeLink(BEN)])
      await store.deleteLink(BEN.userId)
      expect(links()).toEqual([ANN])
      await store.erase(ANN.userId)
      expect(links()).toEqual([])
    })
  })
}

test('links survive a restart, and leave no trace once their person was erased', async () => {
  const file = space.file('restart.db')
  const first = openStore(file, { log: silent })
  await first.storeLink({ ...ANN, login: 'a-login-to-be-searched-for' })
  await first.close()
  const second = openStore(file, { log: silent })
  expect([...second.loadLinks()]).toMatchObject([{ userId: ANN.userId, login: 'a-login-to-be-searched-for' }])
  await second.erase(ANN.userId)
  await second.close()
  expect(readFileSync(file, 'latin1')).not.toContain('a-login-to-be-searched-for')
})
