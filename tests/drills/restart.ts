import { createRandom, type Random } from '../../src/simulator/random.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { buildExecutable, start, temporaryFolder } from '../support/executable.ts'
import { type Figures, hold, median, milliseconds, runDrill } from './support/drill.ts'
import {
  type ExoixProcess,
  type ExoixProcessOptions,
  FROM_SOURCE,
  settings,
  startExoix,
} from './support/exoix-process.ts'
import { type Follower, follow } from './support/follower.ts'
import { numberIn } from './support/numbered.ts'
import { type Pollers, poll, type Service } from './support/pollers.ts'
import { buildTown, GUILDS, type Town } from './support/town.ts'

export interface RestartOptions {
  readonly command: readonly string[]
  readonly people: number
  readonly changesPerSecond: number
  /** Half of them by SIGTERM, half by SIGKILL, in turns. */
  readonly restarts: number
  /** Changes during which a process lives at most; at random, from none. */
  readonly longestLife: number
  readonly seed: number
}

/** What was measured at the restarts. Times in milliseconds. */
interface Measured {
  /** From the end of one process to the first answer of the next. */
  readonly gaps: number[]
  /** From SIGTERM to the end. */
  readonly stops: number[]
  /** For everybody who was shown older after a SIGKILL than before it: by how many changes. */
  readonly setbacks: number[]
  /** Processes killed before they could answer. */
  abortedStarts: number
}

interface Scene {
  readonly simulator: Simulator
  readonly town: Town
  readonly service: Service
  readonly pollers: Pollers
  readonly follower: Follower
  readonly random: Random
  readonly measured: Measured
  /** How the next process is started. */
  readonly next: ExoixProcessOptions
}

/** One in so many restarts meets a process that is killed while it starts, and another one after it. */
const ABORTED = 4
/** Changes within which that happens. */
const START = 100

/**
 * Replaces a process again and again while people change, clients read and a socket follows everybody. Nobody known is
 * ever answered with anything but their presence, no change is lost, and none is shown out of order.
 */
export async function restartDrill(options: RestartOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const shards = { recommendedShards: GUILDS.length, maxConcurrency: GUILDS.length }
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0, ...shards })
  const town = buildTown(simulator, options.people, options.seed)
  const how = { command: options.command, folder: folder.path }
  let exoix = await startExoix({ ...how, env: settings(simulator, { LOG_LEVEL: 'debug' }) })
  await exoix.says(/all members are known/)
  await exoix.says(/presences saved .*sessions=2/)

  const service: Service = { url: exoix.url, up: true, generation: 1 }
  const random = createRandom(options.seed)
  const scene: Scene = {
    simulator,
    town,
    service,
    random,
    pollers: poll(service, town.ids, 8, random),
    follower: follow(exoix.url),
    measured: { gaps: [], stops: [], setbacks: [], abortedStarts: 0 },
    next: { ...how, env: settings(simulator, { PORT: new URL(exoix.url).port }) },
  }
  try {
    await scene.follower.begins()
    const startedAt = performance.now()
    town.start(options.changesPerSecond)
    for (let restart = 0; restart < options.restarts; restart++) {
      await town.after(random.int(0, options.longestLife))
      exoix = await replace(scene, exoix, restart)
    }
    const rate = town.changes / ((performance.now() - startedAt) / 1000)
    await settle(scene)
    await judge(scene)
    return report(scene, rate)
  } finally {
    town.stop()
    scene.follower.stop()
    await scene.pollers.stop()
    await exoix[Symbol.asyncDispose]()
    await simulator.stop()
  }
}

async function replace(scene: Scene, exoix: ExoixProcess, restart: number): Promise<ExoixProcess> {
  const { service, follower, measured } = scene
  const signal = restart % 2 === 0 ? 'SIGTERM' : 'SIGKILL'
  const begins = follower.begins()
  await end(scene, exoix, signal)
  if (restart % ABORTED === ABORTED - 1) await abortStart(scene)
  const endedAt = performance.now()
  const [next] = await Promise.all([startExoix(scene.next), firstAnswer(service.url)])
  measured.gaps.push(performance.now() - endedAt)
  service.up = true
  const setbacks = await begins
  if (signal === 'SIGKILL') measured.setbacks.push(...setbacks)
  else hold(setbacks.length === 0, `${setbacks.length} people were older after a graceful stop than before it`)
  return next
}

