import type { Prepared } from './processes/reads-control.ts'
import { startApplication } from './support/application.ts'
import type { Benchmark } from './support/benchmark.ts'
import { withChildren } from './support/child.ts'
import { measureReads, type Reads, record } from './support/reads.ts'

const PEOPLE = 1000
const path = (id: string) => `/v1/users/${id}`
const gzip = { 'Accept-Encoding': 'gzip' }

/** Each kind of read: what is asked for, given the answers recorded before. */
const KINDS: readonly (Pick<Reads, 'name' | 'status'> & {
  headers?: Readonly<Record<string, string>>
  request: (answer: Prepared) => Reads['requests'][number]
})[] = [
  { name: 'GET presence', status: 200, request: ({ id }) => ({ path: path(id) }) },
  { name: 'GET presence, gzip', status: 200, headers: gzip, request: ({ id }) => ({ path: path(id), headers: gzip }) },
  {
    name: 'GET presence, 304',
    status: 304,
    request: ({ id, etag }) => ({ path: path(id), headers: { 'If-None-Match': etag } }),
  },
]

/** Presence reads beside a native route that sends the same bytes and headers and makes the same ETag comparison. */
export const benchmark: Benchmark = {
  name: 'rest',
  run: options =>
    withChildren(['discord', 'exoix', 'reads-control', 'http-load'], async (discord, exoix, control, client) => {
      const { url, ids } = await startApplication(discord, exoix, PEOPLE)
      const rows = []
      for (const { name, status, headers, request } of KINDS) {
        const answers = await record(url, ids, path, headers)
        const servers = {
          control: { child: control, url: await control.call<string>('serve', { path: path(':id'), answers }) },
          exoix: { child: exoix, url },
        }
        const reads: Reads = { name, status, requests: answers.map(request), target: 'ratio ≥ 0.90' }
        rows.push(...(await measureReads(client, servers, reads, options)))
      }
      return rows
    }),
}
