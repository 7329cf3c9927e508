import { afterAll, describe, expect, test } from 'bun:test'
import { cleanUp, simulate } from './gateway-support.ts'

afterAll(cleanUp)

/** A process that starts a gateway, stops it at a certain point, and ends only when nothing keeps it. */
const SCRIPT = `
  import { Gateway } from './src/discord/gateway.ts'
  import { DiscordRest } from './src/discord/rest.ts'
  import { createLog } from './src/lib/log.ts'
  import { createMetrics } from './src/lib/metrics.ts'
  import { PresenceStore } from './src/domain/presence-store.ts'
  import { readConfig } from './src/config.ts'
  const reached = Promise.withResolvers()
  const write = line => line.includes(process.env.UNTIL) && reached.resolve()
  const config = readConfig(process.env)
  const log = createLog({ level: 'debug', format: 'text', write })
  const rest = new DiscordRest(config, log)
  const gateway = new Gateway({
    config,
    api: rest.api,
    presences: new PresenceStore(),
    metrics: createMetrics(),
    log,
    onFatal: error => { throw error },
    options: { timing: { handshakeMs: 300 } },
  })
  void gateway.start()
  await reached.promise
  await gateway.stop()
  await rest.stop()
`

async function run(env: Record<string, string>): Promise<number> {
  const child = Bun.spawn([process.execPath, '-e', SCRIPT], {
    cwd: new URL('../..', import.meta.url).pathname,
    env: { ...process.env, ...env },
    stdout: 'ignore',
    stderr: 'inherit',
  })
  return await child.exited
}

describe.concurrent('the process ends by itself after a stop', () => {
  test.each([
    ['while everything is well', 'all members are known', undefined],
    ['while it waits to dial again', 'could not be reached', true],
    ['while nobody answers', 'Waiting for event hello', 'hang' as const],
    ['while it waits to identify', 'no more gateway sessions', 'no budget' as const],
    ['while it waits for REST', 'Discord did not', 'no REST' as const],
  ])('%s', async (_, until, trouble) => {
    const sim = await simulate({ sessionStartRemaining: trouble === 'no budget' ? 0 : 1000 })
    sim.world.addGuild({ members: 2 })
    if (trouble === true || trouble === 'hang') sim.faults.refuseConnections(trouble)
    if (trouble === 'no REST') sim.restFails({ kind: 500, times: 100 })
    expect(await run({ BOT_TOKEN: sim.token, DISCORD_API_URL: sim.apiUrl, UNTIL: until })).toBe(0)
  })
})
