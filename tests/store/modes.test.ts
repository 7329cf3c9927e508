import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backup, restore } from '../../src/store/backup.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { scratch, silent } from './support/files.ts'

const ANN = '100000000000000001'
const isRoot = process.getuid?.() === 0

let space: ReturnType<typeof scratch>
let file: string
let umask: number
beforeEach(() => {
  space = scratch()
  file = space.file()
  umask = process.umask(0o022)
})
afterEach(() => {
  process.umask(umask)
  space[Symbol.dispose]()
})

const open = (path = file) => openStore(path, { log: silent, patience: 0 })
const put = (store: ReturnType<typeof open>) => store.changePairs(ANN, { kind: 'put', pairs: new Map([['a', '1']]) })

/** The modes of everything in the folder. */
const modes = (folder = space.folder) =>
  Object.fromEntries(readdirSync(folder).map(name => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]))

async function filled(): Promise<void> {
  const store = open()
  await put(store)
  await store.close()
}

describe('what is kept is its owner’s alone', () => {
  test('from the start: database, log, index and lock', async () => {
    process.umask(0)
    const store = open()
    await put(store)
    const all = { 'exoix.db': '600', 'exoix.db-shm': '600', 'exoix.db-wal': '600', 'exoix.db.lock': '600' }
    expect(modes()).toEqual(all)
    await store.close()
    expect(modes()).toEqual({ 'exoix.db': '600', 'exoix.db.lock': '600' })
  })

  test('at the next start, when an earlier version left it open to everybody', async () => {
    await filled()
    for (const name of readdirSync(space.folder)) chmodSync(space.file(name), 0o644)
    const store = open()
    await put(store)
    expect(new Set(Object.values(modes()))).toEqual(new Set(['600']))
    await store.close()
  })

  test('but for a group that was let in, and never more writable than it was', async () => {
    await filled()
    chmodSync(file, 0o640)
    await open().close()
    expect(modes()['exoix.db']).toBe('640')
    chmodSync(file, 0o444)
    await open().close()
    expect(modes()['exoix.db']).toBe('400')
  })

  test('and a file that is not ours stays as it is', () => {
    writeFileSync(file, 'Dear diary, '.repeat(100))
    chmodSync(file, 0o644)
    expect(() => open()).toThrow('is not a database')
    expect(modes()['exoix.db']).toBe('644')
  })

  test('in backups too', async () => {
    await filled()
    chmodSync(file, 0o644)
    process.umask(0)
    await backup(file, space.file('copy.db'))
    expect(modes()['copy.db']).toBe('600')
  })
})

describe('a restored database', () => {
  let copy: string
  beforeEach(async () => {
    copy = space.file('copy.db')
    await filled()
    await backup(file, copy)
  })

  test.each([
    [0o600, '600'],
    [0o640, '640'],
    [0o644, '600'],
  ])('is as open as the one it replaces, and never to everybody: %o', async (mode, expected) => {
    chmodSync(file, mode)
    chmodSync(copy, 0o644)
    await restore(copy, file, { force: true })
    expect(modes()['exoix.db']).toBe(expected)
  })

  test.skipIf(!isRoot)('stays its owner’s when root restores it', async () => {
    chownSync(file, 1234, 1235)
    await restore(copy, file, { force: true })
    expect(statSync(file)).toMatchObject({ uid: 1234, gid: 1235 })
  })

  test.skipIf(!isRoot)('belongs to whom its folder belongs to when there was none', async () => {
    mkdirSync(space.file('data'))
    chownSync(space.file('data'), 1234, 1235)
    const fresh = space.file('data/exoix.db')
    await restore(copy, fresh, { force: false })
    expect(statSync(fresh)).toMatchObject({ uid: 1234, gid: 1235 })
    expect(modes(space.file('data'))['exoix.db']).toBe('600')
  })
})

test.skipIf(!isRoot)('what root makes beside a database belongs to the owner of the database', async () => {
  await filled()
  for (const name of readdirSync(space.folder)) chownSync(space.file(name), 1234, 1235)
  Bun.spawnSync(['rm', `${file}.lock`])
  const store = open()
  await put(store)
  for (const name of readdirSync(space.folder)) {
    expect([name, statSync(space.file(name)).uid]).toEqual([name, 1234])
  }
  await store.close()
})
