import { startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder } from '../support/executable.ts'
import { type Figures, hold, megabytes, runDrill } from './support/drill.ts'
import { settings, startExoix } from './support/exoix-process.ts'
import { readGauges, watchMemory } from './support/metrics.ts'
import { numbered } from './support/numbered.ts'
import { atRate } from './support/rate.ts'
import type { Readers, Received } from './support/readers.ts'
import { startWorker } from './support/worker.ts'

export interface SlowOptions {
  readonly people: number
  readonly everybody: number
  readonly blocks: number
  readonly blockSize: number
  readonly slow: number
  readonly changesPerSecond: number
  readonly changes: number
  /** Characters of each presence's longest text: the more, the sooner a queue is full. */
  readonly filler: number
}

/** What one client may leave unread, and how much later that is noticed at worst. Source: src/live/session.ts. */
const QUEUE = 1024 * 1024
const NOTICED_AFTER = QUEUE / 4
/** A queue's memory doubles as it grows, so up to half of it is unused. */
const GROWTH = 2
/** What a server at work needs otherwise, to be generous. */
const WORK = 96 * 1024 * 1024

/** Readers get everything in order while others never read, and those cost no more than their queues may hold. */
export async function slowDrill(options: SlowOptions): Promise<Figures> {
  const { slow, changes, changesPerSecond } = options
  using folder = temporaryFolder()
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0 })
  const ids = Array.from({ length: options.people }, () => simulator.world.addUser().id)
  const { id: guildId } = simulator.world.addGuild({ members: ids.map(user => ({ user })) })
  await using exoix = await startExoix({ folder: folder.path, env: settings(simulator) })
  await using clients = startWorker('readers.ts')
  try {
    await exoix.says(/all members are known/)
    await clients.ask('connect', { ...options, url: exoix.url, ids } satisfies Readers)
    let thrownOut = 0
    const memory = await watchMemory(exoix.url, ({ exoix_slow_sockets_closed_total: total = 0 }) => {
      const back = total - thrownOut
      thrownOut = total
      // The drill may be over before they are all back.
      if (back > 0) void clients.ask('connectMoreSlow', { url: exoix.url, count: back }).catch(() => {})
    })
    const text = 'x'.repeat(options.filler)
    const startedAt = performance.now()
    await atRate(changes, changesPerSecond, number => {
      const user = { id: ids[number % ids.length] ?? '' }
      const activities = [numbered(number), { type: 0, name: 'Filler', details: text }]
      simulator.raw('PRESENCE_UPDATE', { user, guild_id: guildId, status: 'online', activities, client_status: {} })
    })
    const { messages, problems } = await clients.ask<Received>('received', changes - 1)
    const seconds = (performance.now() - startedAt) / 1000
    const { before, peak, after } = await memory.stop()
    hold(thrownOut >= slow, `${thrownOut} of ${slow} clients that never read were thrown out`)
    const { exoix_connected_sessions: connected = Number.NaN } = await readGauges(exoix.url)
    const expected = options.everybody + options.blocks + slow
    hold(connected <= expected, `${connected} sockets are open, there should be ${expected}`)
    const bound = slow * (QUEUE + NOTICED_AFTER) * GROWTH + WORK
    hold(problems.length === 0, `Readers: ${problems.join('; ')}`)
    hold(peak - before <= bound, `memory rose by ${megabytes(peak - before)}, the bound is ${megabytes(bound)}`)
    return {
      'readers of everybody': options.everybody,
      [`readers of ${options.blockSize} people`]: options.blocks,
      'clients that never read': slow,
      'thrown out, each comes back at once': thrownOut,
      'changes a second': (changes / seconds).toFixed(0),
      'messages a second': (messages / seconds).toFixed(0),
      'messages, none missing, all in order': messages,
      'memory before': megabytes(before),
      'memory at most': megabytes(peak),
      'memory at the end': megabytes(after),
      'bound for what it may rise by': megabytes(bound),
    }
  } finally {
    await simulator.stop()
  }
}

export const SHORT: SlowOptions = {
  people: 200,
  everybody: 20,
  blocks: 180,
  blockSize: 10,
  slow: 10,
  changesPerSecond: 1000,
  changes: 2500,
  filler: 3000,
}

/** About as many messages as readers can take in who share two cores with the server. */
const LONG: SlowOptions = {
  people: 1000,
  everybody: 250,
  blocks: 700,
  blockSize: 20,
  slow: 50,
  changesPerSecond: 1000,
  changes: 120_000,
  filler: 0,
}

if (import.meta.main) await runDrill('slow', ({ long }) => slowDrill(long ? LONG : SHORT))
