import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog } from '../../src/lib/log.ts'
import { openStore } from '../../src/store/sqlite.ts'
import type { Load, LoadResult } from './processes/http-load.ts'
import { startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Row } from './support/benchmark.ts'
import { withChildren } from './support/child.ts'
import { personId } from './support/people.ts'
import { record } from './support/reads.ts'
import { cpuSeconds } from './support/usage.ts'

const PEOPLE = 1000
const harmyPath = (id: string) => `/user/${id}`
const presencePath = (id: string) => `/v1/users/${id}`

/** harmy's reads of people with linked GitHub accounts, beside presence reads of the same people by the same server. */
export const benchmark: Benchmark = {
  name: 'harmy',
  run: ({ rounds, long }) =>
    withChildren(['discord', 'exoix', 'http-load'], async (discord, exoix, client) => {
      const folder = await mkdtemp(join(tmpdir(), 'exoix-bench-'))
      try {
        const databasePath = join(folder, 'exoix.db')
        await linkEverybody(databasePath)
        const { url, ids } = await startApplication(discord, exoix, PEOPLE, { databasePath })
        const measure = async (requests: Load['requests'], status: number, costs: number[]) => {
          const load: Load = { url, requests, connections: 64, seconds: long ? 3 : 1, status }
          const before = cpuSeconds(exoix.pid)
          const { answers, requestsPerSecond } = await client.call<LoadResult>('run', load)
          costs.push(((cpuSeconds(exoix.pid) - before) / answers) * 1e6)
          return requestsPerSecond
        }
        const rows: Row[] = []
        for (const status of [200, 304]) {
          const [presences, harmys] = [await requestsOf(presencePath, status), await requestsOf(harmyPath, status)]
          const costs = { control: [] as number[], exoix: [] as number[] }
          const speeds = await alternate(
            rounds,
            () => measure(presences, status, costs.control),
            () => measure(harmys, status, costs.exoix),
          )
          const name = `GET /user/:id, ${status}, beside /v1/users/:id`
          rows.push({ name, unit: 'requests/s', better: 'higher', ...speeds, target: 'ratio ≥ 0.95' })
          const [control, own] = [costs.control.slice(1), costs.exoix.slice(1)]
          rows.push({ name: `${name}, CPU time`, unit: 'µs/request', better: 'lower', control, exoix: own })
        }
        return rows

        async function requestsOf(path: (id: string) => string, status: number): Promise<Load['requests']> {
          const answers = await record(url, ids, path)
          return answers.map(({ id, etag }) =>
            status === 304 ? { path: path(id), headers: { 'If-None-Match': etag } } : { path: path(id) },
          )
        }
      } finally {
        await rm(folder, { recursive: true })
      }
    }),
}

async function linkEverybody(databasePath: string): Promise<void> {
  const store = openStore(databasePath, { log: createLog({ level: 'error', format: 'text' }) })
  const account = {
    username: 'ada',
    avatar_url: null,
    url: null,
    company: null,
    blog: '',
    bio: 'engines',
    public_repos: 3,
  }
  await Promise.all(
    Array.from({ length: PEOPLE }, (_, index) =>
      store.storeLink({
        userId: personId(index),
        githubId: index,
        login: 'ada',
        account: JSON.stringify({ id: index, ...account }),
        etag: null,
        checkedAt: Date.now(),
      }),
    ),
  )
  await store.close()
}
