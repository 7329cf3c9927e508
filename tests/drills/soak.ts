import { createRandom } from '../../src/simulator/random.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder } from '../support/executable.ts'
import { type Figures, hold, megabytes, runDrill, within } from './support/drill.ts'
import { settings } from './support/exoix-process.ts'
import { readGauges } from './support/metrics.ts'
import { faultPasses, liveOneRound, type Round, type Scenery } from './support/round.ts'
import type { Holdings } from './support/soak-server.ts'
import { startWorker, type Worker } from './support/worker.ts'

export interface SoakOptions {
  readonly people: number
  readonly rounds: number
  readonly round: Round
  /** So much faster than the real one the server's clock goes. */
  readonly timesFaster: number
  readonly seed: number
  readonly onRound?: (round: number, holdings: Holdings) => void
}

/** Rounds that are not compared: caches fill, code is compiled. */
const WARM_UP = 4
/** How long member lists may take, and a process to end by itself. Milliseconds. */
const PATIENCE = 10_000
/** What may differ between the first rounds and the last, beyond a twentieth. Bytes. */
const HEAP_NOISE = 2 * 1024 * 1024
const RESIDENT_NOISE = 24 * 1024 * 1024

/**
 * Rounds of comings, goings, changes, visits, writes and bad weather, on a clock that goes faster: afterwards nothing is
 * left of what is gone, memory is where it was, and the process ends by itself.
 */
export async function soakDrill(options: SoakOptions): Promise<Figures> {
  const { rounds, timesFaster } = options
  using folder = temporaryFolder()
  const simulator = await startSimulator({
    identifyIntervalMs: 0,
    memberRequestIntervalMs: 0,
    heartbeatIntervalMs: 41_250 / timesFaster,
    sessionStartRemaining: 1_000_000,
  })
  const guild = simulator.world.addGuild({ members: options.people })
  await using server = startWorker('soak-server.ts', { TIMES_FASTER: String(timesFaster) })
  try {
    const env = settings(simulator, { DATABASE_PATH: `${folder.path}/exoix.db` })
    const url = await server.ask<string>('start', env)
    const owner = [...guild.members.keys()].at(-1) ?? ''
    const key = await askForKey(simulator, owner)
    const scenery: Scenery = { simulator, guild, url, owner, key, random: createRandom(options.seed) }
    const before = await server.ask<Holdings>('measure')
    const measured: Holdings[] = []
    const startedAt = performance.now()
    for (let round = 0; round < rounds; round++) {
      await liveOneRound(scenery, options.round)
      await faultPasses(scenery, round)
      measured.push(await restingHoldings(scenery, server))
      options.onRound?.(round + 1, measured.at(-1) as Holdings)
    }
    const seconds = (performance.now() - startedAt) / 1000
    judge(before, measured)
    await server.ask('stop')
    const code = await within(PATIENCE, server.ended, 'the process does not end by itself')
    hold(code === 0, `the process ended with code ${code}`)
    return report(options, before, measured, seconds)
  } finally {
    await simulator.stop()
  }
}

async function askForKey(simulator: Scenery['simulator'], owner: string): Promise<string> {
  simulator.sendMessage({ authorId: owner, content: '.apikey' })
  const answer = JSON.stringify((await simulator.nextMessage()).message)
  return /exoix_[\w-]{43}/.exec(answer)?.[0] ?? ''
}

