import { afterAll, describe, expect, test } from 'bun:test'
import { Gateway } from '../../src/discord/gateway.ts'
import { DiscordRest } from '../../src/discord/rest.ts'
import { FatalError } from '../../src/domain/errors.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { ApplicationFlag } from '../../src/simulator/types.ts'
import { silent, testConfig } from '../support/app.ts'
import { startForwardProxy } from '../support/forward-proxy.ts'
import { startUpstream } from '../support/upstream.ts'
import { createJumpClock } from './clocks.ts'
import { cleanUp, connect, createTestGateway, simulate } from './gateway-support.ts'

afterAll(cleanUp)

const { gatewayPresence, gatewayGuildMembers, gatewayMessageContent } = ApplicationFlag

describe.concurrent('the start', () => {
  test('asks for every intent that is switched on, and tells the application', async () => {
    const sim = await simulate()
    const { gateway } = await connect(sim)
    const { payload } = await sim.next('identify')
    expect(payload.intents).toBe((1 << 0) | (1 << 1) | (1 << 8) | (1 << 9) | (1 << 12) | (1 << 15))
    expect(payload.large_threshold).toBe(250)
    expect(payload.presence).toMatchObject({ activities: [{ name: 'you <3', type: 3 }], status: 'online' })
    expect(gateway.application()).toEqual({
      id: sim.account.applicationId,
      ownerId: '100000000000000001',
      messageContent: true,
    })
  })

  test('goes through the proxy on the way to its gateway, and comes back through it', async () => {
    await using proxy = await startForwardProxy()
    const sim = await simulate()
    const asked: string[] = []
    const { logged } = await connect(sim, {
      proxyFor(address) {
        asked.push(address)
        return `http://${proxy.host}`
      },
    })
    const { host } = new URL(sim.url)
    expect(proxy.tunnels.map(({ target }) => target)).toEqual([host])
    sim.faults.dropTcp()
    await logged('session resumed')
    expect(proxy.tunnels.map(({ target }) => target)).toEqual([host, host])
    expect(asked).toEqual([`ws://${host}/gateway`, `ws://${host}/gateway/resume`])
  })

  test('does without message content, and says so', async () => {
    const sim = await simulate({ applicationFlags: gatewayPresence | gatewayGuildMembers })
    const { gateway, logged } = await connect(sim)
    const { payload } = await sim.next('identify')
    expect((payload.intents as number) & (1 << 15)).toBe(0)
    expect(gateway.application()?.messageContent).toBe(false)
    expect((await logged('"Message Content Intent" is off')).level).toBe('info')
  })

  test.each([
    ['Server Members Intent', gatewayPresence | gatewayMessageContent],
    ['Presence Intent', gatewayGuildMembers | gatewayMessageContent],
  ])('is refused without the %s, with its name and place', async (name, applicationFlags) => {
    const sim = await simulate({ applicationFlags })
    const { gateway } = createTestGateway(sim)
    const error = await gateway.start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toContain(`"${name}"`)
    expect((error as Error).message).toContain('Discord Developer Portal')
    expect(sim.recorder.all('connect')).toEqual([])
  })

  test('is refused with a bad token, with where to get a good one', async () => {
    const sim = await simulate()
    const { gateway } = createTestGateway(sim, { token: 'not.the.token' })
    const error = await gateway.start().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FatalError)
    expect((error as Error).message).toContain('BOT_TOKEN')
    expect((error as Error).message).toContain('Discord Developer Portal')
  })

  test('is refused without a token, and asks Discord nothing', async () => {
    const sim = await simulate()
    const config = { ...testConfig(sim), botToken: undefined }
    const gateway = new Gateway({
      config,
      api: new DiscordRest(config, silent).api,
      presences: new PresenceStore(),
      metrics: createMetrics(),
      log: silent,
      onFatal() {},
    })
    expect(await gateway.start().catch((thrown: unknown) => thrown)).toBeInstanceOf(FatalError)
    expect(sim.recorder.all('rest')).toEqual([])
  })

  test.each([
    ['breaks off', 'network' as const, 6],
    ['answers 500', 500, 6],
    ['answers 503', 503, 6],
    ['answers 404', 404, 2],
    ['answers with a page of somebody else', 'page' as const, 2],
    ['answers 429', 'rate limited' as const, 1],
    ['answers 429 for everything', 'globally rate limited' as const, 1],
  ])('is tried again when REST %s', async (_, kind, times) => {
    const sim = await simulate()
    sim.world.addGuild({ members: 3 })
    const { gateway, logged, presences } = createTestGateway(sim)
    sim.restFails({ kind, times, path: /applications/ })
    sim.restFails({ kind, times, path: /gateway/ })
    const started = gateway.start()
    expect((await logged('Discord did not')).level).toBe('warn')
    expect(presences.readiness).toBe('starting')
    await started
    await gateway.whenLoaded
    expect(presences.size).toBe(4)
  })

  test.each([
    ['a page', () => new Response('<html>', { headers: { 'Content-Type': 'text/html' } })],
    ['{}', () => Response.json({})],
    ['null', () => Response.json(null)],
    ['[]', () => Response.json([])],
    ['nothing', () => new Response(null)],
    ['an id alone', () => Response.json({ id: '712345678901234567' })],
    ['flags that are none', () => Response.json({ id: '712345678901234567', flags: 'none' })],
    ['a page of a proxy that refuses it', () => new Response('<html>', { status: 401 })],
    ['JSON of a proxy that refuses it', () => Response.json({ error: 'unauthorized' }, { status: 401 })],
  ])('is tried again when the application is described by %s', async (_, give) => {
    const sim = await simulate()
    await using front = startUpstream([give, request => fetch(request.url.replace(/^.*?(?=\/api)/, sim.url), request)])
    const { gateway, logged } = createTestGateway(sim, { apiUrl: `${front.url}api` })
    await gateway.start()
    expect((await logged('Discord did not tell about the application')).level).toBe('warn')
    expect(gateway.application()?.id).toBe(sim.account.applicationId)
    await gateway.whenLoaded
  })

  test.each([
    ['without /api', (url: string) => url.replace(/\/api$/, '')],
    ['with a version', (url: string) => `${url}/v10`],
  ])('says what the address of the API should look like when it is %s', async (_, spoil) => {
    const sim = await simulate()
    const { gateway, logged } = createTestGateway(sim, { apiUrl: spoil(sim.apiUrl) })
    const started = gateway.start()
    const { error } = await logged('Discord did not tell about the application')
    expect(error).toContain('DISCORD_API_URL should look like https://discord.com/api')
    await gateway.stop()
    await started
  })

  test('makes the process end when the gateway refuses what REST accepted', async () => {
    const sim = await simulate()
    const { gateway, fatal } = createTestGateway(sim)
    sim.faults.moveGateway(`${sim.account.gatewayUrl}`)
    await gateway.start()
    await sim.next('ready')
    sim.account.token = 'another'
    sim.faults.closeAll(4000)
    expect((await fatal).message).toContain('BOT_TOKEN')
  })

  test.each([
    [4010, 'number of shards'],
    [4011, 'number of shards'],
    [4012, 'version 10'],
    [4013, 'intents'],
    [4014, 'Privileged Gateway Intents'],
  ])('makes the process end after close code %i', async (code, words) => {
    const sim = await simulate()
    const { fatal, metric } = await connect(sim)
    sim.faults.closeAll(code)
    const error = await fatal
    expect(error).toBeInstanceOf(FatalError)
    expect(error.message).toContain(words)
    expect(metric(`gateway_closes_total{code="${code}"}`)).toBe(1)
  })

  test('waits when no more sessions may be started, instead of losing the token', async () => {
    const clock = createJumpClock()
    const sim = await simulate({ sessionStartRemaining: 0 })
    sim.world.addGuild({ members: 3 })
    const { gateway, logged, presences } = createTestGateway(sim, { clock })
    await gateway.start()
    const { level, waitSeconds } = await logged('no more gateway sessions')
    expect(level).toBe('warn')
    expect(waitSeconds).toBeGreaterThan(3600)
    expect(sim.recorder.all('identify')).toEqual([])
    sim.account.sessionStartRemaining = 1000
    clock.jump(24 * 3_600_000)
    await gateway.whenLoaded
    expect(presences.size).toBe(4)
    expect(sim.recorder.all('violation')).toEqual([])
  })
})

