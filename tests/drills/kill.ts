import { join } from 'node:path'
import { Keys } from '../../src/domain/keys.ts'
import type { KvChange } from '../../src/domain/kv.ts'
import { createLog } from '../../src/lib/log.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { type KillDriver, killRounds, LANE_USERS, type Victim } from '../store/support/kill-rounds.ts'
import { temporaryFolder } from '../support/executable.ts'
import { issueKey } from '../support/keys.ts'
import { type Figures, hold, runDrill } from './support/drill.ts'
import { type ExoixProcess, settings, startExoix } from './support/exoix-process.ts'

export interface KillOptions {
  readonly rounds: number
  readonly seed: number
}

/**
 * Kills the whole server amid writes over HTTP, again and again. Everything answered with 204 is there afterwards, and
 * no merge is half there.
 */
export async function killDrill(options: KillOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const simulator = await startSimulator()
  const keys = await issueKeys(join(folder.path, 'exoix.db'))
  const driver = httpDriver(folder.path, simulator, keys)
  try {
    const { acknowledged, unacknowledged } = await killRounds(driver, options)
    hold(driver.refusals.length === 0, `${driver.refusals.length} writes were refused, first: ${driver.refusals[0]}`)
    return {
      kills: options.rounds,
      'writers at the same time': driver.writers(),
      'writes answered with 204, all kept': acknowledged,
      'kept though the answer was lost': unacknowledged,
    }
  } finally {
    await driver.stop()
    await simulator.stop()
  }
}

/** A key for each of the people who write; made before anybody serves from the file. */
async function issueKeys(file: string): Promise<ReadonlyMap<string, string>> {
  const store = openStore(file, { log: createLog({ level: 'silent', format: 'text' }) })
  const keys = new Keys(store)
  const issued = await Promise.all(LANE_USERS.map(async id => [id, await issueKey(keys, id)] as const))
  await store.close()
  return new Map(issued)
}

interface HttpDriver extends KillDriver {
  /** Answers but 204. */
  readonly refusals: readonly string[]
  writers(): number
  stop(): Promise<void>
}

/** The whole server. The process that shows what was kept takes the next round's writes. */
function httpDriver(folder: string, simulator: Simulator, keys: ReadonlyMap<string, string>): HttpDriver {
  const refusals: string[] = []
  let running: ExoixProcess | null = null
  const underWay = new Set<Promise<void>>()
  let most = 0

  async function process(): Promise<ExoixProcess> {
    running ??= await startExoix({ folder, env: settings(simulator) })
    return running
  }

  async function write(url: string, userId: string, change: KvChange): Promise<void> {
    const { path, ...request } = requestFor(change)
    const headers = { Authorization: keys.get(userId) ?? '' }
    const response = await fetch(`${url}/v1/users/${userId}/kv${path}`, { ...request, headers })
    if (response.status === 204) return
    refusals.push(`${response.status} ${await response.text()}`)
    throw new Error('refused')
  }

  async function watched(writing: Promise<void>): Promise<void> {
    underWay.add(writing)
    most = Math.max(most, underWay.size)
    try {
      await writing
    } finally {
      underWay.delete(writing)
    }
  }

  async function kill(): Promise<void> {
    const victim = running
    running = null
    victim?.kill('SIGKILL')
    await victim?.exited
    await Promise.allSettled(underWay)
  }

  return {
    refusals,
    writers: () => most,
    async start(): Promise<Victim> {
      const { url } = await process()
      return { write: (userId, change) => watched(write(url, userId, change)), kill }
    },
    async read() {
      const { url } = await process()
      const pairs = [...keys].map(async ([id, key]) => [id, await readPairs(url, key)] as const)
      return new Map(await Promise.all(pairs))
    },
    stop: kill,
  }
}

function requestFor(change: KvChange): { path: string; method: string; body?: string } {
  if (change.kind === 'clear') return { path: '', method: 'DELETE' }
  if (change.kind === 'delete') return { path: `/${change.key}`, method: 'DELETE' }
  const [[key, value] = ['', ''], ...more] = change.pairs
  if (more.length === 0) return { path: `/${key}`, method: 'PUT', body: value }
  return { path: '', method: 'PATCH', body: JSON.stringify(Object.fromEntries(change.pairs)) }
}

async function readPairs(url: string, key: string): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(`${url}/v1/users/@me/kv`, { headers: { Authorization: key } })
  const { data } = (await response.json()) as { data: Record<string, string> }
  return new Map(Object.entries(data))
}

if (import.meta.main) {
  await runDrill('kill', ({ long, seed }) => killDrill({ rounds: long ? 200 : 8, seed }))
}
