import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { ApiError, kvValidationFailed } from '../../src/domain/errors.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { type Claimed, openDatabase } from '../../src/store/database.ts'
import { createGroupCommit, type GroupCommit } from '../../src/store/group-commit.ts'
import { listening, scratch } from './support/files.ts'

let space: ReturnType<typeof scratch>
let database: Claimed
let group: GroupCommit
let commits: () => number
let insert: (value: number) => Promise<unknown>
const told = listening()

beforeEach(() => {
  space = scratch()
  database = openDatabase(space.file(), told.log)
  database.db.run('CREATE TABLE numbers (value INTEGER PRIMARY KEY) STRICT')
  const metrics = createMetrics()
  group = createGroupCommit(database.db, { log: told.log, metrics })
  commits = () => Number(/^exoix_store_commits_total (\d+)$/m.exec(metrics.render())?.[1])
  const statement = database.db.prepare<void, [number]>('INSERT INTO numbers VALUES (?)')
  insert = value => group.write(() => statement.run(value).changes)
})
afterEach(() => {
  group.close()
  database.close()
  space[Symbol.dispose]()
})

const numbers = () => database.db.query('SELECT value FROM numbers ORDER BY value').values().flat()
const nextTick = () => new Promise<void>(resolve => setImmediate(resolve))

test('writes that arrive together share one transaction', async () => {
  await Promise.all(Array.from({ length: 500 }, (_, at) => insert(at)))
  expect(commits()).toBe(1)
  expect(numbers()).toHaveLength(500)
})

test('a transaction holds a bounded number of writes, and other work gets its turn in between', async () => {
  let turns = 0
  let counting = true
  const count = () => {
    turns++
    if (counting) setImmediate(count)
  }
  const writes = Promise.all(Array.from({ length: 2000 }, (_, at) => insert(at)))
  setImmediate(count)
  await writes
  counting = false
  expect(commits()).toBe(4)
  expect(turns).toBeGreaterThanOrEqual(3)
})

test('a lone write is kept within the tick, without waiting for company', async () => {
  let kept = false
  void insert(1).then(() => {
    kept = true
  })
  await nextTick()
  expect(kept).toBe(true)
  expect(numbers()).toEqual([1])
})

test('a stream of lone writes is gathered into fewer transactions than writes', async () => {
  const writes: Promise<unknown>[] = []
  for (let at = 0; at < 2000; at++) {
    writes.push(insert(at))
    await nextTick()
  }
  await Promise.all(writes)
  expect(commits()).toBeLessThan(1000)
  expect(numbers()).toHaveLength(2000)
})

test('a write that throws is undone alone, and rejects with what it threw', async () => {
  const results = await Promise.allSettled([
    insert(1),
    group.write(() => {
      database.db.run('INSERT INTO numbers VALUES (2)')
      throw kvValidationFailed('no')
    }),
    group.write(() => {
      database.db.run('INSERT INTO numbers VALUES (3)')
      throw new TypeError('a mistake of ours')
    }),
    insert(1),
    insert(4),
  ])
  const reasons = results.map(result => (result.status === 'rejected' ? result.reason : null))
  expect(reasons[0]).toBeNull()
  expect(reasons[1]).toMatchObject({ code: 'kv_validation_failed' })
  expect(reasons[2]).toBeInstanceOf(TypeError)
  expect(reasons[3]).toMatchObject({ code: 'storage_unavailable' })
  expect(reasons[4]).toBeNull()
  expect(numbers()).toEqual([1, 4])
})

test('a write that breaks the transaction takes the batch along, not the next', async () => {
  const results = await Promise.allSettled([insert(1), group.write(() => database.db.run('ROLLBACK')), insert(2)])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  await insert(3)
  expect(numbers()).toEqual([3])
})

test('nothing is told before it is durable, and everything in the order of the calls', async () => {
  const order: number[] = []
  const other = new Database(space.file(), { readonly: true })
  await Promise.all(
    [5, 3, 9, 1].map(async value => {
      await insert(value)
      expect(other.query('SELECT count(*) FROM numbers').values()).toEqual([[4]])
      order.push(value)
    }),
  )
  other.close()
  expect(order).toEqual([5, 3, 9, 1])
})

test('closing writes what is pending, and refuses what comes later', async () => {
  const pending = Promise.all(Array.from({ length: 1500 }, (_, at) => insert(at)))
  group.close()
  expect(numbers()).toHaveLength(1500)
  await pending
  await expect(insert(1500)).rejects.toBeInstanceOf(ApiError)
})

test('more writes than the disk can follow are refused instead of heaped up', async () => {
  const results = await Promise.allSettled(Array.from({ length: 20_010 }, (_, at) => insert(at)))
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(10)
  expect(numbers()).toHaveLength(20_000)
})
