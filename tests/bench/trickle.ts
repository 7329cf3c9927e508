import type { Received } from './processes/socket-load.ts'
import type { Publication } from './processes/topics-control.ts'
import { startApplication } from './support/application.ts'
import type { Benchmark, Row, RunOptions } from './support/benchmark.ts'
import { type Child, withChildren } from './support/child.ts'
import { now } from './support/commands.ts'
import { connectCrowd, follow, followAll } from './support/crowd.ts'
import { median } from './support/table.ts'
import type { Lateness, Trickle } from './support/trickle.ts'
import { cpuSeconds } from './support/usage.ts'

/** People who are followed, and change one after the other. */
const PEOPLE = 50
/** Milliseconds until a trickle begins, and how long it lasts. */
const PREPARATION = 100
const LENGTH = 1000

interface Case {
  readonly sockets: number
  /** Whether the sockets follow everybody, or the people by id. */
  readonly all: boolean
  /** Updates a second. */
  readonly rate: number
  readonly target?: string
}

const CASES: readonly Case[] = [
  { sockets: 1000, all: true, rate: 10 },
  { sockets: 1000, all: true, rate: 200 },
  { sockets: 1000, all: true, rate: 500 },
  { sockets: 1000, all: true, rate: 1000, target: '≤ 2 µs; p99 ≤ 40 ms' },
  { sockets: 1000, all: false, rate: 1000 },
]

/** More than one core delivers: what matters is that nothing is lost. */
const LONG: readonly Case[] = [200, 500, 1000].map(rate => ({ sockets: 5000, all: true, rate }))

interface Side {
  readonly server: Child
  readonly clients: Child
  readonly url: string
  /** Beyond the plan. */
  readonly how?: object
  /** Updates at most: a core is busy for ten seconds with a million of those that are published at once. */
  readonly most?: number
}

interface Figures {
  /** Microseconds of the server's CPU time. */
  readonly cpu: number
  readonly median: number
  readonly p99: number
}

/**
 * Updates that come one by one, evenly spaced, to a crowd: beside a control that publishes each at once, and one that
 * gathers as Exoix does. Clients count every one of them; delays are from when an update was due.
 */
export const benchmark: Benchmark = {
  name: 'trickle',
  run: options =>
    withChildren(
      ['discord', 'exoix', 'topics-control', 'socket-load', 'socket-load'],
      async (discord, exoix, control, controlClients, exoixClients) => {
        const { url, ids } = await startApplication(discord, exoix, PEOPLE)
        const texts = await exoix.call<string[]>('frames', PEOPLE)
        const controlUrl = await control.call<string>('start', { initBytes: texts.join('').length })
        const shared = { server: control, clients: controlClients, url: controlUrl }
        const sides = {
          atOnce: { ...shared, how: { gathers: false }, most: 50 },
          gathering: { ...shared, how: { gathers: true } },
          exoix: { server: exoix, clients: exoixClients, url: `${url}/socket` },
        }
        const rows: Row[] = []
        for (const one of options.long ? [...CASES, ...LONG] : CASES) {
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

type Sides = Readonly<Record<'atOnce' | 'gathering' | 'exoix', Side>>

async function measureCase(one: Case, sides: Sides, message: string, { rounds, say }: RunOptions): Promise<Row[]> {
  const { sockets, all, rate, target } = one
  const title = `${rate} updates a second to ${sockets} sockets on ${all ? 'everybody' : '50 ids'}`
  say(title)
  const { atOnce, gathering, exoix } = sides
  for (const { clients, url } of [gathering, exoix]) await connectCrowd(clients, { url, count: sockets, message })
  const figures: Record<keyof Sides, Figures[]> = { atOnce: [], gathering: [], exoix: [] }
  for (let round = 0; round <= rounds; round++) {
    figures.atOnce.push(await measure(atOnce, one))
    figures.gathering.push(await measure(gathering, one))
    figures.exoix.push(await measure(exoix, one))
  }
  await Promise.all([gathering, exoix].map(({ clients }) => clients.call('disconnect')))
  // The first round is the warm-up.
  const of = (side: keyof Sides, figure: keyof Figures) => figures[side].slice(1).map(round => round[figure])
  const row = (name: string, unit: string, figure: keyof Figures, control: keyof Sides): Row => {
    return {
      name: `${title}, ${name}`,
      unit,
      better: 'lower',
      control: of(control, figure),
      exoix: of('exoix', figure),
    }
  }
  const note = `publishing each at once: delay ${median(of('atOnce', 'median')).toFixed(1)} ms, p99 ${median(of('atOnce', 'p99')).toFixed(1)} ms`
  return [
    { ...row('CPU time', 'µs/delivery', 'cpu', 'gathering'), ...(target !== undefined && { target }), note },
    row('CPU time, beside each at once', 'µs/delivery', 'cpu', 'atOnce'),
    row('delay', 'ms', 'median', 'gathering'),
    row('delay, p99', 'ms', 'p99', 'gathering'),
  ]
}

async function measure(
  { server, clients, how, most = Number.POSITIVE_INFINITY }: Side,
  { sockets, rate }: Case,
): Promise<Figures> {
  const count = Math.min(most, (rate * LENGTH) / 1000)
  await server.call('prepareTrickle', count)
  const trickle: Trickle = { startAt: now() + PREPARATION, interval: 1000 / rate, count }
  await clients.call('expectTrickle', trickle)
  const before = cpuSeconds(server.pid)
  await server.call('trickle', { ...trickle, ...how })
  const { median, p99 } = await clients.call<Received & Lateness>('trickled')
  return { cpu: ((cpuSeconds(server.pid) - before) / (sockets * count)) * 1e6, median, p99 }
}
