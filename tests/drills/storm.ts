import { setPriority } from 'node:os'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { temporaryFolder } from '../support/executable.ts'
import { type Figures, hold, milliseconds, quantile, runDrill } from './support/drill.ts'
import { settings, startExoix } from './support/exoix-process.ts'
import { type Probed, wallClock } from './support/probe.ts'
import { atRate } from './support/rate.ts'
import type { Storm, Stormed } from './support/storm-client.ts'
import { startWorker, type Worker } from './support/worker.ts'

export interface StormOptions {
  readonly people: number
  readonly changesPerSecond: number
  /** Changes during which is measured, once calm, once in each storm. */
  readonly changes: number
  /** Reads of the storm under way at the same time. */
  readonly readers: number
}

/** Whom storms pretend to come from where limits are to hold; loopback itself has none. */
const STRANGER = ['X-Forwarded-For: 203.0.113.9']

const LOWEST = 19

/** While one client connects over and over and another reads without a pause, everybody else goes on being served. */
export async function stormDrill(options: StormOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const simulator = await startSimulator({ identifyIntervalMs: 0, memberRequestIntervalMs: 0 })
  const { id: guildId, members } = simulator.world.addGuild({ members: options.people })
  const env = settings(simulator, { TRUSTED_PROXIES: '127.0.0.1' })
  await using exoix = await startExoix({ folder: folder.path, env })
  await using probe = startWorker('probe.ts')
  await using client = startWorker('storm-client.ts')
  // Elsewhere the attacker has a machine of its own: here it gets what the others leave, or the figures would be about
  // who gets a core.
  setPriority(client.pid, LOWEST)
  try {
    await exoix.says(/all members are known/)
    await probe.ask('follow', exoix.url)
    const path = `/v1/users/${[...members.keys()][1]}`
    const scene: Scene = { ...options, simulator, guildId, ids: [...members.keys()], probe, url: exoix.url + path }
    const storm = async (how: Pick<Storm, 'connecting' | 'readers' | 'headers'>): Promise<[Probed, Stormed]> => {
      await client.ask('begin', { url: exoix.url, path, ...how } satisfies Storm)
      return [await measure(scene), await client.ask<Stormed>('end')]
    }
    await measure(scene)
    const calm = await measure(scene)
    const [besideReconnecting, reconnecting] = await storm({ connecting: 1, readers: 0, headers: [] })
    const [besideReading, reading] = await storm({ connecting: 0, readers: options.readers, headers: [] })
    const [besideLimited, limited] = await storm({ connecting: 1, readers: options.readers, headers: STRANGER })
    for (const { refusals } of [calm, besideReconnecting, besideReading, besideLimited]) {
      hold(refusals.length === 0, `${refusals.length} reads of others were refused: ${refusals[0]}`)
    }
    const { connections, served } = reconnecting
    hold(served === connections, `${connections - served} connections got no INIT_STATE`)
    return {
      calm: describe(calm),
      'beside one client that reconnects': describe(besideReconnecting, calm),
      'that one': describeStorm(reconnecting),
      'beside one client that reads': describe(besideReading, calm),
      'this one': describeStorm(reading),
      'beside both, held down by limits': describe(besideLimited, calm),
      'these two': describeStorm(limited),
    }
  } finally {
    await simulator.stop()
  }
}

interface Scene extends StormOptions {
  readonly simulator: Simulator
  readonly guildId: string
  readonly ids: readonly string[]
  readonly probe: Worker
  readonly url: string
}

async function measure({ probe, url, simulator, guildId, ids, ...scene }: Scene): Promise<Probed> {
  await probe.ask('begin', url)
  await atRate(scene.changes, scene.changesPerSecond, number => {
    const user = { id: ids[number % ids.length] ?? '' }
    const activities = [{ type: 4, id: 'custom', name: 'Custom Status', state: `@${wallClock().toFixed(3)}` }]
    simulator.raw('PRESENCE_UPDATE', { user, guild_id: guildId, status: 'online', activities, client_status: {} })
  })
  return probe.ask<Probed>('end', scene.changes)
}

/** Waits, and how they compare with those in calm. */
function describe({ reads, changes }: Probed, calm?: Probed): string {
  const waits = (values: readonly number[], before?: readonly number[]) =>
    [0.5, 0.99].map(part => {
      const value = quantile(values, part)
      const ratio = before === undefined ? '' : ` (×${(value / quantile(before, part)).toFixed(1)})`
      return `p${part * 100} ${milliseconds(value)}${ratio}`
    })
  return `read ${waits(reads, calm?.reads).join(', ')}; change ${waits(changes, calm?.changes).join(', ')}`
}

function describeStorm({ connections, served, reads, refused }: Stormed): string {
  return `${connections} connections, ${served} given everybody, ${reads} reads, ${refused} refused`
}

if (import.meta.main) {
  await runDrill('storm', ({ long }) =>
    stormDrill(
      long
        ? { people: 500, changesPerSecond: 200, changes: 2000, readers: 16 }
        : { people: 100, changesPerSecond: 200, changes: 150, readers: 16 },
    ),
  )
}
