import { afterEach, describe, expect, test } from 'bun:test'
import { BotSocket } from '../../support/bot-socket.ts'
import { cleanUp, INTENTS, openRaw, simulate, startBot } from '../support.ts'

afterEach(cleanUp)

async function connected() {
  const sim = await simulate()
  const guild = sim.world.addGuild({ members: 2 })
  const bot = startBot(sim)
  await bot.manager.connect()
  await bot.event('GUILD_CREATE')
  const [, alice, bob] = [...guild.members.keys()] as [string, string, string]
  return { sim, guild, bot, alice, bob }
}

describe('a bot made with @discordjs/ws', () => {
  test('resumes after op 7', async () => {
    const { sim, bot } = await connected()
    sim.faults.reconnect()
    await bot.event('RESUMED')
    expect(sim.recorder.all('identify')).toHaveLength(1)
  })

  test('resumes after op 9 true on the same connection, identifies after op 9 false', async () => {
    const { sim, bot } = await connected()
    sim.faults.invalidateSessions(true)
    await bot.event('RESUMED')
    expect(sim.recorder.all('connect')).toHaveLength(1)
    await bot.event('READY')
    sim.faults.invalidateSessions(false)
    await bot.event('READY')
    expect(sim.recorder.all('resume')).toHaveLength(1)
    expect(sim.recorder.all('identify')).toHaveLength(2)
  })

  test.each([4000, 4001, 4002])('resumes after a close with %i', async code => {
    const { sim, bot } = await connected()
    sim.faults.closeAll(code)
    await bot.event('RESUMED')
    expect(bot.closes.seen).toEqual([code])
  })

  test('identifies anew when its session was lost', async () => {
    const { sim, bot } = await connected()
    await bot.event('READY')
    sim.faults.loseSessions()
    sim.faults.dropTcp()
    expect((await sim.next('resume')).session).toBeNull()
    await bot.event('READY')
  })
})

describe('a connection', () => {
  test('gone silent stays open, is never answered, and can be resumed elsewhere', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 1 })
    const bot = await openRaw(sim)
    bot.identify()
    const { d } = await bot.event('READY')
    await bot.event('GUILD_CREATE')
    const frames = bot.frames.seen.length
    sim.faults.goSilent()
    bot.send(1, 2)
    sim.world.setPresence([...guild.members.keys()][1] as string, { status: 'dnd' })
    const again = await openRaw(sim)
    again.send(6, { token: sim.token, session_id: d.session_id, seq: 2 })
    expect((await again.event('PRESENCE_UPDATE')).d.status).toBe('dnd')
    await again.event('RESUMED')
    expect(bot.frames.seen.length).toBe(frames)
    expect(sim.recorder.all('heartbeat')).toEqual([])
  })

  test('may be refused with 503, and later taken again', async () => {
    const sim = await simulate()
    sim.faults.refuseConnections(true)
    const refused = await openRaw(sim)
    expect(refused.socket.readyState).not.toBe(WebSocket.OPEN)
    sim.faults.refuseConnections(false)
    await (await openRaw(sim)).op(10)
  })

  test('may be taken and then never spoken to', async () => {
    const sim = await simulate()
    sim.faults.refuseConnections('silent')
    const bot = await openRaw(sim)
    expect(bot.socket.readyState).toBe(WebSocket.OPEN)
    bot.identify()
    await fetch(`${sim.apiUrl}/v10/gateway`)
    expect(bot.frames.seen).toEqual([])
    expect(sim.recorder.all('identify')).toEqual([])
  })

  test('dropped ends without a close frame', async () => {
    const sim = await simulate()
    const bot = await openRaw(sim)
    sim.faults.dropTcp()
    expect(await bot.closed).toEqual({ code: 1006, clean: false })
    expect(await sim.next('close')).toMatchObject({ code: 1006, by: 'simulator' })
  })

  test('that hangs is accepted and never answered', async () => {
    const sim = await simulate()
    sim.faults.refuseConnections('hang')
    const socket = new BotSocket(`${sim.account.gatewayUrl}?v=10&encoding=json`)
    const ended = new Promise(resolve => {
      socket.onclose = resolve
    })
    // Something answered on another connection proves the server had its turn.
    await fetch(`${sim.apiUrl}/v10/gateway`)
    expect(socket.readyState).toBe(WebSocket.CONNECTING)
    await sim.stop()
    await ended
  })
})

test('the gateway can move away', async () => {
  const sim = await simulate()
  sim.faults.moveGateway('ws://127.0.0.1:1')
  expect(await (await fetch(`${sim.apiUrl}/v10/gateway`)).json()).toEqual({ url: 'ws://127.0.0.1:1' })
})

