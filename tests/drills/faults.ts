import { createRandom } from '../../src/simulator/random.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { type Figures, hold, runDrill } from './support/drill.ts'
import { settings } from './support/exoix-process.ts'
import { type Follower, follow } from './support/follower.ts'
import { readGauges } from './support/metrics.ts'
import { numberIn } from './support/numbered.ts'
import { type Pollers, poll } from './support/pollers.ts'
import { buildTown, type Town } from './support/town.ts'
import { startWorker } from './support/worker.ts'

export interface FaultsOptions {
  readonly people: number
  readonly changesPerSecond: number
  /** Changes while each fault lasts. */
  readonly changes: number
  /** Times each fault comes. */
  readonly rounds: number
  /** Names of the faults that come; without, all. */
  readonly only?: readonly string[]
}

interface Scene {
  readonly simulator: Simulator
  readonly town: Town
  readonly url: string
  readonly follower: Follower
}

/** What goes wrong between Exoix and Discord. `over` is what ends it, where it does not end by itself. */
interface Fault {
  readonly name: string
  readonly begin: (simulator: Simulator) => void
  readonly over?: (simulator: Simulator) => void
  /** Whether what was missed is made up for by a resume; else by a new session. */
  readonly resumes: boolean
}

/** Waiting takes a twentieth of the time it would take in reality. */
const TIMES_FASTER = 20

const unreachable = (how: true | 'hang' | 'silent'): Omit<Fault, 'name'> => ({
  begin({ faults }) {
    faults.refuseConnections(how)
    faults.dropTcp()
  },
  over: ({ faults }) => faults.refuseConnections(false),
  resumes: true,
})

const FAULTS: readonly Fault[] = [
  { name: 'op 7', begin: ({ faults }) => faults.reconnect(), resumes: true },
  { name: 'op 9, resumable', begin: ({ faults }) => faults.invalidateSessions(true), resumes: true },
  { name: 'op 9, not resumable', begin: ({ faults }) => faults.invalidateSessions(false), resumes: false },
  { name: 'TCP dropped', begin: ({ faults }) => faults.dropTcp(), resumes: true },
  { name: 'no heartbeat acknowledged', begin: ({ faults }) => faults.goSilent(), resumes: true },
  { name: 'close 4000', begin: ({ faults }) => faults.closeAll(4000), resumes: true },
  { name: 'close 4009', begin: ({ faults }) => faults.closeAll(4009), resumes: false },
  { name: 'gateway answers 503', ...unreachable(true) },
  { name: 'gateway never answers', ...unreachable('hang') },
  { name: 'gateway says no HELLO', ...unreachable('silent') },
  {
    name: 'REST fails while a session is started',
    begin(simulator) {
      simulator.restFails({ kind: 500, times: 3 })
      simulator.restFails({ kind: 'page', times: 2 })
      simulator.restFails({ kind: 'rate limited', times: 2, retryAfter: 0.01 })
      simulator.faults.invalidateSessions(false)
    },
    over: simulator => simulator.restRecovers(),
    resumes: false,
  },
]

/**
 * Every kind of fault, while people change: everybody stays served, no change is shown twice or out of order, and
 * everything goes on by itself.
 */
export async function faultsDrill(options: FaultsOptions): Promise<Figures> {
  const { people, changesPerSecond, changes, rounds, only } = options
  const kinds = FAULTS.filter(({ name }) => only?.includes(name) ?? true)
  const simulator = await startSimulator({
    identifyIntervalMs: 0,
    memberRequestIntervalMs: 0,
    heartbeatIntervalMs: 10_000 / TIMES_FASTER,
    // None is left at the end.
    sessionStartRemaining: 1 + rounds * kinds.filter(({ resumes }) => !resumes).length,
  })
  const town = buildTown(simulator, people, 1)
  await using server = startWorker('soak-server.ts', { TIMES_FASTER: String(TIMES_FASTER) })
  const url = await server.ask<string>('start', settings(simulator, { DATABASE_PATH: ':memory:' }))
  const follower = follow(url, 30_000 / TIMES_FASTER)
  await follower.begins()
  const pollers = poll({ url, up: true, generation: 1 }, town.ids, 2, createRandom(1))
  const scene: Scene = { simulator, town, url, follower }
  const recoveries: Record<string, string[]> = {}
  try {
    town.start(changesPerSecond)
    for (const fault of Array.from({ length: rounds }, () => kinds).flat()) {
      const took = await endure(scene, fault, changes)
      recoveries[fault.name] = [...(recoveries[fault.name] ?? []), `${((took * TIMES_FASTER) / 1000).toFixed(1)} s`]
    }
    town.stop()
    await caughtUp(scene)
    await sessionsUsedUp(scene)
    await pollers.stop()
    await judge(scene, pollers)
    return {
      'changes, all shown in order': town.changes,
      'answers to readers, all 200': pollers.answers,
      ...Object.fromEntries(
        Object.entries(recoveries).map(([name, took]) => [
          `caught up, by its own clock, after: ${name}`,
          took.join(', '),
        ]),
      ),
    }
  } finally {
    town.stop()
    follower.stop()
    await pollers.stop()
    await simulator.stop()
  }
}

