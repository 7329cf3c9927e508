import type { Load, LoadResult } from '../processes/http-load.ts'
import type { Prepared } from '../processes/reads-control.ts'
import type { Row, RunOptions } from './benchmark.ts'
import type { Child } from './child.ts'
import { cpuSeconds } from './usage.ts'

export interface Server {
  readonly child: Child
  readonly url: string
}

export interface Reads {
  readonly name: string
  /** What is asked for; the request headers decide the kind of read. */
  readonly requests: Load['requests']
  /** What every answer must be. */
  readonly status: number
  readonly target?: string
}

const CONNECTIONS = 64

/**
 * Reads a second of a control and of Exoix, and the CPU time each server spends on one. The second is the steadier
 * figure where the machine has other work too.
 */
export async function measureReads(
  client: Child,
  servers: { control: Server; exoix: Server },
  { name, requests, status, target }: Reads,
  { rounds, long }: RunOptions,
): Promise<Row[]> {
  const speeds = { control: [] as number[], exoix: [] as number[] }
  const costs = { control: [] as number[], exoix: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    for (const side of ['control', 'exoix'] as const) {
      const load: Load = { url: servers[side].url, requests, connections: CONNECTIONS, seconds: long ? 3 : 1, status }
      const { speed, cost } = await measureOnce(client, servers[side].child, load)
      if (round === 0) continue
      speeds[side].push(speed)
      costs[side].push(cost)
    }
  }
  return [
    { name, unit: 'requests/s', better: 'higher', ...speeds, target },
    { name: `${name}, CPU time`, unit: 'µs/request', better: 'lower', ...costs },
  ]
}

async function measureOnce(client: Child, server: Child, load: Load) {
  const before = cpuSeconds(server.pid)
  const { answers, requestsPerSecond } = await client.call<LoadResult>('run', load)
  return { speed: requestsPerSecond, cost: ((cpuSeconds(server.pid) - before) / answers) * 1e6 }
}

/**
 * Reads each path, and once more with the ETag it got, and keeps the answers, so that the control can send the very
 * same bytes and headers.
 */
export async function record(
  url: string,
  ids: readonly string[],
  path: (id: string) => string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Prepared[]> {
  const prepared: Prepared[] = []
  for (const id of ids) {
    const full = await read(url + path(id), headers, 200)
    const etag = full.headers.get('ETag') ?? ''
    const unchanged = await read(url + path(id), { ...headers, 'If-None-Match': etag }, 304)
    const body = Buffer.from(await full.arrayBuffer()).toString('base64')
    prepared.push({ id, etag, headers: ownHeaders(full), unchanged: ownHeaders(unchanged), body })
  }
  return prepared
}

async function read(url: string, headers: Readonly<Record<string, string>>, status: number): Promise<Response> {
  // Not decompressed: the control repeats the bytes as they are. Without the header fetch would ask for compression.
  const answer = await fetch(url, { headers: { 'Accept-Encoding': 'identity', ...headers }, decompress: false })
  if (answer.status !== status) throw new Error(`${url} answered ${answer.status} instead of ${status}`)
  return answer
}

/** Without the headers Bun adds by itself. */
function ownHeaders({ headers }: Response): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name !== 'content-length' && name !== 'date'))
}
