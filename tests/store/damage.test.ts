import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { SavedPerson } from '../../src/domain/person.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { listening, scratch } from './support/files.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const CLEO = '100000000000000003'

let space: ReturnType<typeof scratch>
let file: string
let told: ReturnType<typeof listening>
let metrics: ReturnType<typeof createMetrics>
beforeEach(() => {
  space = scratch()
  file = space.file()
  told = listening()
  metrics = createMetrics()
})
afterEach(() => space[Symbol.dispose]())

const open = () => openStore(file, { log: told.log, metrics, patience: 0 })
const put = (store: Store, userId: string, value: string) =>
  store.changePairs(userId, { kind: 'put', pairs: new Map([['a', value]]) })

const person = (id: string): SavedPerson => ({
  id,
  user: `{"id":"${id}","username":"name-of-${id}","bot":false,"public_flags":0}`,
  presence: {
    status: 'online',
    platforms: 2,
    activities: '[{"name":"a game","type":0}]',
    spotify: '{"track_id":"track","song":"a song"}',
  },
  memberships: [{ guildId: '1', nick: 'a nick' }],
  lastSeenAt: null,
  awaited: false,
})

const SESSION = { shardId: 0, shardCount: 1, sessionId: 's', resumeURL: 'wss://gateway.example', sequence: 7 }

async function save(store: Store, people: readonly SavedPerson[]): Promise<void> {
  const changed = new Map(people.map(one => [one.id, one]))
  await store.saveState(() => ({ people: changed, sessions: [SESSION], history: null }))
}

/** Changes one byte of the file where this stands: the one so many behind its beginning. */
function flip(needle: string, behind: number): void {
  const bytes = readFileSync(file)
  const at = bytes.indexOf(needle)
  if (at === -1) throw new Error(`${needle} is not in the file`)
  bytes.writeUInt8(bytes.readUInt8(at + behind) ^ 0x40, at + behind)
  writeFileSync(file, bytes)
}

describe('one flipped byte of a saved presence', () => {
  test.each([
    ['the user', `{"id":"${BEN}","username"`, 0],
    ['the name of a field', `{"id":"${BEN}","username"`, 1],
    ['the id in it', `{"id":"${BEN}","username"`, 10],
    ['the activities', '[{"name":"Ben’s game"', 0],
    ['an activity', '[{"name":"Ben’s game"', 1],
    ['the song', '{"track_id":"Ben’s track"', 0],
    ['the memberships', '[{"guildId":"1","nick":"Ben’s nick"}]', 0],
    ['the name of a membership’s field', '[{"guildId":"1","nick":"Ben’s nick"}]', 4],
    ['the status', 'dnd', 0],
  ])('in %s costs that row: the others are there, it is counted and logged', async (_, needle, behind) => {
    const first = open()
    const ben = person(BEN)
    await save(first, [
      person(ANN),
      {
        ...ben,
        presence: {
          ...ben.presence,
          status: 'dnd',
          activities: '[{"name":"Ben’s game"}]',
          spotify: '{"track_id":"Ben’s track"}',
        },
        memberships: [{ guildId: '1', nick: 'Ben’s nick' }],
      },
      person(CLEO),
    ])
    await first.close()
    flip(needle, behind)

    const store = open()
    expect([...store.loadPeople()]).toEqual([person(ANN), person(CLEO)])
    expect(metrics.render()).toContain('exoix_store_damaged_rows_total 1\n')
    const error = told.lines.map(line => JSON.parse(line)).find(({ level }) => level === 'error')
    expect(error).toMatchObject({ message: expect.stringContaining('damaged'), kind: 'person', rows: 1 })
    // Only a new session lists the one who was lost.
    expect(store.loadSessions()).toEqual([])
    await store.close()

    const again = open()
    expect([...again.loadPeople()]).toHaveLength(2)
    expect(again.loadSessions()).toEqual([SESSION])
    await again.close()
  })
})

test('a page of presences that cannot be read costs what is on it, and the session', async () => {
  const first = open()
  await put(first, ANN, 'kept')
  await save(
    first,
    Array.from({ length: 200 }, (_, at) => person(String(500 + at))),
  )
  await first.close()
  const db = new Database(file)
  const [page] =
    db.query("SELECT max(pageno) FROM dbstat WHERE name = 'people' AND pagetype = 'leaf'").values()[0] ?? []
  db.close(true)
  const bytes = readFileSync(file)
  bytes.fill(0xff, (Number(page) - 1) * 4096, Number(page) * 4096)
  writeFileSync(file, bytes)

  const store = open()
  const people = [...store.loadPeople()]
  expect(people.length).toBeLessThan(200)
  expect(people.every(one => one.user === person(one.id).user)).toBe(true)
  expect(store.loadSessions()).toEqual([])
  expect(Object.fromEntries([...store.loadPairs()])).toMatchObject({ [ANN]: new Map([['a', 'kept']]) })
  expect(told.lines.join('\n')).toContain('a part of the database cannot be read')
  await store.close()
})

