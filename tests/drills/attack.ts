import { readFileSync } from 'node:fs'
import { Keys } from '../../src/domain/keys.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../support/app.ts'
import { temporaryFolder } from '../support/executable.ts'
import { issueKey } from '../support/keys.ts'
import { type Attack, KINDS } from './support/attacker.ts'
import { type Figures, hold, median, megabytes, milliseconds, runDrill } from './support/drill.ts'
import { settings, startExoix } from './support/exoix-process.ts'
import type { Probed } from './support/probe.ts'
import { startWorker } from './support/worker.ts'

export interface AttackOptions {
  /** Of each attack, milliseconds. */
  readonly length: number
  readonly kinds?: readonly Attack['kind'][]
}

/** A machine of 1 GiB has to outlive all of them. Bytes. */
const MEMORY = 1024 * 1024 * 1024
const PEOPLE = 200

/** The worst a single address and a single key can do: in memory, and in the longest wait of somebody else who reads. */
export async function attackDrill({ length, kinds = KINDS }: AttackOptions): Promise<Figures> {
  const figures: Record<string, string> = {}
  for (const kind of kinds) figures[kind] = await attackOnce(kind, length)
  return figures
}

/** Each meets a process of its own, so that its highest memory is its own. */
async function attackOnce(kind: Attack['kind'], length: number): Promise<string> {
  using folder = temporaryFolder()
  const databasePath = `${folder.path}/exoix.db`
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0 })
  const [, owner = '', other = ''] = [...simulator.world.addGuild({ members: PEOPLE }).members.keys()]
  const key = await prepare(databasePath, owner)
  const env = settings(simulator, { TRUSTED_PROXIES: '127.0.0.1', DATABASE_PATH: databasePath })
  await using exoix = await startExoix({ folder: folder.path, env })
  await using reader = startWorker('probe.ts')
  await using attacker = startWorker('attacker.ts')
  try {
    await exoix.says(/all members are known/)
    const before = memoryOf(exoix.pid).now
    await reader.ask('begin', `${exoix.url}/v1/users/${other}`)
    await attacker.ask('begin', { url: exoix.url, kind, key, owner } satisfies Attack)
    await Bun.sleep(length)
    const { peak } = memoryOf(exoix.pid)
    const { reads, refusals } = await reader.ask<Probed>('end', 0)
    const { requests, connections } = await attacker.ask<{ requests: number; connections: number }>('end')
    hold(reads.length > 0, `${kind}: nobody else was answered`)
    hold(refusals.length === 0, `${kind}: ${refusals.length} reads of others were refused: ${refusals[0]}`)
    hold(peak < MEMORY, `${kind}: memory rose to ${megabytes(peak)}`)
    return [
      `memory +${megabytes(peak - before)} to ${megabytes(peak)}`,
      `reads of others ${milliseconds(median(reads))}, the longest ${milliseconds(Math.max(...reads))}`,
      `${requests} requests and ${connections} connections of the attacker`,
    ].join('; ')
  } finally {
    await simulator.stop()
  }
}

/** A key, and as many pairs as its owner may have. */
async function prepare(path: string, owner: string): Promise<string> {
  const store = openStore(path, { log: silent })
  const key = await issueKey(new Keys(store), owner)
  const pairs = Array.from({ length: 511 }, (_, at) => [`large${at}`, 'x'.repeat(30_000)] as const)
  await store.changePairs(owner, { kind: 'put', pairs: new Map(pairs) })
  await store.close()
  return key
}

/** Resident bytes of a process: now, and at most so far. */
function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) * 1024
  return { now: kilobytes('VmRSS'), peak: kilobytes('VmHWM') }
}

if (import.meta.main) await runDrill('attack', ({ long }) => attackDrill({ length: long ? 30_000 : 4000 }))
