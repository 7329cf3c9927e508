import type { Upstream } from './processes/exoix.ts'
import { startApplication } from './support/application.ts'
import type { Benchmark, Row, RunOptions } from './support/benchmark.ts'
import { type Child, withChildren } from './support/child.ts'
import { connectCrowd, follow } from './support/crowd.ts'
import { personId } from './support/people.ts'
import { privateMemory } from './support/usage.ts'

const SOCKETS = 10_000
const WARM_UP_SOCKETS = 200
const PEOPLE = 100_000

/** Bytes. */
interface Memory {
  readonly process: number
  readonly heap: number
}

/** Memory of an idle socket and of a monitored person. Each round starts fresh processes: memory does not shrink back. */
export const benchmark: Benchmark = {
  name: 'memory',
  run: async options => [...(await measureSockets(options)), ...(await measurePeople(options))],
}

/** Private memory of the process, and its JavaScript heap, after a collection. */
async function weigh(child: Child): Promise<Memory> {
  const heap = await child.call<number>('heap')
  return { heap, process: privateMemory(child.pid) }
}

async function growth(child: Child, count: number, grow: () => Promise<unknown>): Promise<Memory> {
  const before = await weigh(child)
  await grow()
  const after = await weigh(child)
  return { heap: (after.heap - before.heap) / count, process: (after.process - before.process) / count }
}

async function measureSockets({ long, say }: RunOptions): Promise<Row[]> {
  const control: Memory[] = []
  const exoix: Memory[] = []
  const count = Math.min(SOCKETS, openFiles() - 500)
  const message = follow([personId(0)])
  for (let round = 0; round < (long ? 5 : 2); round++) {
    say(`${count} sockets, round ${round + 1}`)
    control.push(
      await withChildren(['topics-control', 'socket-load'], async (server, clients) => {
        const url = await server.call<string>('start', { initBytes: 1500 })
        await server.call('prepare', [{ topic: 'user', frame: '' }])
        return weighSockets(server, clients, url, count, message)
      }),
    )
    exoix.push(
      await withChildren(['discord', 'exoix', 'socket-load'], async (discord, server, clients) => {
        const { url } = await startApplication(discord, server, 1)
        return weighSockets(server, clients, `${url}/socket`, count, message)
      }),
    )
  }
  return rows('idle socket', control, exoix, '< 4,096 B')
}

async function weighSockets(
  server: Child,
  clients: Child,
  url: string,
  count: number,
  message: string,
): Promise<Memory> {
  // What the first sockets bring with them is not theirs.
  await connectCrowd(clients, { url, count: WARM_UP_SOCKETS, message })
  await clients.call('disconnect')
  return growth(server, count, () => connectCrowd(clients, { url, count, message }))
}

async function measurePeople({ long, say }: RunOptions): Promise<Row[]> {
  const control: Memory[] = []
  const exoix: Memory[] = []
  for (let round = 0; round < (long ? 3 : 1); round++) {
    say(`${PEOPLE} people, round ${round + 1}`)
    let json = 0
    const beyond = ({ heap, process }: Memory) => ({ heap: heap - json, process: process - json })
    const map = await withChildren(['map-control'], child => {
      return growth(child, PEOPLE, async () => {
        json = (await child.call<number>('fill', PEOPLE)) / PEOPLE
      })
    })
    control.push(beyond(map))
    exoix.push(
      await withChildren(['discord', 'exoix'], async (discord, child) => {
        await child.call('start', await discord.call<Upstream>('start'))
        return beyond(
          await growth(child, PEOPLE, async () => {
            await discord.call('populate', { count: PEOPLE })
            await child.call('untilSize', PEOPLE + 1)
          }),
        )
      }),
    )
  }
  return rows('monitored person, beyond the JSON', control, exoix, '< 4,096 B')
}

function rows(name: string, control: readonly Memory[], exoix: readonly Memory[], target: string): Row[] {
  const part = (of: keyof Memory) => ({ control: control.map(all => all[of]), exoix: exoix.map(all => all[of]) })
  return [
    { name, unit: 'B', better: 'lower', ...part('process'), target },
    { name: `${name}, JavaScript heap alone`, unit: 'B', better: 'lower', ...part('heap') },
  ]
}

/** How many files, sockets included, a process may have open. */
function openFiles(): number {
  const limit = Bun.spawnSync(['sh', '-c', 'ulimit -n']).stdout.toString().trim()
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit)
}
