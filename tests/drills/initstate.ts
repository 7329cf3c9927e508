import { buildCustomStatus, buildPresence, buildSpotify } from '../../src/simulator/people/builders.ts'
import { createRandom } from '../../src/simulator/random.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder } from '../support/executable.ts'
import { type Figures, hold, megabytes, milliseconds, quantile, runDrill } from './support/drill.ts'
import { settings, startExoix } from './support/exoix-process.ts'
import { watchMemory } from './support/metrics.ts'
import type { Arrivals, Newcomers } from './support/newcomers.ts'
import { startWorker } from './support/worker.ts'

export interface InitStateOptions {
  readonly people: number
  readonly sockets: number
  readonly zlib: boolean
}

/** INIT_STATEs under way may take this much before the next is made. Source: src/serve.ts. */
const UNDER_WAY = 256 * 1024 * 1024

/**
 * INIT_STATEs in memory besides those under way, however many sockets ask: everybody's own text and the one made of it,
 * two bytes a character each (4), and that one encoded for a socket, three bytes a character at worst, of which the
 * runtime may not have given back the last (6).
 */
const AT_ONCE = 10
/** What a server at work needs otherwise, to be generous. Bytes. */
const WORK = 128 * 1024 * 1024

/** Many sockets ask for everybody at the same moment: each gets it whole, in bounded memory, and readers are answered meanwhile. */
export async function initStateDrill({ people, sockets, zlib }: InitStateOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0 })
  const random = createRandom(1)
  const members = Array.from({ length: people }, () => ({
    user: {},
    presence: buildPresence({ activities: [buildCustomStatus(random, 1), buildSpotify(random, '1', 1)] }),
  }))
  const { members: known } = simulator.world.addGuild({ members })
  await using exoix = await startExoix({ folder: folder.path, env: settings(simulator) })
  await using clients = startWorker('newcomers.ts')
  try {
    await exoix.says(/all members are known/)
    const memory = await watchMemory(exoix.url)
    const reading = readAlong(exoix.url, [...known.keys()])
    const asked: Newcomers = { url: exoix.url, count: sockets, zlib }
    const { bytes, at, complete } = await clients.ask<Arrivals>('ask', asked)
    const waits = await reading.stop()
    const { before, peak, after } = await memory.stop()
    hold(complete.length === sockets, `${complete.length} of ${sockets} sockets got their INIT_STATE`)
    const all = complete.every(count => count === known.size)
    hold(all, `INIT_STATEs hold ${complete} people, there are ${known.size}`)
    const bound = UNDER_WAY + AT_ONCE * bytes + WORK
    hold(peak - before <= bound, `memory rose by ${megabytes(peak - before)}, the bound is ${megabytes(bound)}`)
    return {
      people: known.size,
      sockets: `${sockets}${zlib ? ', compressed' : ''}`,
      'one INIT_STATE': megabytes(bytes),
      'all of them': megabytes(bytes * sockets),
      'first complete after': milliseconds(Math.min(...at)),
      'last complete after': milliseconds(Math.max(...at)),
      'memory before': megabytes(before),
      'memory at most': megabytes(peak),
      'memory at the end': megabytes(after),
      'bound for what it may rise by': megabytes(bound),
      'reads meanwhile': waits.length,
      'a read took, median and longest': `${milliseconds(quantile(waits, 0.5))}, ${milliseconds(Math.max(...waits))}`,
    }
  } finally {
    await simulator.stop()
  }
}

/** Somebody who reads one person after the other; the answer is how long each read took (ms). */
function readAlong(url: string, ids: readonly string[]): { stop(): Promise<number[]> } {
  const waits: number[] = []
  let stopped = false
  async function run(): Promise<void> {
    while (!stopped) {
      const askedAt = performance.now()
      await (await fetch(`${url}/v1/users/${ids[waits.length % ids.length]}`)).text()
      waits.push(performance.now() - askedAt)
    }
  }
  const running = run()
  return {
    async stop() {
      stopped = true
      await running
      return waits
    },
  }
}

if (import.meta.main) {
  await runDrill('initstate', ({ long }) =>
    initStateDrill(long ? { people: 100_000, sockets: 50, zlib: false } : { people: 3000, sockets: 20, zlib: false }),
  )
}
