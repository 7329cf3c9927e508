import type { Random } from '../../../../src/simulator/random.ts'
import type { TestApp } from '../../../support/app.ts'
import { hold } from '../drill.ts'
import { readGauges } from '../metrics.ts'
import { checkPresences, goodEvents } from './events.ts'
import { createMutator } from './mutate.ts'

const BATCH = 200
/** The bot answers these by REST, which is slow; so there are few of them. */
const ANSWERED = ['MESSAGE_CREATE', 'INTERACTION_CREATE']
const ANSWERED_PART = 0.002
/** A guild nobody else speaks of. */
const MARKER_GUILD = '777'

/** Frames of any content over a real gateway connection: the connection lasts, and what follows is taken in. */
export async function fuzzSession(cases: number, random: Random, { app, simulator, url }: TestApp): Promise<void> {
  const mutate = createMutator(random)
  const good = goodEvents(random)
  const answered = good.filter(({ t }) => ANSWERED.includes(t))
  const others = good.filter(({ t }) => !ANSWERED.includes(t))
  const before = simulator.recorder.all('connect').length

  function frame(): string {
    const event = random.pick(random.chance(ANSWERED_PART) ? answered : others)
    const text = JSON.stringify({ t: event.t, s: random.int(0, 5), op: 0, d: mutate.value(event.d) })
    return random.chance(0.2) ? mutate.text(text) : text
  }

  for (let made = 0; made < cases; ) {
    const until = Math.min(cases, made + BATCH)
    for (; made < until; made++) simulator.rawText(frame())
    await marked(made)
    checkPresences(app.presences)
  }
  hold(app.presences.readiness === 'ready', `the gateway is ${app.presences.readiness}`)
  hold(simulator.recorder.all('connect').length === before, 'the connection did not last')
  const gauges = await readGauges(url)
  for (const reason of ['handler_error', 'listener_error']) {
    const errors = gauges[`exoix_gateway_dropped_total{reason="${reason}"}`]
    hold(errors === 0, `${errors} events ended in a ${reason}`)
  }

  /** Resolves when everything sent so far has been taken in. */
  function marked(number: number): Promise<void> {
    const id = String(1_000_000 + number)
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = app.presences.onChange(change => {
      if (change.id !== id || change.kind !== 'joined') return
      stop()
      resolve()
    })
    const presences = [{ user: { id }, status: 'online' }]
    simulator.raw('GUILD_CREATE', { id: MARKER_GUILD, member_count: 1, members: [{ user: { id } }], presences })
    return promise
  }
}
