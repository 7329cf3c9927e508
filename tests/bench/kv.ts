import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Keys } from '../../src/domain/keys.ts'
import { createLog } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { issueKey } from '../support/keys.ts'
import type { LoadResult } from './processes/http-load.ts'
import type { WriteResult } from './processes/kv-load.ts'
import { type Application, startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Row, type RunOptions } from './support/benchmark.ts'
import { type Child, withChildren } from './support/child.ts'
import { makePeople } from './support/people.ts'
import { cpuSeconds } from './support/usage.ts'

const PEOPLE = 1000
const WRITERS = 64
const WRITES_A_SECOND = 1000

/** Writes over HTTP beside one prepared upsert in a loop, as durable; and what writes leave of reads. */
export const benchmark: Benchmark = {
  name: 'kv',
  async run(options) {
    const folder = mkdtempSync(join(tmpdir(), 'exoix-bench-'))
    try {
      const databasePath = join(folder, 'exoix.db')
      const keys = await giveKeys(databasePath)
      return await withChildren(
        ['discord', 'exoix', 'kv-control', 'kv-load', 'http-load'],
        async (discord, exoix, control, writer, reader) => {
          const app = await startApplication(discord, exoix, PEOPLE, { databasePath })
          await control.call('open', join(folder, 'control.db'))
          return [
            await writes(control, writer, app, keys, options),
            ...(await readsBesideWrites({ reader, writer, exoix }, app, keys, options)),
          ]
        },
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** A key for each of the writers, who are among the people. */
async function giveKeys(databasePath: string): Promise<string[]> {
  const store = openStore(databasePath, { log: createLog({ level: 'error', format: 'text' }) })
  const owners = new Keys(store)
  const keys = await Promise.all(makePeople(WRITERS).map(({ id }) => issueKey(owners, id)))
  await store.close()
  return keys
}

async function writes(
  control: Child,
  writer: Child,
  { url }: Application,
  keys: readonly string[],
  { rounds, long }: RunOptions,
): Promise<Row> {
  const seconds = long ? 3 : 1
  const waits: number[] = []
  const pairs = await alternate(
    rounds,
    () => control.call<number>('run', seconds),
    async () => {
      const { perSecond, median } = await writer.call<WriteResult>('run', { url, keys, seconds, perSecond: 0 })
      waits.push(median)
      return perSecond
    },
  )
  return {
    name: `PUT pair, ${WRITERS} clients, beside an upsert in a loop`,
    unit: 'writes/s',
    better: 'higher',
    ...pairs,
    target: 'ratio ≥ 0.50',
    note: `acknowledged after ${middle(waits).toFixed(1)} ms`,
  }
}

async function readsBesideWrites(
  { reader, writer, exoix }: Record<'reader' | 'writer' | 'exoix', Child>,
  { url, ids }: Application,
  keys: readonly string[],
  { rounds, long }: RunOptions,
): Promise<Row[]> {
  const seconds = long ? 3 : 1
  const requests = ids.map(id => ({ path: `/v1/users/${id}` }))
  const costs: number[] = []
  const read = async () => {
    const load = { url, requests, connections: 64, seconds, status: 200 }
    const before = cpuSeconds(exoix.pid)
    const { answers, requestsPerSecond } = await reader.call<LoadResult>('run', load)
    costs.push(((cpuSeconds(exoix.pid) - before) / answers) * 1e6)
    return requestsPerSecond
  }
  const speeds: number[] = []
  const commits: number[] = []
  const pairs = await alternate(rounds, read, async () => {
    const before = await commitsOf(url)
    const writing = writer.call<WriteResult>('run', { url, keys, seconds: seconds + 0.2, perSecond: WRITES_A_SECOND })
    const [reads, { perSecond, acknowledged }] = await Promise.all([read(), writing])
    speeds.push(perSecond)
    commits.push(((await commitsOf(url)) - before) / acknowledged)
    return reads
  })
  const name = `GET presence during ${WRITES_A_SECOND} writes a second, beside none`
  const note = `${Math.round(middle(speeds))} writes/s in ${Math.round(middle(commits) * middle(speeds))} transactions/s`
  // The first pair was the warm-up; in each, the read without writes came first.
  const [control, loaded] = [0, 1].map(side => costs.filter((_, at) => at > 1 && at % 2 === side))
  return [
    { name, unit: 'requests/s', better: 'higher', ...pairs, target: 'ratio ≥ 0.80', note },
    { name: `${name}, CPU time`, unit: 'µs/request', better: 'lower', control: control ?? [], exoix: loaded ?? [] },
  ]
}

async function commitsOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^exoix_store_commits_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