describe.concurrent('stopping', () => {
  test('leaves the session resumable', async () => {
    const sim = await simulate()
    const { gateway } = await connect(sim)
    await gateway.stop()
    expect(await sim.next('close')).toMatchObject({ code: 4200, by: 'bot' })
  })

  test('ends a start that is still waiting for REST', async () => {
    const sim = await simulate()
    const { gateway } = createTestGateway(sim)
    sim.restFails({ kind: 'hang', times: 10 })
    const started = gateway.start()
    await gateway.stop()
    await started
    expect(sim.recorder.all('connect')).toEqual([])
  })

  test('ends a start that is waiting to try REST again', async () => {
    const sim = await simulate()
    const { gateway, logged } = createTestGateway(sim, { timing: { backoff: { firstMs: 60_000, longestMs: 60_000 } } })
    sim.restFails({ kind: 500, times: 10 })
    const started = gateway.start()
    await logged('Discord did not')
    await gateway.stop()
    await started
  })

  test.each(['hang', 'silent', true] as const)('works while the gateway does not let us in (%s)', async how => {
    const sim = await simulate()
    sim.faults.refuseConnections(how)
    const timing = { backoff: { firstMs: 60_000, longestMs: 60_000 }, handshakeMs: 100 }
    const { gateway, logged } = createTestGateway(sim, { timing })
    await gateway.start()
    await logged('could not be reached')
    await gateway.stop()
    sim.faults.refuseConnections(false)
    expect(sim.recorder.all('identify')).toEqual([])
  })

  test('works before the start, and twice', async () => {
    const sim = await simulate()
    const { gateway } = createTestGateway(sim)
    await gateway.stop()
    await gateway.stop()
    await gateway.start()
    expect(sim.recorder.all('rest')).toEqual([])
  })

  test('works while the session is being started', async () => {
    const sim = await simulate({ sessionStartRemaining: 0 })
    const { gateway, logged } = createTestGateway(sim)
    await gateway.start()
    await logged('no more gateway sessions')
    await gateway.stop()
    expect(await sim.next('close')).toMatchObject({ by: 'bot' })
  })
})
