import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { FatalError } from '../../src/domain/errors.ts'
import { backup, restore } from '../../src/store/backup.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { scratch, silent } from './support/files.ts'

const ANN = '100000000000000001'

let space: ReturnType<typeof scratch>
let file: string
let copy: string
beforeEach(() => {
  space = scratch()
  file = space.file('exoix.db')
  copy = space.file('copy.db')
})
afterEach(() => space[Symbol.dispose]())

const open = (path = file) => openStore(path, { log: silent, patience: 0 })
const put = (store: Store, key: string, value: string) =>
  store.changePairs(ANN, { kind: 'put', pairs: new Map([[key, value]]) })

async function pairsIn(path: string): Promise<unknown> {
  const store = open(path)
  const pairs = Object.fromEntries(new Map(store.loadPairs()).get(ANN) ?? [])
  await store.close()
  return pairs
}

async function filled(path: string, value: string): Promise<void> {
  const store = open(path)
  await put(store, 'a', value)
  await store.replaceKeys(ANN, 'hash')
  await store.close()
}

const strays = () =>
  readdirSync(space.folder).filter(name => name.includes('partial') || /-(wal|shm|journal)$/.test(name))

describe('a backup', () => {
  test('holds everything that was acknowledged, while the server goes on writing', async () => {
    const store = open()
    await put(store, 'a', '1')
    await store.replaceKeys(ANN, 'hash')
    const later = Array.from({ length: 200 }, (_, at) => put(store, `k${at}`, 'x'.repeat(1000)))
    expect(await backup(file, copy)).toBe(`Backed up ${file} to ${copy} (pairs: 1, keys: 1).`)
    await Promise.all(later)
    await store.close()
    expect(await pairsIn(copy)).toEqual({ a: '1' })
  })

  test('taken by another process during a storm of writes is whole: each merge is in it or not', async () => {
    const store = open()
    let writing = true
    const write = (round: number) => {
      const pairs = new Map(['x', 'y', 'z'].map(key => [key, `${round}${'.'.repeat(5000)}`]))
      return store.changePairs(ANN, { kind: 'put', pairs })
    }
    await write(0)
    const storm = (async () => {
      for (let round = 1; writing; round++) await write(round)
    })()
    for (let at = 0; at < 3; at++) {
      const target = space.file(`copy${at}.db`)
      const script = `import { backup } from ${JSON.stringify(import.meta.resolve('../../src/store/backup.ts'))}
        await backup(${JSON.stringify(file)}, ${JSON.stringify(target)})`
      const child = Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' })
      expect(await child.exited).toBe(0)
      const values = Object.values((await pairsIn(target)) as Record<string, string>)
      expect(new Set(values).size).toBe(1)
    }
    writing = false
    await storm
    await store.close()
  })

  test('is one file, with nothing left beside it', async () => {
    await filled(file, '1')
    await backup(file, copy)
    expect(strays()).toEqual([])
  })

  test('removes what earlier ones left that were killed, and nothing else', async () => {
    await filled(file, '1')
    const dead = Bun.spawnSync(['true']).pid
    const left = [`other.db.partial-${dead}`, `copy.db.partial-${dead}-journal`]
    for (const name of left) writeFileSync(space.file(name), '')
    writeFileSync(space.file(`half.db.partial-${dead}`), readFileSync(file).subarray(0, 8192))
    const theirs = [`notes.partial-${dead}`, 'a.partial-x', 'partial-1']
    for (const name of theirs) writeFileSync(space.file(name), 'Dear diary, '.repeat(20))
    // One that is being written by a process that is still there.
    writeFileSync(space.file('busy.db.partial-1'), '')
    await backup(file, copy)
    expect(strays().sort()).toEqual([...theirs, 'busy.db.partial-1'].sort())
  })

  test('that is killed at any moment is there whole or not at all, under its name', async () => {
    const store = open()
    for (let at = 0; at < 60; at++) await put(store, `k${at}`, 'x'.repeat(30_000))
    await store.close()
    for (let round = 0; round < 12; round++) {
      const target = space.file(`killed${round}.db`)
      const script = `import { backup } from ${JSON.stringify(import.meta.resolve('../../src/store/backup.ts'))}
        process.stdout.write('started')
        await backup(${JSON.stringify(file)}, ${JSON.stringify(target)})`
      const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'ignore' })
      await child.stdout.getReader().read()
      const appears = Promise.withResolvers<void>()
      const watcher = watch(space.folder, (_, name) => {
        // In even rounds as soon as anything is there, in odd ones with the last name.
        if (name?.startsWith(`killed${round}`) && (round % 2 === 0 || name === `killed${round}.db`)) appears.resolve()
      })
      await Promise.race([appears.promise, child.exited])
      child.kill('SIGKILL')
      await child.exited
      watcher.close()
      if (existsSync(target)) expect(Object.keys((await pairsIn(target)) as object)).toHaveLength(60)
    }
    await backup(file, copy)
    expect(strays()).toEqual([])
  })

  test('never replaces a file', async () => {
    await filled(file, '1')
    writeFileSync(copy, 'precious')
    await expect(backup(file, copy)).rejects.toThrow(`${copy} exists already.`)
    expect(readFileSync(copy, 'utf8')).toBe('precious')
  })

  test('of nothing, of memory, of another program’s database or to nowhere is refused with a sentence', async () => {
    await expect(backup(file, copy)).rejects.toThrow(new FatalError(`There is no file ${file}.`))
    await expect(backup(':memory:', copy)).rejects.toThrow('gone with its process')
    const other = new Database(space.file('other.db'), { create: true })
    other.run('CREATE TABLE t (a)')
    other.close()
    await expect(backup(space.file('other.db'), copy)).rejects.toThrow('another program')
    await filled(file, '1')
    await expect(backup(file, space.file('no/such/folder.db'))).rejects.toThrow('could not be written')
    expect(existsSync(copy)).toBe(false)
  })
})

