import { afterAll, expect, test } from 'bun:test'
import { examineDiscord } from '../../src/discord/check.ts'
import { silent, testConfig } from '../support/app.ts'
import { startUpstream } from '../support/upstream.ts'
import { createManualClock } from './clocks.ts'
import { cleanUp, simulate } from './gateway-support.ts'

afterAll(cleanUp)

const levels = (findings: Awaited<ReturnType<typeof examineDiscord>>) =>
  findings.map(({ level, topic }) => `${level} ${topic}`)

/** Turns the clock until the work is done, 7.5 s at most: then it has to end by itself. */
async function within<T>(clock: ReturnType<typeof createManualClock>, work: Promise<T>): Promise<T> {
  let over = false
  const done = work.finally(() => {
    over = true
  })
  for (let ms = 0; !over && ms < 7500; ms += 10) {
    await new Promise(setImmediate)
    clock.advance(10)
  }
  return done
}

test.each(['hang', 'silent'] as const)('ends within 8 s where the gateway does not say hello (%s)', async how => {
  const sim = await simulate()
  sim.faults.refuseConnections(how)
  const manual = createManualClock()
  let patient = 0
  const after: typeof manual.after = (ms, run) => {
    if (ms === 6000) patient++
    return manual.after(ms, run)
  }
  const examining = examineDiscord(testConfig(sim), silent, { clock: { ...manual, after } })
  // One for everything and one for the gateway, which has been dialed then; all else is answered.
  while (patient < 2 || manual.pending() > 2) await new Promise(setImmediate)
  manual.advance(6000)
  const findings = await examining
  expect(levels(findings)).toContain('WRONG gateway')
  expect(findings.find(({ topic }) => topic === 'gateway')?.text).toContain('no answer in time')
})

test('ends within 8 s where nothing is answered at all, or a pause is asked for', async () => {
  const sim = await simulate()
  for (const kind of ['hang', 'rate limited', 'globally rate limited'] as const) {
    sim.restRecovers()
    sim.restFails({ kind, times: 1000, retryAfter: 3600 })
    const clock = createManualClock()
    const findings = await within(clock, examineDiscord(testConfig(sim), silent, { clock }))
    expect(levels(findings)).toEqual(['WRONG Discord'])
  }
})

test.each([
  ['{}', () => Response.json({})],
  ['null', () => Response.json(null)],
  ['a page', () => new Response('<html>')],
  ['a refusal of a proxy', () => new Response('<html>', { status: 401 })],
])('has no word of a token or of switches where Discord does not tell: %s', async (_, give) => {
  const sim = await simulate()
  await using upstream = startUpstream(give)
  const config = testConfig(sim, { discordApiUrl: `${upstream.url}api` })
  const findings = await examineDiscord(config, silent)
  expect(levels(findings)).toEqual(['WRONG Discord'])
  expect(findings[0]?.text).not.toMatch(/undefined|TypeError/)
})
