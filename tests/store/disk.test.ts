import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Privacy } from '../../src/domain/privacy.ts'
import { OpenDatabase } from '../../src/store/database.ts'
import { createStore, openStore, type Store } from '../../src/store/sqlite.ts'
import { issueKey } from '../support/keys.ts'
import { listening, scratch } from './support/files.ts'

const ANN = '100000000000000001'
const BIG = 'x'.repeat(30_000)

let space: ReturnType<typeof scratch>
let told: ReturnType<typeof listening>
beforeEach(() => {
  space = scratch()
  told = listening()
})
afterEach(() => space[Symbol.dispose]())

/** Writes until nothing more fits; the keys of what was acknowledged. */
async function fill(kv: Kv, prefix = 'k'): Promise<string[]> {
  const kept: string[] = []
  for (let at = 0; at < 500; at++) {
    const key = `${prefix}${at}`
    const error = await kv.put(ANN, key, BIG).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    if (error === null) kept.push(key)
    else {
      expect(error).toMatchObject({ status: 503, code: 'storage_unavailable' })
      return kept
    }
  }
  throw new Error('it never became full')
}

const shown = (presences: PresenceStore) => [...presences.kv(ANN).keys()]
const stored = (store: Store) => [...(new Map(store.loadPairs()).get(ANN)?.keys() ?? [])]

describe('a database that cannot grow', () => {
  let database: OpenDatabase
  let store: Store
  let presences: PresenceStore
  let kv: Kv
  const pages = (count: number) => database.db.run(`PRAGMA max_page_count = ${count}`)
  beforeEach(() => {
    database = new OpenDatabase(space.file(), told.log)
    store = createStore(database, { log: told.log })
    presences = new PresenceStore()
    kv = createKv(store, presences)
  })
  afterEach(() => store.close())

  test('refuses writes, goes on to serve what is stored, and takes writes again when there is room', async () => {
    pages(100)
    const kept = await fill(kv)
    expect(kept.length).toBeGreaterThan(3)
    expect(shown(presences)).toEqual(kept)
    expect(stored(store)).toEqual(kept)
    await expect(kv.merge(ANN, { small: '1', big: BIG })).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(shown(presences)).toEqual(kept)

    pages(1000)
    await kv.merge(ANN, { small: '1', big: BIG })
    expect(shown(presences)).toEqual([...kept, 'small', 'big'])
    expect(stored(store)).toEqual(shown(presences))
  })

  test('refuses all writes of a batch that did not fit, and none of another', async () => {
    pages(100)
    const kept = await fill(kv)
    const results = await Promise.allSettled([kv.put(ANN, 'a', BIG), kv.put(ANN, 'b', BIG), kv.put(ANN, 'c', BIG)])
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(shown(presences)).toEqual(kept)
    expect(stored(store)).toEqual(kept)
  })

  test('goes on to count what pairs take as it is, whatever it refused', async () => {
    await store.close()
    database = new OpenDatabase(space.file('small.db'), told.log)
    store = createStore(database, { log: told.log, maxPairsMib: 1 })
    kv = createKv(store, presences)
    pages(100)
    const kept = await fill(kv)
    for (let at = 0; at < 40; at++) await kv.put(ANN, `more${at}`, BIG).catch(() => {})
    pages(10_000)
    const room = Math.floor((1024 * 1024) / (BIG.length + 140)) - kept.length
    for (let at = 0; at < room; at++) await kv.put(ANN, `again${at}`, BIG)
    await expect(kv.put(ANN, 'last', BIG)).rejects.toMatchObject({ code: 'storage_full' })
  })

  test('says so once when it begins and once when it is over', async () => {
    pages(100)
    await fill(kv)
    await fill(kv, 'more')
    pages(1000)
    await kv.put(ANN, 'a', BIG)
    expect(told.lines.map(line => JSON.parse(line)).map(({ level, message }) => [level, message])).toEqual([
      ['error', 'the database cannot keep writes'],
      ['info', 'the database keeps writes again'],
    ])
  })

  test('keeps nobody from revoking a key and from hiding, which is kept as soon as it can be', async () => {
    const keys = new Keys(store)
    const privacy = new Privacy(store, { presences, kv, keys })
    const key = await issueKey(keys, ANN)
    database.db.run('PRAGMA query_only = ON')
    const refusals = await Promise.allSettled([keys.revoke(ANN), privacy.hide(ANN)])
    expect(refusals.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect([keys.ownerOf(hashKey(key)), presences.isHidden(ANN)]).toEqual([undefined, true])
    database.db.run('PRAGMA query_only = OFF')
    await Promise.all([keys.stop(), privacy.stop()])
    expect([[...store.loadKeys()], [...store.loadHidden()]]).toEqual([[], [ANN]])
  })

  test('that becomes read only refuses writes and keys, and goes on to serve', async () => {
    await kv.put(ANN, 'a', '1')
    const keys = new Keys(store)
    const key = await issueKey(keys, ANN)
    database.db.run('PRAGMA query_only = ON')
    for (const write of [
      () => kv.put(ANN, 'b', '1'),
      () => kv.delete(ANN, 'a'),
      () => kv.clear(ANN),
      () => issueKey(keys, ANN),
      () => store.storeHidden(ANN, true),
      () => store.erase(ANN),
    ]) {
      await expect(write()).rejects.toMatchObject({ status: 503, code: 'storage_unavailable' })
    }
    expect(shown(presences)).toEqual(['a'])
    expect(keys.ownerOf(hashKey(key))).toBe(ANN)
    database.db.run('PRAGMA query_only = OFF')
    await kv.put(ANN, 'b', '1')
    expect(stored(store)).toEqual(['a', 'b'])
  })
})

/** A disk of its own: a file system in memory, for which one must be root. */
function smallDisk(folder: string, size: string): boolean {
  mkdirSync(folder)
  return Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder]).success
}