/** Resolves with the milliseconds from the end of the fault until everything missed has been made up for. */
async function endure(scene: Scene, { name, begin, over, resumes }: Fault, changes: number): Promise<number> {
  const { simulator, town, url, follower } = scene
  for (const kind of ['resumed', 'ready'] as const) simulator.recorder.skip(kind)
  const back = simulator.next(resumes ? 'resumed' : 'ready')
  follower.mayMiss = !resumes
  begin(simulator)
  await town.after(changes)
  const endedAt = performance.now()
  over?.(simulator)
  await back
  await caughtUp(scene)
  follower.mayMiss = false
  const took = performance.now() - endedAt
  const health = await fetch(`${url}/health`)
  hold(health.status === 200, `after ${name}, /health says ${health.status}`)
  return took
}

/** Resolves when what every witness has just done is seen. */
async function caughtUp({ town, follower }: Scene): Promise<void> {
  for (const id of town.witnesses) {
    town.change(id)
    await follower.sees(id, town.numberOf(id))
  }
}

/** Identifying once more would cost the bot its token: better stay as it is until tomorrow. */
async function sessionsUsedUp({ simulator, town, url }: Scene): Promise<void> {
  const { length: before } = simulator.recorder.all('identify')
  simulator.recorder.skip('rest')
  const asked = simulator.next('rest', ({ path }) => path.endsWith('/gateway/bot'))
  simulator.faults.invalidateSessions(false)
  await asked
  const health = (await (await fetch(`${url}/health`)).json()) as { error?: { code: string } }
  hold(health.error?.code === 'reconnecting', `without sessions to start, /health says ${JSON.stringify(health)}`)
  const { exoix_gateway_connected_shards: connected, exoix_gateway_shards: shards } = await readGauges(url)
  hold(connected === 0 && shards === 1, `metrics tell of ${connected} of ${shards} shards`)
  for (const id of town.ids) {
    const { status } = await fetch(`${url}/v1/users/${id}`)
    hold(status === 200, `without sessions to start, ${id} is ${status}`)
  }
  hold(simulator.recorder.all('identify').length === before, 'identified though there was no session to start')
}

async function judge({ simulator, town, url, follower }: Scene, pollers: Pollers): Promise<void> {
  const first = (violations: readonly string[]) => `${violations.length} times, first: ${violations[0]}`
  hold(pollers.violations.length === 0, `Reading: ${first(pollers.violations)}`)
  hold(follower.violations.length === 0, `Following: ${first(follower.violations)}`)
  hold(follower.connections === 1, 'sockets were disconnected')
  hold(simulator.recorder.all('violation').length === 0, 'Discord was asked for something it forbids')
  for (const id of town.ids) {
    const found = numberIn(await (await fetch(`${url}/v1/users/${id}`)).text())
    hold(found === town.numberOf(id), `${id} is at change ${found} of ${town.numberOf(id)}`)
  }
}

export const SHORT: FaultsOptions = {
  people: 60,
  changesPerSecond: 400,
  changes: 40,
  rounds: 1,
  only: ['op 7', 'op 9, not resumable', 'TCP dropped', 'gateway answers 503'],
}

if (import.meta.main) {
  await runDrill('faults', ({ long }) =>
    faultsDrill(long ? { people: 1000, changesPerSecond: 500, changes: 2000, rounds: 3 } : SHORT),
  )
}