/** What is held when everything said so far has been heard, and every socket is gone. */
async function restingHoldings({ simulator, guild, url, owner, random }: Scenery, server: Worker): Promise<Holdings> {
  const state = `rest ${random.hex(8)}`
  const { promise, resolve } = Promise.withResolvers<void>()
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket`)
  socket.onopen = () => socket.send(JSON.stringify({ op: 2, d: { subscribe_to_id: owner } }))
  socket.onmessage = ({ data }) => void (data.includes(state) && socket.close())
  socket.onclose = () => resolve()
  const activities = [{ type: 4, id: 'custom', name: 'Custom Status', state }]
  simulator.world.setPresence(owner, { status: 'online', activities })
  await promise
  const { size } = guild.members
  const holdings = await settled(server, size)
  hold(holdings.people === size, `${holdings.people} people are shown, ${size} are there`)
  hold(holdings.sockets === 0, `${holdings.sockets} sockets are left`)
  const gauges = await readGauges(url)
  const counted = ['everybody', 'one_user'].map(whom => gauges[`exoix_subscriptions{to="${whom}"}`])
  hold(Bun.deepEquals(counted, [0, 0]), `metrics count ${counted} subscriptions of nobody`)
  hold(holdings.subscribers === 0, `${holdings.subscribers} subscriptions are left`)
  await within(PATIENCE, noStreams(url), 'event streams are left')
  return holdings
}

/** The last clients have only just gone. */
async function noStreams(url: string): Promise<void> {
  while ((await readGauges(url)).exoix_event_streams !== 0);
}

/**
 * What is held once as many people are shown as there are, or it has taken too long. Where a session had to be started
 * anew, who left meanwhile is shown until the member list has come.
 */
async function settled(server: Worker, people: number): Promise<Holdings> {
  const givenUpAt = performance.now() + PATIENCE
  for (;;) {
    const holdings = await server.ask<Holdings>('measure')
    if (holdings.people === people || performance.now() > givenUpAt) return holdings
    await Bun.sleep(50)
  }
}

function judge(before: Holdings, measured: readonly Holdings[]): void {
  const last = measured.at(-1) ?? before
  hold(last.timers <= before.timers + 5, `${last.timers} timers are left of ${before.timers} at the start`)
  const compared = measured.slice(WARM_UP)
  if (compared.length < 3 * WARM_UP) return
  const third = Math.floor(compared.length / 3)
  const flat = (what: 'heap' | 'resident', noise: number) => {
    const [early, late] = [compared.slice(0, third), compared.slice(-third)].map(part =>
      mean(part.map(one => one[what])),
    )
    const rise = (late ?? 0) - (early ?? 0)
    hold(rise < (early ?? 0) / 20 + noise, `${what} memory rose by ${megabytes(rise)}`)
  }
  flat('heap', HEAP_NOISE)
  flat('resident', RESIDENT_NOISE)
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function report(
  { rounds, round, timesFaster }: SoakOptions,
  before: Holdings,
  measured: Holdings[],
  seconds: number,
): Figures {
  const { heap, resident, timers } = measured.at(-1) ?? before
  return {
    rounds,
    'hours the server counted': ((seconds * timesFaster) / 3600).toFixed(1),
    'people who came and went': rounds * round.comings,
    updates: rounds * round.updates,
    'sockets that came and went': rounds * round.sockets,
    'event streams that came and went': rounds * round.streams,
    'writes and reads': rounds * (round.writes + round.reads),
    'gateway connections lost': rounds,
    'heap before and after': `${megabytes(before.heap)}, ${megabytes(heap)}`,
    'resident memory before and after': `${megabytes(before.resident)}, ${megabytes(resident)}`,
    'timers before and after': `${before.timers}, ${timers}`,
    'sockets and subscriptions left': 0,
  }
}

export const SHORT: SoakOptions = {
  people: 100,
  rounds: 2,
  round: { updates: 200, comings: 20, sockets: 30, streams: 30, writes: 20, reads: 20 },
  timesFaster: 60,
  seed: 1,
}

const LONG: SoakOptions = {
  people: 1000,
  rounds: 72,
  round: { updates: 20_000, comings: 500, sockets: 500, streams: 500, writes: 300, reads: 1000 },
  timesFaster: 60,
  seed: 1,
}

function printRound(round: number, { heap, resident, objects, timers }: Holdings): void {
  const values = [megabytes(heap), megabytes(resident), objects, timers].map(value => String(value).padStart(12))
  if (round === 1)
    console.log(['round', 'heap', 'resident', 'objects', 'timers'].map(name => name.padStart(12)).join(''))
  console.log(String(round).padStart(12) + values.join(''))
}

if (import.meta.main) {
  await runDrill('soak', ({ long, seed }) => soakDrill({ ...(long ? LONG : SHORT), seed, onRound: printRound }))
}