describe('a restore', () => {
  test('puts a backup where there was no database', async () => {
    await filled(file, '1')
    await backup(file, copy)
    const fresh = space.file('fresh.db')
    expect(await restore(copy, fresh, { force: false })).toBe(`Restored ${fresh} from ${copy} (pairs: 1, keys: 1).`)
    expect(await pairsIn(fresh)).toEqual({ a: '1' })
    expect(strays()).toEqual([])
  })

  test('replaces a database only when forced', async () => {
    await filled(file, 'old')
    await backup(file, copy)
    await filled(file, 'new')
    await expect(restore(copy, file, { force: false })).rejects.toThrow(`${file} exists already. Add --force`)
    expect(await pairsIn(file)).toEqual({ a: 'new' })
    await restore(copy, file, { force: true })
    expect(await pairsIn(file)).toEqual({ a: 'old' })
  })

  test('leaves nothing of the old database’s log behind, even after a crash', async () => {
    await filled(file, 'old')
    await backup(file, copy)
    const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/sqlite.ts'))}
      const log = { debug() {}, info() {}, warn() {}, error() {} }
      const store = openStore(${JSON.stringify(file)}, { log })
      await store.changePairs('${ANN}', { kind: 'put', pairs: new Map([['late', '1']]) })
      process.kill(process.pid, 'SIGKILL')`
    await Bun.spawn([process.execPath, '-e', script]).exited
    expect(existsSync(`${file}-wal`)).toBe(true)
    await restore(copy, file, { force: true })
    expect(strays()).toEqual([])
    expect(await pairsIn(file)).toEqual({ a: 'old' })
  })

  test('replaces a damaged database', async () => {
    await filled(file, 'old')
    await backup(file, copy)
    writeFileSync(file, 'no database any more')
    writeFileSync(`${file}-wal`, 'nor a log')
    await restore(copy, file, { force: true })
    expect(await pairsIn(file)).toEqual({ a: 'old' })
  })

  test('is refused while a server has the database, forced or not', async () => {
    await filled(file, '1')
    await backup(file, copy)
    const store = open()
    await expect(restore(copy, file, { force: true })).rejects.toThrow(`${file} is in use by another Exoix process.`)
    await put(store, 'b', '2')
    await store.close()
    expect(await pairsIn(file)).toEqual({ a: '1', b: '2' })
  })

  test('is refused while another program has the database', async () => {
    await filled(file, '1')
    await backup(file, copy)
    const other = new Database(file)
    other.query('SELECT count(*) FROM pairs').get()
    await expect(restore(copy, file, { force: true })).rejects.toThrow(`${file} is in use by another program.`)
    other.close()
    expect(await pairsIn(file)).toEqual({ a: '1' })
  })

  test('of a missing, foreign, empty, newer or damaged file changes nothing', async () => {
    await filled(file, 'mine')
    const bad = space.file('bad.db')
    const attempts: [make: () => void, says: string][] = [
      [() => {}, `There is no file ${bad}.`],
      [() => writeFileSync(bad, 'some text that is not a database at all'), 'is not a database'],
      [() => writeFileSync(bad, ''), `${bad} is empty.`],
      [() => sql(bad, 'CREATE TABLE t (a)'), 'another program'],
      [
        () => sql(bad, 'PRAGMA application_id = 1163415369; PRAGMA user_version = 999; CREATE TABLE t (a)'),
        'newer Exoix',
      ],
    ]
    for (const [make, says] of attempts) {
      await Bun.file(bad)
        .delete()
        .catch(() => {})
      make()
      await expect(restore(bad, file, { force: true })).rejects.toThrow(says)
    }
    await backup(file, copy)
    const bytes = readFileSync(copy)
    bytes.fill(0x5a, 8192, 8192 + 3000)
    writeFileSync(bad, bytes)
    await expect(restore(bad, file, { force: true })).rejects.toThrow('is damaged')
    expect(await pairsIn(file)).toEqual({ a: 'mine' })
    expect(strays()).toEqual([])
  })

  test('of the database from itself is refused', async () => {
    await filled(file, '1')
    mkdirSync(space.file('sub'))
    await expect(restore(space.file('sub/../exoix.db'), file, { force: true })).rejects.toThrow(
      'is the database itself',
    )
  })
})

function sql(path: string, statements: string): void {
  const db = new Database(path, { create: true })
  db.run(statements)
  db.close()
}
