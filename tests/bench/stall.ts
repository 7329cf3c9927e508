import type { Population } from './processes/discord.ts'
import type { Waits } from './processes/poller.ts'
import { startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Row } from './support/benchmark.ts'
import { withChildren } from './support/child.ts'
import { personId } from './support/people.ts'

const KNOWN = 1000
const NEWCOMERS = 20_000
/** The id of the round's guild: members of one guild may be asked for once in half a minute only. */
const guildIdOf = (round: number) => String(900000000000001000n + BigInt(round))
/** Milliseconds the control polls an application at rest. */
const REST = 1000

/** Who of the guild is online when the bot joins: they come in one GUILD_CREATE, everybody in chunks of 1,000. */
const CASES = [
  { name: 'nobody online', online: 0, target: '≤ 50 ms' },
  { name: '1,000 online', online: 1000 },
]

/** The longest a read waits while 20,000 members are loaded by op 8, beside the longest while nothing happens. */
export const benchmark: Benchmark = {
  name: 'stall',
  run: ({ rounds }) =>
    withChildren(['discord', 'exoix', 'poller'], async (discord, exoix, poller) => {
      const { url } = await startApplication(discord, exoix, KNOWN)

      const longest = async (work: () => Promise<unknown>) => {
        await poller.call('begin', { url, path: `/v1/users/${personId(0)}` })
        await work()
        return (await poller.call<Waits>('end')).longest
      }
      let round = 0
      const load = async (online: number) => {
        const guild: Population = { guildId: guildIdOf(++round), from: KNOWN, count: NEWCOMERS, online }
        await discord.call('populate', guild)
        await exoix.call('untilSize', KNOWN + NEWCOMERS + 1)
      }
      const leave = async () => {
        await discord.call('removeGuild', guildIdOf(round))
        await exoix.call('untilSize', KNOWN + 1)
      }

      const rows: Row[] = []
      for (const { name, online, target } of CASES) {
        const pairs = await alternate(
          rounds,
          () => longest(() => Bun.sleep(REST)),
          async () => {
            const wait = await longest(() => load(online))
            await leave()
            return wait
          },
        )
        const title = `longest read while ${NEWCOMERS} members load, ${name}`
        rows.push({ name: title, unit: 'ms', better: 'lower', ...pairs, target })
      }
      return rows
    }),
}
