import { afterEach, describe, expect, test } from 'bun:test'
import { ApplicationFlag } from '../../src/simulator/types.ts'
import { cleanUp, EVERYTHING, INTENTS, openRaw, simulate } from './support.ts'

afterEach(cleanUp)

describe('the gateway closes', () => {
  test.each([
    ['?v=6&encoding=json', 4012],
    ['?encoding=json', 4012],
    ['?v=10&encoding=etf', 4002],
  ])('a connection with %s: %i', async (query, code) => {
    const bot = await openRaw(await simulate(), query)
    expect((await bot.closed).code).toBe(code)
  })

  test.each([
    ['no JSON', '{', 4002],
    ['no object', '[]', 4002],
    ['no op', '{"d":1}', 4002],
    ['an unknown opcode', '{"op":99,"d":null}', 4001],
    ['a server opcode', '{"op":10,"d":null}', 4001],
    ['a request before IDENTIFY', '{"op":8,"d":{}}', 4003],
    ['a presence before IDENTIFY', '{"op":3,"d":{}}', 4003],
    ['an IDENTIFY without data', '{"op":2}', 4002],
    ['a heartbeat that is no number', '{"op":1,"d":"x"}', 4002],
    ['a payload over 4,096 bytes', `{"op":1,"d":null,"x":"${'é'.repeat(2048)}"}`, 4002],
  ])('on %s', async (_, text, code) => {
    const bot = await openRaw(await simulate())
    bot.socket.send(text)
    expect((await bot.closed).code).toBe(code)
  })

  test('on a binary frame: 4002', async () => {
    const bot = await openRaw(await simulate())
    bot.socket.send(new TextEncoder().encode('{"op":1,"d":null}'))
    expect((await bot.closed).code).toBe(4002)
  })

  test.each([
    ['the wrong token', { token: 'Bot x' }, 4004],
    ['no properties', { properties: undefined }, 4002],
    ['intents that are no number', { intents: '1' }, 4002],
    ['intents nobody documented', { intents: 1 << 18 }, 4013],
    ['negative intents', { intents: -1 }, 4013],
    ['a shard out of range', { shard: [1, 1] }, 4010],
    ['a shard of strings', { shard: ['0', '1'] }, 4002],
    ['a threshold out of range', { large_threshold: 251 }, 4002],
    ['an odd presence', { presence: { status: 'here', activities: [] } }, 4002],
  ])('on IDENTIFY with %s', async (_, patch, code) => {
    const sim = await simulate()
    const bot = await openRaw(sim)
    bot.identify(patch)
    expect((await bot.closed).code).toBe(code)
    expect(sim.sessions).toEqual([])
  })

  test.each([
    [INTENTS.presences, ApplicationFlag.gatewayPresence | ApplicationFlag.gatewayPresenceLimited],
    [INTENTS.members, ApplicationFlag.gatewayGuildMembers | ApplicationFlag.gatewayGuildMembersLimited],
    [INTENTS.messageContent, ApplicationFlag.gatewayMessageContent | ApplicationFlag.gatewayMessageContentLimited],
  ])('on privileged intent %i unless it is switched on', async (intent, flags) => {
    const sim = await simulate({ applicationFlags: ~flags & 0xffffff })
    const bot = await openRaw(sim)
    bot.identify({ intents: intent })
    expect((await bot.closed).code).toBe(4014)
    sim.account.applicationFlags = flags
    const allowed = await openRaw(sim)
    allowed.identify({ intents: intent })
    expect((await allowed.event('READY')).d.application.flags).toBe(flags)
  })

  test('an unsharded bot in more than 2,500 guilds: 4011', async () => {
    const sim = await simulate()
    for (let index = 0; index < 2501; index++) sim.world.addGuild({ channels: [] })
    const bot = await openRaw(sim)
    bot.identify()
    expect((await bot.closed).code).toBe(4011)
    const sharded = await openRaw(sim)
    sharded.identify({ shard: [0, 2] })
    await sharded.event('READY')
  })

  test('a second IDENTIFY on one connection: 4005', async () => {
    const bot = await openRaw(await simulate())
    bot.identify()
    bot.identify()
    expect((await bot.closed).code).toBe(4005)
  })

  test('a bot that sends 121 events within a minute: 4008, but not one that waits', async () => {
    let now = Date.now()
    const sim = await simulate({ now: () => now })
    const bot = await openRaw(sim)
    for (let index = 0; index < 120; index++) bot.send(1, null)
    for (let index = 0; index < 120; index++) await bot.op(11)
    now += 60_000
    for (let index = 0; index < 120; index++) bot.send(1, null)
    for (let index = 0; index < 120; index++) await bot.op(11)
    bot.send(1, null)
    expect((await bot.closed).code).toBe(4008)
  })

  test('a bot that sends no heartbeat: 4009, and its session is gone', async () => {
    const sim = await simulate({ heartbeatIntervalMs: 20 })
    const bot = await openRaw(sim)
    bot.identify()
    const { d } = await bot.event('READY')
    expect((await bot.closed).code).toBe(4009)
    const again = await openRaw(sim)
    again.send(6, { token: sim.token, session_id: d.session_id, seq: 1 })
    expect((await again.op(9)).d).toBe(false)
  })
})

