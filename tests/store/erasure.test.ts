import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { Keys } from '../../src/domain/keys.ts'
import { openStore, type Store } from '../../src/store/sqlite.ts'
import { issueKey } from '../support/keys.ts'
import { scratch, silent } from './support/files.ts'

const ANN = '123456789012345678'
const SECRET = 'a-very-private-word'

let space: ReturnType<typeof scratch>
let store: Store
beforeEach(() => {
  space = scratch()
  store = openStore(space.file(), { log: silent })
})
afterEach(async () => {
  await store.close()
  space[Symbol.dispose]()
})

/** Files in which any of these bytes are found. */
function filesWith(...needles: string[]): string[] {
  return readdirSync(space.folder).filter(name => {
    const bytes = readFileSync(space.file(name))
    return needles.some(needle => bytes.includes(needle))
  })
}

/** Many people whose pairs grow, shrink, come and go, so that pages split and merge around Ann's. */
async function live(): Promise<void> {
  const people = [ANN, ...Array.from({ length: 12 }, (_, at) => String(600_000_000_000_000_000n + BigInt(at)))]
  for (let round = 0; round < 8; round++) {
    await Promise.all(
      people.flatMap((userId, at) =>
        [3, 40, 300, 2000].map(length => {
          const key = `k${(round * 7 + at + length) % 9}`
          const value = (userId === ANN ? SECRET : 'public').repeat(length).slice(0, length * 2 + 30)
          if ((round + at + length) % 5 === 0) return store.changePairs(userId, { kind: 'delete', key })
          return store.changePairs(userId, { kind: 'put', pairs: new Map([[key, value]]) })
        }),
      ),
    )
  }
}

/** Resolves when the file has been rewritten: a write that comes after an erasure waits for that. */
async function rewritten(): Promise<void> {
  await new Promise<void>(resolve => setImmediate(resolve))
  await store.changePairs('5', { kind: 'put', pairs: new Map([['a', '1']]) })
}

/** What is stored of Ann, in every noun. */
async function fill(): Promise<string[]> {
  await live()
  const keys = new Keys(store)
  const hashes: string[] = []
  for (let at = 0; at < 3; at++) {
    await issueKey(keys, ANN)
    hashes.push(...Array.from(store.loadKeys(), ([hash]) => hash))
  }
  await store.importKeys('5', new Set(['others']))
  await store.storeConsent(ANN, 1)
  const past = { kind: 'activity', at: 1, until: 2, name: SECRET, applicationId: ANN } as const
  const ongoing = { at: 1, status: { value: 'idle', at: 1, seen: true }, track: null, activities: [past] } as const
  const ended = Array.from({ length: 50 }, () => past)
  const history = { at: 1, parts: [{ userId: ANN, since: 1, ongoing, ended }] }
  await store.saveState(() => ({ people: new Map(), sessions: null, history }))
  await store.storeAbsence(ANN, 1)
  await store.storeHidden(ANN, true)
  await store.storeHidden(ANN, false)
  return hashes
}

test('an erased person leaves no byte behind, in the file or beside it, while the process goes on', async () => {
  const hashes = await fill()
  expect(filesWith(ANN)).not.toEqual([])
  expect(filesWith(SECRET)).not.toEqual([])
  await store.erase(ANN)
  expect(new Map(store.loadPairs()).has(ANN)).toBe(false)
  await rewritten()
  expect(filesWith(ANN, SECRET, ...hashes)).toEqual([])
  expect(new Map(store.loadPairs()).size).toBe(13)
})

test.each([
  ['that has ended', 500],
  ['that goes on', 0],
])('a history that is switched off leaves no byte behind either, of what %s', async (_, times) => {
  await store.storeConsent(ANN, 1)
  const past = { kind: 'activity', at: 1, until: 2, name: SECRET, applicationId: null } as const
  const ongoing = { at: 1, status: { value: 'idle', at: 1, seen: true }, track: null, activities: [past] } as const
  const history = {
    at: 1,
    parts: [{ userId: ANN, since: 1, ongoing, ended: Array.from({ length: times }, () => past) }],
  }
  await store.saveState(() => ({ people: new Map(), sessions: null, history }))
  expect(filesWith(SECRET)).not.toEqual([])
  await store.endConsent(ANN)
  await rewritten()
  expect(filesWith(ANN, SECRET)).toEqual([])
})