test('a pair whose key or owner is damaged is left out, counted and logged; the others are there', async () => {
  const first = open()
  await put(first, ANN, '1')
  await first.changePairs(BEN, {
    kind: 'put',
    pairs: new Map([
      ['damaged_key', '2'],
      ['good', '3'],
    ]),
  })
  await first.close()
  flip('damaged_key', 3)
  const store = open()
  expect(new Map(store.loadPairs())).toEqual(
    new Map([
      [ANN, new Map([['a', '1']])],
      [BEN, new Map([['good', '3']])],
    ]),
  )
  expect(metrics.render()).toContain('exoix_store_damaged_rows_total 1\n')
  expect(told.lines.join('\n')).toContain('"kind":"pair"')
  await store.close()
})

test('a copy of an account that is damaged is as if it had not been fetched yet', async () => {
  const first = open()
  const link = { userId: ANN, githubId: 1, login: 'ann', account: '{"bio":"hello"}', etag: '"e"', checkedAt: 5 }
  await first.storeLink(link)
  await first.close()
  flip('{"bio"', 0)
  const store = open()
  expect([...store.loadLinks()]).toEqual([{ ...link, account: null, etag: null, checkedAt: 0 }])
  await store.close()
})

test('pairs that cannot be read at all stop the start with a sentence', async () => {
  const first = open()
  for (let at = 0; at < 20; at++) await put(first, String(500 + at), 'x'.repeat(1000))
  await first.close()
  const db = new Database(file)
  const [page] = db.query("SELECT max(pageno) FROM dbstat WHERE name = 'pairs' AND pagetype = 'leaf'").values()[0] ?? []
  db.close(true)
  const bytes = readFileSync(file)
  bytes.fill(0xff, (Number(page) - 1) * 4096, Number(page) * 4096)
  writeFileSync(file, bytes)
  let said = ''
  try {
    const store = open()
    try {
      store.loadPairs()
    } finally {
      await store.close()
    }
  } catch (error) {
    said = (error as Error).message
  }
  expect(said).toStartWith(`${file} is damaged. Put a backup in its place`)
})

describe('a database that is taken away while it is in use', () => {
  const refused = { code: 'storage_unavailable' }
  const errors = () => told.lines.map(line => JSON.parse(line)).filter(({ level }) => level === 'error')

  test.each<[string, () => void]>([
    ['moved', () => renameSync(file, `${file}.moved`)],
    ['removed', () => rmSync(file)],
    [
      'replaced',
      () => {
        renameSync(file, `${file}.moved`)
        writeFileSync(file, '')
      },
    ],
  ])('because it was %s takes no more writes, and says so once', async (_, take) => {
    const store = open()
    await put(store, ANN, '1')
    take()
    await expect(put(store, ANN, '2')).rejects.toMatchObject(refused)
    await expect(put(store, ANN, '3')).rejects.toMatchObject(refused)
    expect(errors()).toHaveLength(1)
    expect(errors()[0]).toMatchObject({ reason: expect.stringContaining('moved, removed or replaced') })
    await store.close()
  })

  test('takes writes again when it is back, with all that was acknowledged', async () => {
    const store = open()
    await put(store, ANN, '1')
    renameSync(file, `${file}.moved`)
    await expect(put(store, ANN, '2')).rejects.toMatchObject(refused)
    renameSync(`${file}.moved`, file)
    await put(store, BEN, '3')
    expect(new Map(store.loadPairs())).toEqual(
      new Map([
        [ANN, new Map([['a', '1']])],
        [BEN, new Map([['a', '3']])],
      ]),
    )
    await store.close()
  })

  test('is not made anew by what rewrites the file after an erasure', async () => {
    const store = open()
    await put(store, ANN, '1')
    renameSync(file, `${file}.moved`)
    await store.erase(ANN).catch(() => {})
    await store.close()
    expect(existsSync(file)).toBe(false)
  })
})

describe('the lock', () => {
  test('that was removed is made anew with the next write, and said; a second process is kept out', async () => {
    const store = open()
    rmSync(`${file}.lock`)
    await put(store, ANN, '1')
    expect(told.lines.join()).toContain('the lock beside the database was removed')
    expect(() => open()).toThrow('is in use by another Exoix process')
    await store.close()
    await open().close()
  })

  test('that was removed and taken by a second process leaves that one the only one that writes', async () => {
    const first = open()
    await put(first, ANN, '1')
    rmSync(`${file}.lock`)
    const second = open()
    await expect(put(first, ANN, '2')).rejects.toMatchObject({ code: 'storage_unavailable' })
    await put(second, BEN, '3')
    expect(told.lines.join()).toContain('is in use by another Exoix process')
    await first.close()
    await second.close()
  })

  test('is the same before and after the file that a link leads to is there', () => {
    const link = space.file('link.db')
    mkdirSync(space.file('data'))
    symlinkSync('data/real.db', link)
    const store = openStore(link, { log: told.log, patience: 0 })
    for (const name of [link, space.file('data/real.db')]) {
      expect(() => openStore(name, { log: told.log, patience: 0 })).toThrow('is in use by another Exoix process')
    }
    void store.close()
  })
})