describe('identifying', () => {
  test('is possible once in five seconds for each bucket of shards', async () => {
    let now = Date.now()
    const sim = await simulate({ now: () => now, identifyIntervalMs: 5000, maxConcurrency: 2 })
    const open = async (shard: number) => {
      const bot = await openRaw(sim)
      bot.identify({ shard: [shard, 4] })
      return bot
    }
    await (await open(0)).event('READY')
    await (await open(1)).event('READY')
    const early = await open(2)
    expect((await early.op(9)).d).toBe(false)
    now += 5000
    early.identify({ shard: [2, 4] })
    await early.event('READY')
    expect(sim.recorder.all('violation')).toHaveLength(1)
  })

  test('uses up the session start limit', async () => {
    const sim = await simulate({ sessionStartRemaining: 1 })
    await (async () => {
      const bot = await openRaw(sim)
      bot.identify()
      await bot.event('READY')
    })()
    const bot = await openRaw(sim)
    bot.identify()
    expect((await bot.op(9)).d).toBe(false)
  })

  test('puts the bot online with the presence it brought', async () => {
    const sim = await simulate()
    sim.world.addGuild()
    const bot = await openRaw(sim)
    bot.identify({ presence: { status: 'dnd', activities: [{ name: 'tests', type: 3 }], since: null, afk: false } })
    const { d } = await bot.event('GUILD_CREATE')
    expect(d.presences).toMatchObject([
      { user: { id: sim.world.bot.id }, status: 'dnd', client_status: { web: 'dnd' } },
    ])
    bot.send(3, { status: 'idle', activities: [], since: null, afk: false })
    expect((await sim.next('presence')).payload.status).toBe('idle')
    expect((await bot.event('PRESENCE_UPDATE')).d.status).toBe('idle')
  })
})

describe('resuming', () => {
  async function dropped() {
    let now = Date.now()
    const sim = await simulate({ replayBufferSize: 5, resumeWindowMs: 1000, now: () => now })
    const guild = sim.world.addGuild({ members: 1 })
    const member = [...guild.members.keys()][1] as string
    const bot = await openRaw(sim)
    bot.identify()
    const { d } = await bot.event('READY')
    await bot.event('GUILD_CREATE')
    const resume = async (patch = {}) => {
      const back = await openRaw(sim, undefined, '/resume')
      back.send(6, { token: sim.token, session_id: d.session_id, seq: 2, ...patch })
      return back
    }
    const pass = (ms: number) => {
      now += ms
    }
    return { sim, bot, guild, member, resume, pass, ready: d }
  }

  test('hands out the URL for it, and replays from the number given', async () => {
    const { sim, member, resume, ready } = await dropped()
    expect(ready.resume_gateway_url).toBe(`${sim.account.gatewayUrl}/resume`)
    sim.faults.dropTcp()
    sim.world.setPresence(member, { status: 'dnd' })
    const back = await resume()
    expect((await back.event('PRESENCE_UPDATE')).s).toBe(3)
    expect((await back.event('RESUMED')).s).toBe(4)
    sim.world.setPresence(member, { status: 'idle' })
    expect((await back.event('PRESENCE_UPDATE')).s).toBe(5)
    expect((await sim.next('connect', ({ path }) => path.endsWith('/resume'))).query.v).toBe('10')
  })

  test('a second connection takes the session over', async () => {
    const { bot, resume } = await dropped()
    const back = await resume()
    await back.event('RESUMED')
    expect((await bot.closed).code).toBe(4000)
  })

  test.each([
    ['with a wrong token: 4004', { token: 'x' }, 4004],
    ['from a number not reached: 4007', { seq: 50 }, 4007],
    ['without a number: 4002', { seq: null }, 4002],
  ])('is refused %s', async (_, patch, code) => {
    const { sim, resume } = await dropped()
    sim.faults.dropTcp()
    expect((await (await resume(patch)).closed).code).toBe(code)
  })

  test('is refused with op 9 for an unknown session, one closed 1000, an old one, and one that missed too much', async () => {
    const unknown = await dropped()
    expect((await (await unknown.resume({ session_id: 'x' })).op(9)).d).toBe(false)

    const finished = await dropped()
    finished.bot.socket.close(1000)
    await finished.sim.next('close')
    expect((await (await finished.resume()).op(9)).d).toBe(false)

    const old = await dropped()
    old.sim.faults.dropTcp()
    old.pass(1001)
    expect((await (await old.resume()).op(9)).d).toBe(false)

    const busy = await dropped()
    busy.sim.faults.dropTcp()
    for (let index = 0; index < 6; index++) busy.sim.world.setPresence(busy.member, { status: 'dnd' })
    expect((await (await busy.resume()).op(9)).d).toBe(false)
  })

  test('survives a close of the bot with another code', async () => {
    const { bot, sim, resume } = await dropped()
    bot.socket.close(4200)
    expect(await sim.next('close')).toMatchObject({ code: 4200, by: 'bot' })
    await (await resume()).event('RESUMED')
  })
})

test('heartbeats are acknowledged and recorded', async () => {
  const sim = await simulate()
  const bot = await openRaw(sim)
  expect((await bot.op(10)).d.heartbeat_interval).toBe(41_250)
  bot.send(1, null)
  await bot.op(11)
  sim.faults.requestHeartbeat()
  await bot.op(1)
  expect(await sim.next('heartbeat')).toEqual({ session: null, sequence: null })
})

test('a payload without GUILDS brings no guild, but members and presences of it', async () => {
  const sim = await simulate()
  const guild = sim.world.addGuild({ members: 1 })
  const bot = await openRaw(sim)
  bot.identify({ intents: EVERYTHING & ~INTENTS.guilds })
  await bot.event('READY')
  sim.world.addMember(guild.id, { username: 'new' })
  expect((await bot.event('GUILD_MEMBER_ADD')).d.guild_id).toBe(guild.id)
  expect(bot.frames.seen.some(frame => frame.t === 'GUILD_CREATE')).toBe(false)
})