describe('guilds', () => {
  test('become unavailable and come back, and say nothing meanwhile', async () => {
    const { sim, guild, bot, alice } = await connected()
    sim.world.makeGuildUnavailable(guild.id)
    expect((await bot.event('GUILD_DELETE')).d).toEqual({ id: guild.id, unavailable: true })
    sim.world.setPresence(alice, { status: 'dnd' })
    sim.world.makeGuildAvailable(guild.id)
    const back = await bot.event('GUILD_CREATE')
    expect(back.d.presences.find((presence: { user: { id: string } }) => presence.user.id === alice).status).toBe('dnd')
    expect(bot.events.seen.some(event => event.t === 'PRESENCE_UPDATE')).toBe(false)
  })

  test('that remove the bot are gone for good', async () => {
    const { sim, guild, bot } = await connected()
    sim.world.removeGuild(guild.id)
    expect((await bot.event('GUILD_DELETE')).d).toEqual({ id: guild.id })
    expect(sim.world.guilds.size).toBe(0)
  })

  test('that are unavailable from the start are named in READY and come later', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ unavailable: true })
    const bot = await openRaw(sim)
    bot.identify()
    expect((await bot.event('READY')).d.guilds).toEqual([{ id: guild.id, unavailable: true }])
    sim.world.makeGuildAvailable(guild.id)
    expect((await bot.event('GUILD_CREATE')).d.id).toBe(guild.id)
  })
})

describe('people', () => {
  test('who share two guilds with the bot send each presence twice', async () => {
    const { sim, guild, bot, alice } = await connected()
    const second = sim.world.addGuild({ members: [{ user: alice }] })
    await bot.event('GUILD_CREATE')
    sim.world.setPresence(alice, { status: 'dnd' })
    const both = [await bot.event('PRESENCE_UPDATE'), await bot.event('PRESENCE_UPDATE')]
    expect(both.map(({ d }) => d.guild_id)).toEqual([guild.id, second.id])
    const [one, two] = both.map(({ d: { guild_id: _, ...rest } }) => rest)
    expect(one).toEqual(two as never)
    expect(one).toMatchObject({ user: { id: alice }, status: 'dnd', client_status: { desktop: 'dnd' }, activities: [] })
  })

  test('who join, change and leave are told of; how who joins appears is not told unasked', async () => {
    const { sim, guild, bot } = await connected()
    const carol = sim.world.addMember(guild.id, { username: 'carol' }, { nick: 'C', presence: { status: 'idle' } })
    expect((await bot.event('GUILD_MEMBER_ADD')).d).toMatchObject({
      guild_id: guild.id,
      nick: 'C',
      user: { username: 'carol' },
    })
    sim.world.updateMember(guild.id, carol.id, { nick: null, user: { global_name: 'Carol' } })
    expect((await bot.event('GUILD_MEMBER_UPDATE')).d).toMatchObject({ nick: null, user: { global_name: 'Carol' } })
    sim.world.updateUser(carol.id, { avatar: null })
    expect((await bot.event('GUILD_MEMBER_UPDATE')).d.user.avatar).toBeNull()
    expect((await bot.event('PRESENCE_UPDATE')).d.user).toEqual({ id: carol.id, avatar: null })
    sim.world.removeMember(guild.id, carol.id)
    expect((await bot.event('GUILD_MEMBER_REMOVE')).d).toMatchObject({ guild_id: guild.id, user: { id: carol.id } })
  })

  test('who go offline have no platform and no activity left', async () => {
    const { sim, bot, bob } = await connected()
    sim.world.setPresence(bob, null)
    expect((await bot.event('PRESENCE_UPDATE')).d).toMatchObject({
      status: 'offline',
      client_status: {},
      activities: [],
    })
    expect(sim.world.presence(bob)).toBeUndefined()
  })
})

describe('for hostile input', () => {
  test('anything can be dispatched, and anything can be put on the wire', async () => {
    const sim = await simulate()
    const bot = await openRaw(sim)
    bot.identify({ intents: INTENTS.guilds })
    await bot.event('READY')
    sim.raw('PRESENCE_UPDATE', { user: null })
    expect(await bot.event('PRESENCE_UPDATE')).toEqual({ t: 'PRESENCE_UPDATE', s: 2, op: 0, d: { user: null } })
    sim.rawText('{"op":42}')
    await bot.op(42)
  })

  test('a blast of ready-made payloads arrives complete and numbered', async () => {
    const sim = await simulate()
    const bot = await openRaw(sim)
    bot.identify()
    await bot.event('READY')
    const text = JSON.stringify({ user: { id: '1' }, guild_id: '1', status: 'idle', activities: [], client_status: {} })
    await sim.blast(new Array(20_000).fill(text))
    const last = await bot.frames.next(frame => frame.s === 20_001)
    expect(last.d.status).toBe('idle')
  })
})
