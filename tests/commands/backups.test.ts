import { afterEach, beforeEach, expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type BackupPlan, keepBackups } from '../../src/commands/backups.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { scratch, silent } from '../store/support/files.ts'

const HOUR = 3_600_000
const START = Date.parse('2026-01-31T10:00:00Z')

let space: ReturnType<typeof scratch>
let folder: string
let now: number
let told: string[]
let complaints: string[]
beforeEach(async () => {
  space = scratch()
  folder = space.file('backups')
  now = START
  told = []
  complaints = []
  await openStore(space.file(), { log: silent }).close()
})
afterEach(() => space[Symbol.dispose]())

class Enough extends Error {}

/** Lets so much time pass, in as many steps as it sleeps; `each` looks on before each sleep. */
async function during(ms: number, plan: Partial<BackupPlan> = {}, each: () => void = () => {}): Promise<void> {
  const end = now + ms
  const running = keepBackups(
    { databasePath: space.file(), folder, every: 24 * HOUR, keep: 3, ...plan },
    {
      say: text => void told.push(text),
      complain: text => void complaints.push(text),
      now: () => now,
      async sleep(time) {
        each()
        now += time
        if (now > end) throw new Enough()
      },
    },
  )
  await running.catch(error => {
    if (!(error instanceof Enough)) throw error
  })
}

const kept = () => readdirSync(folder).sort()

test('a backup is made at once and then as often as was asked for; the newest are kept', async () => {
  await during(5 * 24 * HOUR - 1)
  expect(kept()).toEqual([
    'exoix-2026-02-02T10-00-00Z.db',
    'exoix-2026-02-03T10-00-00Z.db',
    'exoix-2026-02-04T10-00-00Z.db',
  ])
  expect(told.filter(text => text.startsWith('Backed up'))).toHaveLength(5)
  expect(told.filter(text => text.startsWith('Removed'))).toHaveLength(2)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('a restart makes none before the next is due', async () => {
  await during(HOUR)
  now = START + 20 * HOUR
  await during(3 * HOUR)
  expect(kept()).toHaveLength(1)
  await during(2 * HOUR)
  expect(kept()).toHaveLength(2)
})

test('what is not a backup of ours stays, however many there are', async () => {
  mkdirSync(folder)
  const others = ['exoix-before-the-upgrade.db', 'exoix-2026-01-01.db', 'notes.txt']
  for (const name of others) writeFileSync(join(folder, name), 'Dear diary')
  await during(5 * 24 * HOUR, { keep: 1 })
  expect(kept().filter(name => others.includes(name))).toEqual(others.toSorted())
  expect(kept()).toHaveLength(4)
})

test('one that fails is told, removes nothing, and is tried again soon', async () => {
  await during(2 * 24 * HOUR, { keep: 1 })
  const before = kept()
  rmSync(space.file())
  await during(24 * HOUR + 10 * 60_000, { keep: 1 }, () => {
    if (complaints.length === 1) rmSync(space.file(), { force: true })
  })
  expect(complaints[0]).toBe(`no backup was made: There is no file ${space.file()}.`)
  expect(complaints.length).toBeGreaterThan(1)
  expect(kept()).toEqual(before)
  await openStore(space.file(), { log: silent }).close()
  await during(30 * 60_000, { keep: 1 })
  expect(kept()).not.toEqual(before)
})

test('a folder that cannot be made is said in a sentence', async () => {
  writeFileSync(space.file('file'), '')
  await expect(during(HOUR, { folder: space.file('file/in') })).rejects.toThrow(/cannot be used \(\w+\)\.$/)
  expect(existsSync(space.file('file/in'))).toBe(false)
})
