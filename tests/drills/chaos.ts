import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { buildExecutable, temporaryFolder } from '../support/executable.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { type Figures, hold, runDrill, within } from './support/drill.ts'
import { type ExoixProcess, FROM_SOURCE, settings, startExoix } from './support/exoix-process.ts'
import { type Follower, follow } from './support/follower.ts'
import { numberIn } from './support/numbered.ts'
import { buildTown, GUILDS, type Town } from './support/town.ts'

export interface ChaosOptions {
  readonly command: readonly string[]
  readonly people: number
  readonly changesPerSecond: number
  /** Edges; every second one has two serving threads. */
  readonly edges: number
  /** How often each fault strikes. */
  readonly rounds: number
  readonly seed: number
}

export const SHORT = { people: 60, changesPerSecond: 100, edges: 2, rounds: 1 } as const
const LONG = { people: 500, changesPerSecond: 300, edges: 4, rounds: 5 } as const

/** Milliseconds in which everything has to be as it was after a fault: a lease, and a little. */
const PATIENCE = 20_000

interface Scene {
  readonly options: ChaosOptions
  readonly simulator: Simulator
  readonly town: Town
  readonly redis: RedisServer
  readonly relays: { readonly hub: TcpRelay; readonly edge: TcpRelay }
  readonly folder: string
  readonly followers: Follower[]
  readonly edges: ExoixProcess[]
  hub: ExoixProcess
}

/** What strikes, and how it is mended. */
const FAULTS: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'the connection of the hub is cut': ({ relays, town }) => cut(relays.hub, town),
  'the connection of an edge is cut': ({ relays, town }) => cut(relays.edge, town),
  'the connection of the hub swallows everything': async ({ relays }) => relays.hub.swallow(),
  'the connection of an edge swallows everything': async ({ relays }) => relays.edge.swallow(),
  'Redis dies and comes back empty': ({ redis }) => redis.restart(),
  'Redis stops for two seconds': async ({ redis, town, options }) => {
    redis.freeze()
    await town.after(2 * options.changesPerSecond)
    redis.thaw()
  },
  'an edge stops for two seconds': async ({ edges, town, options }) => {
    edges[0]?.kill('SIGSTOP')
    await town.after(2 * options.changesPerSecond)
    edges[0]?.kill('SIGCONT')
  },
  'the hub is killed and starts anew': async scene => {
    scene.hub.kill('SIGKILL')
    await scene.hub.exited
    scene.hub = await startHub(scene)
  },
}

async function cut(relay: TcpRelay, town: Town): Promise<void> {
  relay.cut()
  await town.after(100)
  relay.mend()
}

/**
 * A hub and its edges as processes, a Redis between them, and faults of each. No follower of any edge ever sees a person go
 * back, and at the end every edge shows what Discord says.
 */
export async function chaosDrill(options: ChaosOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const shards = { recommendedShards: GUILDS.length, maxConcurrency: GUILDS.length }
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0, ...shards })
  const town = buildTown(simulator, options.people, options.seed)
  const redis = await startRedis()
  const relays = { hub: new TcpRelay(redis.port), edge: new TcpRelay(redis.port) }
  const parts = { options, simulator, town, redis, relays, folder: folder.path, followers: [], edges: [] }
  const scene: Scene = { ...parts, hub: await startHub(parts) }
  const names = Object.keys(FAULTS)
  try {
    for (let at = 0; at < options.edges; at++) await addEdge(scene, at)
    town.start(options.changesPerSecond)
    for (let round = 0; round < options.rounds; round++) for (const name of names) await strike(scene, name)
    await settle(scene)
    await judge(scene)
    const changes = scene.followers.map(follower => follower.changes)
    return {
      faults: names.length * options.rounds,
      edges: options.edges,
      people: options.people,
      changes: town.changes,
      'changes told by the edge that told least': Math.min(...changes),
    }
  } finally {
    town.stop()
    for (const follower of scene.followers) follower.stop()
    for (const running of [...scene.edges, scene.hub]) await running[Symbol.asyncDispose]()
    for (const relay of Object.values(relays)) relay.stop()
    await redis.stop()
    await simulator.stop()
  }
}

function startHub({ options, simulator, folder, relays }: Omit<Scene, 'hub'>): Promise<ExoixProcess> {
  const env = settings(simulator, { REDIS_URL: `redis://127.0.0.1:${relays.hub.port}` })
  return startExoix({ folder, env, command: [...options.command, 'hub'] })
}

async function addEdge(scene: Scene, at: number): Promise<void> {
  const { options, folder, relays, redis, followers, edges } = scene
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    WORKERS: at % 2 === 1 ? '2' : '1',
    REDIS_URL: `redis://127.0.0.1:${at === 0 ? relays.edge.port : redis.port}`,
  }
  const edge = await startExoix({ folder, env, command: [...options.command, 'edge'] })
  edges.push(edge)
  await within(PATIENCE, untilServing(edge.url), `edge ${at} never knew everybody`)
  const follower = follow(edge.url)
  // Of what happened while an edge could not hear, it tells how things are then.
  follower.mayMiss = true
  followers.push(follower)
  await follower.begins()
}

async function untilServing(url: string): Promise<void> {
  while ((await fetch(`${url}/health/serving`)).status !== 200) await Bun.sleep(20)
}

async function strike(scene: Scene, name: string): Promise<void> {
  const { town, followers, options } = scene
  await town.after(options.changesPerSecond / 2)
  await FAULTS[name]?.(scene)
  const [witness = ''] = town.witnesses
  town.change(witness)
  const number = town.numberOf(witness)
  const seen = Promise.all(followers.map(follower => follower.sees(witness, number)))
  await within(PATIENCE, seen, `${name}: a change did not come through within ${PATIENCE} ms`)
  for (const { violations } of followers)
    hold(violations.length === 0, `${name}: ${violations.length} violations, first: ${violations[0]}`)
}

/** Everything told so far has arrived: what the witnesses do comes last. */
async function settle({ town, followers }: Scene): Promise<void> {
  town.stop()
  for (const id of town.witnesses) {
    town.change(id)
    const seen = Promise.all(followers.map(follower => follower.sees(id, town.numberOf(id))))
    await within(PATIENCE, seen, 'the last changes did not come through')
  }
}

async function judge({ town, edges, followers, simulator }: Scene): Promise<void> {
  for (const [at, { url }] of edges.entries()) {
    for (const id of town.ids) {
      const { data } = (await (await fetch(`${url}/v1/users/${id}`)).json()) as { data?: { discord_status?: string } }
      const found = [numberIn(JSON.stringify(data ?? '')), data?.discord_status]
      const truth = [town.numberOf(id), simulator.world.presence(id)?.status]
      hold(Bun.deepEquals(found, truth), `edge ${at}: ${id} is ${found}, but Discord says ${truth}`)
    }
  }
  const connections = followers.map(follower => follower.connections)
  hold(Math.max(...connections) === 1, `sockets of edges were closed: ${connections} connections`)
}

if (import.meta.main) {
  await runDrill('chaos', async ({ long, seed, executable }) => {
    using folder = temporaryFolder()
    const command = executable ? [await buildExecutable(folder.path)] : FROM_SOURCE
    return chaosDrill({ command, seed, ...(long ? LONG : SHORT) })
  })
}
