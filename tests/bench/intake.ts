import { join } from 'node:path'
import { temporaryFolder } from '../support/executable.ts'
import type { Upstream } from './processes/exoix.ts'
import { startApplication } from './support/application.ts'
import { alternate, type Benchmark, type Row, type RunOptions } from './support/benchmark.ts'
import { type Child, withChildren } from './support/child.ts'
import { personId } from './support/people.ts'

const PEOPLE = 1000
const updatesPerRound = ({ long }: RunOptions) => (long ? 300_000 : 60_000)

/** PRESENCE_UPDATEs a second, nobody listening: from a gateway in another process, and from memory. */
export const benchmark: Benchmark = {
  name: 'intake',
  run: async options => [await measureGateway(options), await measureStore(options), await measureSaving(options)],
}

/** Both sides have a simulated Discord of their own; nothing but one of them is busy at a time. */
function measureGateway(options: RunOptions): Promise<Row> {
  const updates = updatesPerRound(options)
  return withChildren(
    ['discord', 'discord', 'intake-control', 'exoix'],
    async (controlDiscord, exoixDiscord, control, exoix) => {
      await control.call('start', await controlDiscord.call<Upstream>('start'))
      await startApplication(exoixDiscord, exoix, PEOPLE)
      for (const discord of [controlDiscord, exoixDiscord]) await discord.call('prepare', PEOPLE)
      let round = 0

      const speed = (began: number, ended: number) => (updates / (ended - began)) * 1000
      const pairs = await alternate(
        options.rounds,
        async () => {
          await control.call('forget')
          const ended = control.call<number>('until', updates)
          const began = await controlDiscord.call<number>('blast', { count: updates, lastStatus: 'dnd' })
          return speed(began, await ended)
        },
        async () => {
          const status = round++ % 2 === 0 ? 'dnd' : 'idle'
          const began = await exoixDiscord.call<number>('blast', { count: updates, lastStatus: status })
          return speed(began, await exoix.call<number>('untilStatus', { id: personId(0), status }))
        },
      )
      const note = 'the control is @discordjs/ws with an empty handler; the sender takes the other core'
      const target = '≥ 50,000 a second'
      return { name: 'PRESENCE_UPDATE, gateway to store', unit: 'updates/s', better: 'higher', ...pairs, target, note }
    },
  )
}

function measureStore(options: RunOptions): Promise<Row> {
  const updates = updatesPerRound(options)
  return withChildren(['store-intake'], async child => {
    await child.call('prepare', PEOPLE)
    const measure = (store: boolean) => () => child.call<number>('measure', { updates, store })
    const pairs = await alternate(options.rounds, measure(false), measure(true))
    const note = 'the control is JSON.parse alone'
    return { name: 'PRESENCE_UPDATE, text to store', unit: 'updates/s', better: 'higher', ...pairs, note }
  })
}

/** People who all change before each save: the most there is to save. */
const CHANGING = 10_000
/** Long enough for a save or two, which come every two seconds. */
const SAVED_UPDATES = 250_000

function measureSaving({ rounds }: RunOptions): Promise<Row> {
  return withChildren(['store-intake', 'store-intake'], async (control, exoix) => {
    using folder = temporaryFolder()
    for (const child of [control, exoix]) await child.call('prepare', CHANGING)
    await exoix.call('keep', join(folder.path, 'exoix.db'))
    const measure = (child: Child) => () => child.call<number>('measureInTurns', SAVED_UPDATES)
    const pairs = await alternate(rounds, measure(control), measure(exoix))
    const note = `the control saves nothing; Exoix saves ${CHANGING} people every two seconds, as all of them change`
    return { name: 'PRESENCE_UPDATE, saved to a file', unit: 'updates/s', better: 'higher', ...pairs, note }
  })
}
