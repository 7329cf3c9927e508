import type { Publication } from './processes/topics-control.ts'
import { startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Row, type RunOptions } from './support/benchmark.ts'
import { type Child, withChildren } from './support/child.ts'
import { type Arrival, connectCrowd, follow, followAll, measureBurst } from './support/crowd.ts'
import { median } from './support/table.ts'

/** People who are followed; a burst changes each of them once. */
const UPDATES = 50
/** Single updates are measured so many times a round. */
const SINGLES = 3
/** Milliseconds before a single update: one that comes soon after another waits for others (see `trickle`). */
const QUIET = 30
/** Bursts a round, times sockets: small crowds are measured more often. */
const BURSTS = 5_000

interface Case {
  readonly sockets: number
  readonly zlib: boolean
  /** Whether the sockets follow everybody, one topic on both sides, or the people by id, a topic each. */
  readonly all: boolean
  readonly target?: string
}

const CASES: readonly Case[] = [
  { sockets: 1000, all: false, zlib: false },
  { sockets: 1000, all: false, zlib: true },
  { sockets: 5000, all: false, zlib: false, target: 'ratio ≥ 0.90' },
  { sockets: 5000, all: false, zlib: true, target: 'ratio ≥ 0.80' },
  { sockets: 5000, all: true, zlib: false, target: 'ratio ≥ 0.90' },
  { sockets: 5000, all: true, zlib: true, target: 'ratio ≥ 0.80' },
]

interface Side {
  readonly server: Child
  readonly clients: Child
  readonly url: string
}

interface Sides {
  readonly control: Side
  readonly exoix: Side
}

/**
 * Updates to a crowd beside `server.publish` of ready-made frames. Both sides have clients of their own, in processes
 * that only count frames. The control publishes plain frames of the same size in every row, the compressed ones too.
 */
export const benchmark: Benchmark = {
  name: 'fanout',
  run: options =>
    withChildren(
      ['discord', 'exoix', 'topics-control', 'socket-load', 'socket-load'],
      async (discord, exoix, control, controlClients, exoixClients) => {
        const { url, ids } = await startApplication(discord, exoix, UPDATES)
        const texts = await exoix.call<string[]>('frames', UPDATES)
        const initBytes = texts.join('').length
        const sides = {
          control: {
            server: control,
            clients: controlClients,
            url: await control.call<string>('start', { initBytes }),
          },
          exoix: { server: exoix, clients: exoixClients, url: `${url}/socket` },
        }
        const rows: Row[] = []
        for (const one of CASES) {
          const publications = texts.map((frame, index): Publication => {
            return { frame, topic: one.all ? 'all' : `user:${ids[index]}` }
          })
          await control.call('prepare', publications)
          rows.push(...(await measureCase(one, sides, one.all ? followAll : follow(ids), options)))
        }
        return rows
      },
    ),
}

async function measureCase(one: Case, sides: Sides, message: string, { rounds, say }: RunOptions): Promise<Row[]> {
  const { sockets, zlib, all } = one
  const title = `${sockets} sockets ${all ? 'on everybody' : 'on 50 ids'}, ${zlib ? 'zlib' : 'plain'}`
  say(title)
  const { control, exoix } = sides
  const url = zlib ? `${exoix.url}?compression=zlib_json` : exoix.url
  await connectCrowd(control.clients, { url: control.url, count: sockets, message })
  await connectCrowd(exoix.clients, { url, count: sockets, message })
  const rows = await measureManyUpdates(one, sides, title, rounds)
  // A single frame takes the same way whoever subscribed to what.
  if (!all) rows.push(await measureOneUpdate(sides, title, rounds))
  await Promise.all([control, exoix].map(({ clients }) => clients.call('disconnect')))
  return rows
}

async function measureOneUpdate({ control, exoix }: Sides, title: string, rounds: number): Promise<Row> {
  const pairs = await alternate(
    rounds,
    () => measureSingle(control),
    () => measureSingle(exoix),
  )
  return { name: `one update to ${title}: last has it`, unit: 'ms', better: 'lower', ...pairs }
}

async function measureManyUpdates(
  { sockets, target }: Case,
  sides: Sides,
  title: string,
  rounds: number,
): Promise<Row[]> {
  const costs: Record<keyof Sides, number[]> = { control: [], exoix: [] }
  const busy: number[] = []
  const burst = async (side: keyof Sides) => {
    const { server, clients } = sides[side]
    const { seconds, serverCpu, clientBusy } = await measureBursts(server, clients, BURSTS / sockets)
    busy.push(clientBusy)
    costs[side].push((serverCpu / (sockets * UPDATES)) * 1e6)
    return (sockets * UPDATES) / seconds
  }
  const pairs = await alternate(
    rounds,
    () => burst('control'),
    () => burst('exoix'),
  )
  const name = `${UPDATES} updates to ${title}`
  const note = `the clients were computing ${(median(busy) * 100).toFixed(0)} % of the time`
  const cpu = { control: costs.control.slice(1), exoix: costs.exoix.slice(1) }
  return [
    { name, unit: 'deliveries/s', better: 'higher', ...pairs, target, note },
    { name: `${name}, CPU time`, unit: 'µs/delivery', better: 'lower', ...cpu },
  ]
}

async function measureSingle({ server, clients }: Side): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < SINGLES; n++) {
    await Bun.sleep(QUIET)
    times.push((await measureBurst(server, clients, 1)).seconds * 1000)
  }
  return median(times)
}

/** The mean of several bursts, one after the other. */
async function measureBursts(server: Child, clients: Child, count: number): Promise<Arrival> {
  const arrivals: Arrival[] = []
  for (let n = 0; n < count; n++) arrivals.push(await measureBurst(server, clients, UPDATES))
  const mean = (of: keyof Arrival) => arrivals.reduce((sum, arrival) => sum + arrival[of], 0) / arrivals.length
  return { seconds: mean('seconds'), serverCpu: mean('serverCpu'), clientBusy: mean('clientBusy') }
}
