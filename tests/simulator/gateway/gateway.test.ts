import { afterEach, describe, expect, test } from 'bun:test'
import { cleanUp, EVERYTHING, INTENTS, openRaw, simulate, startBot } from '../support.ts'

afterEach(cleanUp)

describe('a bot made with @discordjs/ws', () => {
  test('connects, gets READY with unavailable guilds, then each guild with members and presences', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 3, online: 2 })
    const bot = startBot(sim)
    await bot.manager.connect()
    const ready = await bot.event('READY')
    expect(ready.d.guilds).toEqual([{ id: guild.id, unavailable: true }])
    const created = await bot.event('GUILD_CREATE')
    expect(created.d).toMatchObject({ id: guild.id, member_count: 4, large: false })
    expect(created.d.members).toHaveLength(4)
    expect(created.d.presences).toHaveLength(3)
  })

  test('understands zlib-stream', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 40 })
    const bot = startBot(sim, { zlib: true })
    await bot.manager.connect()
    expect((await bot.event('GUILD_CREATE')).d.id).toBe(guild.id)
    sim.world.setPresence([...guild.members.keys()][1] as string, { status: 'dnd' })
    expect((await bot.event('PRESENCE_UPDATE')).d.status).toBe('dnd')
  })

  test('resumes after the TCP connection broke and gets what it missed, once and in order', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 2 })
    const [, alice, bob] = [...guild.members.keys()] as [string, string, string]
    const bot = startBot(sim)
    await bot.manager.connect()
    await bot.event('GUILD_CREATE')
    sim.faults.dropTcp()
    sim.world.setPresence(alice, { status: 'dnd' })
    sim.world.setPresence(bob, null)
    const resumed = await sim.next('resumed')
    expect(resumed.replayed).toBe(2)
    expect((await bot.event('PRESENCE_UPDATE')).d).toMatchObject({ user: { id: alice }, status: 'dnd' })
    expect((await bot.event('PRESENCE_UPDATE')).d).toMatchObject({ user: { id: bob }, status: 'offline' })
    await bot.event('RESUMED')
    const numbers = bot.events.seen.map(event => event.s)
    expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  })

  test.each([
    [4004, { token: 'wrong' }],
    [4014, { intents: EVERYTHING }],
    [4013, { intents: 1 << 17 }],
  ])('is closed with %i for %o', async (code, options) => {
    const sim = await simulate({ applicationFlags: 0 })
    const bot = startBot(sim, { rest: (await import('../support.ts')).restFor(sim), ...options })
    await expect(bot.manager.connect()).rejects.toThrow()
    expect(await bot.closes.next()).toBe(code)
  })
})

describe('sharding', () => {
  test('a guild and its events reach the shard that owns it, and no other', async () => {
    const sim = await simulate({ recommendedShards: 2, maxConcurrency: 2 })
    const guilds = [sim.world.addGuild({ members: 1 }), sim.world.addGuild({ members: 1 })]
    const bot = startBot(sim)
    await bot.manager.connect()
    await bot.event('GUILD_CREATE')
    await bot.event('GUILD_CREATE')
    for (const guild of guilds) {
      const owner = Number((BigInt(guild.id) >> 22n) % 2n)
      const [session] = sim.sessions.filter(candidate => candidate.shard[0] === owner)
      const others = sim.sessions.filter(candidate => candidate !== session)
      const before = others.map(other => other.sequence)
      sim.world.setPresence([...guild.members.keys()][1] as string, { status: 'idle' })
      expect((await bot.event('PRESENCE_UPDATE')).s).toBe(session?.sequence as number)
      expect(others.map(other => other.sequence)).toEqual(before)
    }
  })
})

test('presences and members stay hidden without their intents', async () => {
  const sim = await simulate()
  const guild = sim.world.addGuild({ members: 2 })
  const bot = await openRaw(sim)
  bot.identify({ intents: INTENTS.guilds })
  const created = await bot.event('GUILD_CREATE')
  expect(created.d.members).toHaveLength(1)
  expect(created.d.presences).toEqual([])
  sim.world.setPresence([...guild.members.keys()][1] as string, { status: 'dnd' })
  sim.world.addMember(guild.id)
  sim.world.makeGuildUnavailable(guild.id)
  await bot.event('GUILD_DELETE')
  expect(bot.frames.seen.map(frame => frame.t).filter(Boolean)).toEqual(['READY', 'GUILD_CREATE', 'GUILD_DELETE'])
})
