import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { renameSync } from 'node:fs'
import { ApiError, kvValidationFailed } from '../../src/domain/errors.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { OpenDatabase } from '../../src/store/database.ts'
import { GroupCommit } from '../../src/store/group-commit.ts'
import { listening, scratch } from './support/files.ts'

let space: ReturnType<typeof scratch>
let database: OpenDatabase
let group: GroupCommit
let commits: () => number
let insert: (value: number) => Promise<unknown>
const told = listening()

beforeEach(() => {
  space = scratch()
  database = new OpenDatabase(space.file(), told.log)
  database.db.run('CREATE TABLE numbers (value INTEGER PRIMARY KEY) STRICT')
  const metrics = createMetrics()
  group = new GroupCommit(database, { log: told.log, metrics })
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

describe('what waits', () => {
  const MIB = 1024 * 1024

  test('is bounded in bytes: more is refused, and taken again once the rest is kept', async () => {
    const write = (bytes: number) => group.write(() => bytes, bytes)
    const waiting = Array.from({ length: 8 }, () => write(8 * MIB))
    await expect(write(1)).rejects.toMatchObject({ status: 503, code: 'storage_unavailable' })
    const small = insert(1)
    await Promise.all(waiting)
    await small
    expect(await write(8 * MIB)).toBe(8 * MIB)
  })

  test('is refused in bytes while the file is being rewritten, too', async () => {
    const { promise: rewritten, resolve: finish } = Promise.withResolvers<void>()
    const pause = group.pause(() => rewritten)
    const writes = Array.from({ length: 69 }, () => group.write(() => {}, 8 * MIB))
    const results = Promise.allSettled(writes)
    await expect(writes.at(-1)).rejects.toMatchObject({ code: 'storage_unavailable' })
    finish()
    await pause
    expect((await results).filter(({ status }) => status === 'fulfilled')).toHaveLength(8)
  })

  test('is taken when it is larger than the bound, but alone', async () => {
    const large = group.write(() => 'kept', 100 * MIB)
    await expect(group.write(() => {}, 1)).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(await large).toBe('kept')
  })

  test('goes into transactions of a bounded size: large writes into one each', async () => {
    await Promise.all(Array.from({ length: 3 }, () => group.write(() => {}, 3 * MIB)))
    expect(commits()).toBe(3)
    await Promise.all(Array.from({ length: 40 }, () => group.write(() => {}, MIB / 16)))
    expect(commits()).toBe(5)
  })
})

describe('on a disk that takes its time', () => {
  /** Hands that only move when they are turned; writes take as long as they are told to. */
  function slowly() {
    let now = 1000
    const timers: { at: number; run: () => void }[] = []
    const clock = {
      monotonic: () => now,
      after(ms: number, run: () => void) {
        timers.push({ at: now + ms, run })
        return () => {}
      },
    }
    return {
      group: new GroupCommit(database, { log: told.log, clock }),
      take: (ms: number) => {
        now += ms
      },
      /** Until when the next commit waits; null when none does. */
      next: () => (timers.length === 0 ? null : Math.min(...timers.map(({ at }) => at)) - now),
      run() {
        now = Math.max(now, timers[0]?.at ?? now)
        timers.shift()?.run()
      },
    }
  }

  /** Writes one after the other, each taking so long, until the time that was saved up is used. */
  async function busy(hands: ReturnType<typeof slowly>, ms: number): Promise<void> {
    for (let at = 0; at < 30; at++) {
      const kept = hands.group.write(() => hands.take(ms))
      if (hands.next() !== null) return
      await kept
    }
    throw new Error('nothing ever waited')
  }

  test('commits are as far apart as leaves nine tenths of the time to everything else', async () => {
    const hands = slowly()
    await busy(hands, 40)
    hands.run()
    // The commit under way began at its turn and took 40 ms; the next begins 400 ms after this one began.
    const next = hands.group.write(() => 'kept')
    expect(hands.next()).toBe(400 - 40)
    hands.run()
    expect(await next).toBe('kept')
  })

  test('but never further than half a second', async () => {
    const hands = slowly()
    await busy(hands, 90)
    hands.run()
    void hands.group.write(() => {})
    expect(hands.next()).toBe(500 - 90)
    hands.run()
  })
})

test('a file that has gone is said though nothing is written, once, and that it takes writes when it is back', async () => {
  const said = () => told.lines.map(line => JSON.parse(line).message).filter(text => text.includes('keep'))
  told.lines.length = 0
  group.watch()
  expect(said()).toEqual([])
  renameSync(space.file(), space.file('away.db'))
  group.watch()
  group.watch()
  expect(said()).toEqual(['the database cannot keep writes'])
  renameSync(space.file('away.db'), space.file())
  await insert(1)
  expect(said()).toEqual(['the database cannot keep writes', 'the database keeps writes again'])
})
