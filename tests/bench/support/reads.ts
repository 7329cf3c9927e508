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
  const load = { requests, connections: CONNECTIONS, seconds: SLICE, status }
  for (let round = 0; round <= rounds; round++) {
    const taken = { control: createTally(), exoix: createTally() }
    for (let slice = 0; slice < (long ? 6 : 2); slice++) {
      for (const side of SIDES)
        await measureSlice(client, servers[side].child, { ...load, url: servers[side].url }, taken[side])
    }
    // The first is the warm-up.
    if (round === 0) continue
    for (const side of SIDES) {
      speeds[side].push(taken[side].answers / taken[side].seconds)
      costs[side].push((taken[side].cpu / taken[side].answers) * 1e6)
    }
  }
  return [
    { name, unit: 'requests/s', better: 'higher', ...speeds, target },
    { name: `${name}, CPU time`, unit: 'µs/request', better: 'lower', ...costs },
  ]
}

const SIDES = ['control', 'exoix'] as const
/** A round is cut into slices this long, in seconds, control and Exoix in turns: what disturbs then disturbs both. */
const SLICE = 0.5

const createTally = () => ({ answers: 0, seconds: 0, cpu: 0 })

async function measureSlice(client: Child, server: Child, load: Load, tally: ReturnType<typeof createTally>) {
  const before = cpuSeconds(server.pid)
  const { answers, requestsPerSecond } = await client.call<LoadResult>('run', load)
  tally.cpu += cpuSeconds(server.pid) - before
  tally.answers += answers
  tally.seconds += answers / requestsPerSecond
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