test('an erased person leaves no byte behind when the process stops right away', async () => {
  const hashes = await fill()
  await Promise.all([store.erase(ANN), store.close()])
  expect(filesWith(ANN, SECRET, ...hashes)).toEqual([])
})

test('people who are erased one after the other leave no byte behind either', async () => {
  await fill()
  await store.erase(ANN)
  await store.changePairs(ANN, { kind: 'put', pairs: new Map([['again', SECRET]]) })
  await store.erase(ANN)
  await store.erase('600000000000000003')
  await store.close()
  expect(filesWith(ANN, SECRET, '600000000000000003')).toEqual([])
})

test('a process that is killed before the file is rewritten leaves that to the next', async () => {
  await fill()
  await store.close()
  const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/sqlite.ts'))}
    const store = openStore(${JSON.stringify(space.file())}, { log: { debug() {}, info() {}, warn() {}, error() {} } })
    await store.erase('${ANN}')
    process.kill(process.pid, 'SIGKILL')`
  await Bun.spawn([process.execPath, '-e', script], { stderr: 'inherit' }).exited
  store = openStore(space.file(), { log: silent })
  await rewritten()
  expect(filesWith(ANN, SECRET)).toEqual([])
})

test('while a backup reads the file, the erased bytes wait for the end of that', async () => {
  await fill()
  const reader = new Database(space.file(), { readonly: true })
  reader.run('BEGIN')
  reader.query('SELECT count(*) FROM pairs').get()
  await store.erase(ANN)
  await rewritten()
  expect(filesWith(SECRET)).not.toEqual([])
  reader.run('COMMIT')
  reader.close()
  await store.close()
  expect(filesWith(ANN, SECRET)).toEqual([])
})

test('writes during a rewrite wait and are kept', async () => {
  await live()
  const erased = store.erase(ANN)
  const writes = Array.from({ length: 200 }, async (_, at) => {
    if (at > 20) await erased
    return store.changePairs('7', { kind: 'put', pairs: new Map([[`k${at}`, '1']]) })
  })
  await Promise.all(writes)
  expect(new Map(store.loadPairs()).get('7')?.size).toBe(200)
})

/** Runs it where nothing may be written to but one folder, mounted under the name /mnt. */
const SHUT = `set -eu
mount --bind "$1" /mnt
for folder in /tmp /var/tmp /dev/shm; do
  mount --bind "$folder" "$folder"
  mount -o remount,bind,ro "$folder"
done
cd /tmp
exec "$2" -e "$3"`
const mayUnshare = Bun.spawnSync(['unshare', '--mount', 'true']).exitCode === 0

test.skipIf(!mayUnshare)('people are erased where only the folder of the database may be written to', async () => {
  await fill()
  // More than SQLite rewrites in memory.
  const large = new Map(Array.from({ length: 300 }, (_, at) => [`large${at}`, 'x'.repeat(30_000)]))
  await store.changePairs('7', { kind: 'put', pairs: large })
  await store.close()
  const script = `import { openStore } from ${JSON.stringify(import.meta.resolve('../../src/store/sqlite.ts'))}
    const told = []
    const write = (message, fields) => void told.push(message, fields)
    const log = { debug: write, info: write, warn: write, error: write }
    const store = openStore('/mnt/exoix.db', { log })
    await store.erase('${ANN}')
    await store.changePairs('5', { kind: 'put', pairs: new Map([['a', '1']]) })
    await store.erase('600000000000000003')
    await store.close()
    console.log(JSON.stringify(told))`
  const child = Bun.spawn(['unshare', '--mount', 'sh', '-c', SHUT, 'sh', space.folder, process.execPath, script], {
    env: { PATH: process.env.PATH ?? '' },
    stdout: 'pipe',
    stderr: 'inherit',
  })
  expect(await new Response(child.stdout).text()).toBe('[]\n')
  expect(await child.exited).toBe(0)
  expect(filesWith(ANN, SECRET, '600000000000000003')).toEqual([])
  store = openStore(space.file(), { log: silent })
})