async function end({ service, measured }: Scene, exoix: ExoixProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  service.up = false
  service.generation++
  const toldAt = performance.now()
  exoix.kill(signal)
  const code = await exoix.exited
  if (signal === 'SIGKILL') return
  measured.stops.push(performance.now() - toldAt)
  hold(code === 0, `a graceful stop ended with code ${code}: ${exoix.output()}`)
}

async function abortStart({ next, town, random, measured }: Scene): Promise<void> {
  const starting = start(next.command ?? FROM_SOURCE, { cwd: next.folder, env: next.env })
  await town.after(random.int(0, START))
  starting.kill('SIGKILL')
  await starting.exited
  measured.abortedStarts++
}

/** Resolves when the port answers, whatever it says. */
async function firstAnswer(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(url, { headers: { Connection: 'close' } })
      return
    } catch {
      await Bun.sleep(2)
    }
  }
}

/** Resolves when everything told so far has arrived: what the witnesses do comes last. */
async function settle({ town, follower, pollers }: Scene): Promise<void> {
  town.stop()
  for (const id of town.witnesses) {
    town.change(id)
    await follower.sees(id, town.numberOf(id))
  }
  await pollers.stop()
}

async function judge({ simulator, town, service, pollers, follower }: Scene): Promise<void> {
  const first = (violations: readonly string[]) => `${violations.length} times, first: ${violations[0]}`
  hold(pollers.violations.length === 0, `Reading: ${first(pollers.violations)}`)
  hold(follower.violations.length === 0, `Following: ${first(follower.violations)}`)
  for (const id of town.ids) {
    const response = await fetch(`${service.url}/v1/users/${id}`)
    const { data } = (await response.json()) as { data?: { discord_status?: string } }
    const found = [numberIn(JSON.stringify(data ?? '')), data?.discord_status]
    const truth = [town.numberOf(id), simulator.world.presence(id)?.status]
    hold(Bun.deepEquals(found, truth), `${id} is ${found}, but Discord says ${truth}`)
  }
  const { length: identifies } = simulator.recorder.all('identify')
  hold(identifies === GUILDS.length, `${identifies} sessions were begun for ${GUILDS.length} shards`)
  hold(simulator.recorder.all('violation').length === 0, 'Discord was asked for something it forbids')
}

function report({ town, pollers, follower, measured }: Scene, rate: number): Figures {
  const { gaps, stops, setbacks, abortedStarts } = measured
  return {
    restarts: gaps.length,
    'killed while starting': abortedStarts,
    people: town.ids.length,
    'changes a second': rate.toFixed(0),
    'changes, all shown in order': town.changes,
    'answers to readers, all 200': pollers.answers,
    'refused while there was no process': pollers.unanswered,
    'changes received by the socket': follower.changes,
    'from exit to first answer, median': milliseconds(median(gaps)),
    'from exit to first answer, longest': milliseconds(Math.max(...gaps)),
    'from SIGTERM to exit, median': milliseconds(median(stops)),
    'from SIGTERM to exit, longest': milliseconds(Math.max(...stops)),
    'shown older after SIGTERM than before': 0,
    'shown older after SIGKILL than before': setbacks.length,
    'by so many changes at most': Math.max(0, ...setbacks),
  }
}

export const SHORT: Omit<RestartOptions, 'command' | 'seed'> = {
  people: 200,
  changesPerSecond: 400,
  restarts: 4,
  longestLife: 160,
}

if (import.meta.main) {
  await runDrill('restart', async ({ long, executable, seed }) => {
    using folder = temporaryFolder()
    const command = executable ? [await buildExecutable(folder.path)] : FROM_SOURCE
    return await restartDrill({
      command,
      seed,
      ...(long ? { people: 2000, changesPerSecond: 500, restarts: 20, longestLife: 2000 } : SHORT),
    })
  })
}
