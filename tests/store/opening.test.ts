import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { FatalError } from '../../src/domain/errors.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { listening, scratch, silent } from './support/files.ts'

const ANN = '100000000000000001'

let space: ReturnType<typeof scratch>
let file: string
beforeEach(() => {
  space = scratch()
  file = space.file()
})
afterEach(() => space[Symbol.dispose]())

const open = (path = file) => openStore(path, { log: silent, patience: 0 })
const put = (store: ReturnType<typeof open>, value: string) =>
  store.changePairs(ANN, { kind: 'put', pairs: new Map([['a', value]]) })

function sql(statements: string, path = file): unknown[][] {
  const db = new Database(path, { create: true })
  try {
    return db.query(statements).values()
  } finally {
    db.close(true)
  }
}

/** What opening says, in one line. */
function refusal(path = file): string {
  try {
    void open(path).close()
  } catch (error) {
    expect(error).toBeInstanceOf(FatalError)
    const { message } = error as FatalError
    expect(message).toMatch(/^[^\n]+\.$/)
    return message
  }
  throw new Error('it was opened')
}

describe('opening a database', () => {
  test('makes the file, keeps what is written, and leaves one file and its lock when it is closed', async () => {
    const store = open()
    await put(store, '1')
    expect(existsSync(`${file}-wal`)).toBe(true)
    await store.close()
    expect(existsSync(`${file}-wal`)).toBe(false)
    expect(existsSync(`${file}-shm`)).toBe(false)
    const again = open()
    expect(new Map(again.loadPairs())).toEqual(new Map([[ANN, new Map([['a', '1']])]]))
    await again.close()
  })

  test('makes writes durable before it tells so', async () => {
    const store = open()
    expect(sql('PRAGMA journal_mode')).toEqual([['wal']])
    await put(store, '1')
    // Read by a second connection, as any other process would.
    expect(sql('SELECT value FROM pairs')).toEqual([['1']])
    await store.close()
  })

  test('refuses a file that is no database, and leaves it as it is', () => {
    writeFileSync(file, 'Dear diary, '.repeat(100))
    expect(refusal()).toStartWith(`${file} is not a database.`)
    expect(readFileSync(file, 'utf8')).toBe('Dear diary, '.repeat(100))
  })

  test('refuses another program’s database, and leaves it as it is', () => {
    sql('CREATE TABLE theirs (a)')
    const before = readFileSync(file)
    expect(refusal()).toContain('is a database of another program')
    expect(readFileSync(file)).toEqual(before)
  })

  test('refuses what a newer Exoix has written, and leaves it as it is', async () => {
    await open().close()
    sql('PRAGMA user_version = 999')
    const before = readFileSync(file)
    expect(refusal()).toContain('was written by a newer Exoix (schema 999,')
    expect(readFileSync(file)).toEqual(before)
  })

  test('refuses a damaged file', async () => {
    await open().close()
    const bytes = readFileSync(file)
    bytes.fill(0xff, 100, 4096)
    writeFileSync(file, bytes)
    expect(refusal()).toMatch(/is damaged/)
  })

  test('refuses a folder, a missing folder and one that cannot be written to', () => {
    mkdirSync(space.file('folder'))
    expect(refusal(space.file('folder'))).toBe(
      `${space.file('folder')} is a folder. Set DATABASE_PATH to a file in it.`,
    )
    expect(refusal(space.file('no/such/folder.db'))).toContain('its folder is missing or may not be written to')
    expect(refusal('/proc/exoix.db')).toContain('its folder is missing or may not be written to')
  })

  test('refuses a file that another process has, under any of its names, until that one lets go', async () => {
    const first = open()
    symlinkSync(file, space.file('link.db'))
    for (const name of [file, space.file('./exoix.db'), space.file('link.db')]) {
      expect(refusal(name)).toStartWith(`${file} is in use by another Exoix process.`)
    }
    await first.close()
    await open().close()
  })

  test('refuses a file that a process has which was started meanwhile, and takes it when that one is killed', async () => {
    const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/sqlite.ts'))}
      openStore(${JSON.stringify(file)}, { log: { debug() {}, info() {}, warn() {}, error() {} } })
      console.log('open')
      setInterval(() => {}, 1000)`
    const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
    await child.stdout.getReader().read()
    expect(refusal()).toContain('is in use by another Exoix process')
    child.kill('SIGKILL')
    await child.exited
    await open().close()
  })

  test('waits a moment for a process that is just ending', async () => {
    const first = open()
    const waiting = openStoreIn(file)
    await waiting.started
    await first.close()
    expect(await waiting.result).toBe('opened')
  })

  test('refuses a file that another program has locked', async () => {
    await open().close()
    const other = new Database(file)
    other.run('PRAGMA locking_mode = EXCLUSIVE')
    other.run('BEGIN EXCLUSIVE')
    expect(refusal()).toContain('is locked by another program')
    other.close(true)
  })

  test.skipIf(process.getuid?.() === 0)('serves a file that may not be written to, and says so', async () => {
    await open().close()
    chmodSync(file, 0o444)
    const { lines, log } = listening()
    const store = openStore(file, { log })
    expect(lines.join()).toContain('may not be written to')
    await expect(put(store, '1')).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect([...store.loadPairs()]).toEqual([])
    await store.close()
  })
})

describe('an older database', () => {
  test('of the first version is brought up to date with everything in it', async () => {
    await open().close()
    const [[newest] = []] = sql('PRAGMA user_version')
    const { FIRST_VERSION } = await import('./support/first-version.ts')
    const old = space.file('old.db')
    const db = new Database(old, { create: true })
    db.run(FIRST_VERSION)
    db.close(true)
    const store = open(old)
    expect(new Map(store.loadPairs())).toEqual(new Map([[ANN, new Map([['a', '1']])]]))
    expect([...store.loadKeys()]).toEqual([['hash', ANN]])
    expect([...store.loadHidden()]).toEqual([ANN])
    await store.close()
    expect(sql('PRAGMA user_version', old)).toEqual([[newest]])
  })

  test('that knows nothing of when people were last seen says so of everybody in it, and keeps it from then on', async () => {
    const old = space.file('old.db')
    const { BEFORE_LAST_SEEN } = await import('./support/before-last-seen.ts')
    const db = new Database(old, { create: true })
    db.run(BEFORE_LAST_SEEN)
    db.close(true)
    const store = open(old)
    const [person] = [...store.loadPeople()]
    if (person === undefined) throw new Error('nobody is left')
    expect([person.id, person.presence.status, person.lastSeenAt]).toEqual([ANN, 'idle', null])
    await store.saveState(() => ({
      people: new Map([[ANN, { ...person, lastSeenAt: 1_767_225_600_000 }]]),
      sessions: null,
      history: null,
    }))
    expect([...store.loadPeople()]).toEqual([{ ...person, lastSeenAt: 1_767_225_600_000 }])
    await store.close()
  })
})

/** Opens the file in a process of its own. */
function openStoreIn(path: string) {
  const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/sqlite.ts'))}
    console.log('started')
    try {
      openStore(${JSON.stringify(path)}, { log: { debug() {}, info() {}, warn() {}, error() {} } })
      console.log('opened')
    } catch (error) {
      console.log(error.message)
    }
    process.exit()`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  const reader = child.stdout.getReader()
  const text = new TextDecoder()
  const started = reader.read()
  const result = started.then(async () => {
    const { value } = await reader.read()
    return text.decode(value).trim()
  })
  return { started, result }
}