const mountable = (() => {
  using probe = scratch()
  const disk = probe.file('disk')
  const mounted = smallDisk(disk, '64k')
  if (mounted) Bun.spawnSync(['umount', disk])
  else console.warn('no file system can be mounted here: a really full disk is not tested')
  return mounted
})()

describe.skipIf(!mountable)('a full disk', () => {
  let disk: string
  let file: string
  beforeEach(() => {
    disk = space.file('disk')
    // Never fill the disk of the machine.
    if (!smallDisk(disk, '512k')) throw new Error('the disk was not mounted')
    file = `${disk}/exoix.db`
  })
  afterEach(() => void Bun.spawnSync(['umount', disk]))

  const grow = () => expect(Bun.spawnSync(['mount', '-o', 'remount,size=8m', disk]).success).toBe(true)
  function fillUp(): void {
    writeFileSync(`${disk}/filler`, '')
    expect(() => {
      for (let at = 0; at < 1000; at++) writeFileSync(`${disk}/filler`, Buffer.alloc(4096), { flag: 'a' })
    }).toThrow('ENOSPC')
  }

  test('refuses writes, loses nothing that was acknowledged, and is used again when there is room', async () => {
    const store = openStore(file, { log: told.log })
    const presences = new PresenceStore()
    const kv = createKv(store, presences)
    const kept = await fill(kv)
    expect(kept.length).toBeGreaterThan(3)
    expect(shown(presences)).toEqual(kept)
    expect(stored(store)).toEqual(kept)
    grow()
    await kv.put(ANN, 'after', BIG)
    await store.close()
    const again = openStore(file, { log: told.log })
    expect(stored(again)).toEqual([...kept, 'after'])
    await again.close()
  })

  test('loses nothing that was acknowledged when the process ends meanwhile', async () => {
    const store = openStore(file, { log: told.log })
    const presences = new PresenceStore()
    const kept = await fill(createKv(store, presences))
    await store.close().catch(() => {})
    grow()
    const again = openStore(file, { log: told.log })
    expect(stored(again)).toEqual(kept)
    await again.close()
  })

  test('does not keep a new process from serving what is stored, nor from writing once there is room', async () => {
    const before = openStore(file, { log: told.log })
    await createKv(before, new PresenceStore()).put(ANN, 'a', '1')
    await before.close()
    fillUp()

    const store = openStore(file, { log: told.log })
    expect(told.lines.join()).toContain('the disk is full')
    const presences = new PresenceStore()
    const kv = createKv(store, presences)
    expect(shown(presences)).toEqual(['a'])
    await expect(kv.put(ANN, 'b', BIG)).rejects.toMatchObject({ code: 'storage_unavailable' })
    rmSync(`${disk}/filler`)
    await kv.put(ANN, 'b', BIG)
    expect(stored(store)).toEqual(['a', 'b'])
    await store.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
    expect(readFileSync(file).includes(BIG.slice(0, 1000))).toBe(true)
  })

  test('is said in one sentence when there is no database yet', () => {
    fillUp()
    expect(() => openStore(file, { log: told.log })).toThrow(`${file} cannot be opened: the disk is full.`)
  })
})
