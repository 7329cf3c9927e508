import { afterEach, describe, expect, test } from 'bun:test'
import { buildPresence } from '../../../src/simulator/people/builders.ts'
import type { SimulatorOptions } from '../../../src/simulator/simulator.ts'
import { cleanUp, EVERYTHING, INTENTS, openRaw, simulate, startBot } from '../support.ts'

/** The library's own name for it would load the library before support.ts has prepared what that loads. */
const REQUEST_MEMBERS = 8

afterEach(cleanUp)

async function connected(options: SimulatorOptions = {}, intents = EVERYTHING, members = 5) {
  const sim = await simulate(options)
  const guild = sim.world.addGuild({ members })
  const bot = await openRaw(sim)
  bot.identify({ intents })
  await bot.event('GUILD_CREATE')
  return { sim, guild, bot, ids: [...guild.members.keys()] }
}

describe('op 8', () => {
  test('sends everybody in numbered chunks to a bot made with @discordjs/ws', async () => {
    const sim = await simulate({ chunkSize: 1000 })
    const guild = sim.world.addGuild({ members: 2500, online: 100 })
    const bot = startBot(sim)
    await bot.manager.connect()
    const created = await bot.event('GUILD_CREATE')
    expect(created.d).toMatchObject({ large: true, member_count: 2501 })
    expect(created.d.members).toHaveLength(101)
    const d = { guild_id: guild.id, query: '', limit: 0, presences: true, nonce: 'n' }
    await bot.manager.send(0, { op: REQUEST_MEMBERS, d })
    const chunks = [
      await bot.event('GUILD_MEMBERS_CHUNK'),
      await bot.event('GUILD_MEMBERS_CHUNK'),
      await bot.event('GUILD_MEMBERS_CHUNK'),
    ]
    expect(chunks.map(chunk => [chunk.d.chunk_index, chunk.d.chunk_count, chunk.d.members.length])).toEqual([
      [0, 3, 1000],
      [1, 3, 1000],
      [2, 3, 501],
    ])
    expect(chunks.every(chunk => chunk.d.nonce === 'n' && chunk.d.guild_id === guild.id)).toBe(true)
    const everybody = chunks.flatMap(chunk => chunk.d.members.map((member: { user: { id: string } }) => member.user.id))
    expect(new Set(everybody).size).toBe(2501)
    expect(chunks.flatMap(chunk => chunk.d.presences)).toHaveLength(101)
  })

  test('gives everybody once in 30 seconds and says so with RATE_LIMITED', async () => {
    let now = Date.now()
    const { sim, guild, bot } = await connected({ now: () => now })
    const request = { guild_id: guild.id, query: '', limit: 0, nonce: 'again' }
    bot.send(8, request)
    await bot.event('GUILD_MEMBERS_CHUNK')
    now += 12_000
    bot.send(8, request)
    const limited = await bot.event('RATE_LIMITED')
    expect(limited.d).toEqual({ opcode: 8, retry_after: 18, meta: { guild_id: guild.id, nonce: 'again' } })
    bot.send(8, { guild_id: guild.id, user_ids: [sim.world.bot.id] })
    await bot.event('GUILD_MEMBERS_CHUNK')
    now += 18_000
    bot.send(8, request)
    await bot.event('GUILD_MEMBERS_CHUNK')
    expect(sim.recorder.all('requestMembers').map(entry => entry.outcome)).toEqual([
      'chunks',
      'rate limited',
      'chunks',
      'chunks',
    ])
  })

  test('finds people by id and names those it does not know', async () => {
    const { guild, bot, ids } = await connected()
    bot.send(8, { guild_id: guild.id, user_ids: [ids[1], '1', ids[2]], presences: true })
    const { d } = await bot.event('GUILD_MEMBERS_CHUNK')
    expect(d.members.map((member: { user: { id: string } }) => member.user.id)).toEqual([ids[1], ids[2]])
    expect(d.not_found).toEqual(['1'])
    expect(d.presences).toHaveLength(2)
    expect(d.presences[0].user).toEqual({ id: ids[1] })
    expect(d.nonce).toBeUndefined()
  })

  test('finds people by the beginning of a name, 100 at most', async () => {
    const { sim, guild, bot } = await connected()
    for (let index = 0; index < 120; index++) sim.world.addMember(guild.id, { username: `zebra${index}` })
    sim.world.addMember(guild.id, { username: 'x', global_name: 'y' }, { nick: 'Zebrafish' })
    bot.send(8, { guild_id: guild.id, query: 'zebra', limit: 0 })
    expect((await bot.event('GUILD_MEMBERS_CHUNK')).d.members).toHaveLength(100)
    bot.send(8, { guild_id: guild.id, query: 'zebraf', limit: 3 })
    expect((await bot.event('GUILD_MEMBERS_CHUNK')).d.members).toHaveLength(1)
  })

  test('drops a nonce over 32 bytes', async () => {
    const { guild, bot, ids } = await connected()
    bot.send(8, { guild_id: guild.id, user_ids: ids[1], nonce: 'é'.repeat(17) })
    expect((await bot.event('GUILD_MEMBERS_CHUNK')).d.nonce).toBeUndefined()
  })

  test('withholds presences without their intent', async () => {
    const { guild, bot, ids } = await connected({}, INTENTS.guilds | INTENTS.members)
    bot.send(8, { guild_id: guild.id, user_ids: ids, presences: true })
    const { d } = await bot.event('GUILD_MEMBERS_CHUNK')
    expect(d.members).toHaveLength(6)
    expect(d.presences).toBeUndefined()
  })

  test('is not answered without GUILD_MEMBERS, for a stranger guild, or during an outage', async () => {
    const { sim, guild, bot } = await connected({}, INTENTS.guilds | INTENTS.presences)
    bot.send(8, { guild_id: guild.id, query: '', limit: 0 })
    bot.send(8, { guild_id: '99', user_ids: ['1'] })
    await sim.next('requestMembers')
    await sim.next('requestMembers')
    sim.world.makeGuildUnavailable(guild.id)
    bot.send(8, { guild_id: guild.id, user_ids: ['1'] })
    await sim.next('requestMembers')
    expect(sim.recorder.all('violation')).toHaveLength(3)
    bot.send(1, null)
    await bot.op(11)
    expect(bot.frames.seen.some(frame => frame.t === 'GUILD_MEMBERS_CHUNK')).toBe(false)
  })

  test.each([
    ['no guild', { query: '', limit: 0 }],
    ['neither query nor ids', { guild_id: '1' }],
    ['no limit', { guild_id: '1', query: '' }],
    ['101 ids', { guild_id: '1', user_ids: new Array(101).fill('1') }],
    ['a numeric id', { guild_id: 1, query: '', limit: 0 }],
  ])('with %s closes 4002', async (_, d) => {
    const { bot } = await connected()
    bot.send(8, d)
    expect((await bot.closed).code).toBe(4002)
  })
})

describe('GUILD_CREATE', () => {
  test('goes by the presence intent: with it and without GUILD_MEMBERS all are named, without it the bot alone', async () => {
    const sim = await simulate()
    sim.world.addGuild({ members: 2 })
    const count = async (intents: number) => {
      const bot = await openRaw(sim)
      bot.identify({ intents })
      const { d } = await bot.event('GUILD_CREATE')
      return [d.members.length, d.presences.length]
    }
    expect(await count(INTENTS.guilds | INTENTS.presences)).toEqual([3, 3])
    expect(await count(INTENTS.guilds | INTENTS.members)).toEqual([1, 0])
  })

  test('of a large guild has those online, with a nickname or a role, of a small one everybody', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({
      members: [
        ...Array.from({ length: 60 }, () => ({})),
        { presence: buildPresence() },
        { nick: 'Nick' },
        { roles: ['5'] },
        { presence: buildPresence({ status: 'offline' }) },
      ],
    })
    const large = await openRaw(sim)
    large.identify()
    expect((await large.event('GUILD_CREATE')).d.members).toHaveLength(4)
    const small = await openRaw(sim)
    small.identify({ large_threshold: 250 })
    const { d } = await small.event('GUILD_CREATE')
    expect(d.members).toHaveLength(guild.members.size)
    expect(d.presences).toHaveLength(2)
  })

  test('of more than 75,000 members has the bot alone, and op 8 still brings them all', async () => {
    const sim = await simulate()
    const guild = sim.world.addGuild({ members: 75_001, online: 10 })
    const bot = await openRaw(sim)
    bot.identify()
    const { d } = await bot.event('GUILD_CREATE')
    expect(d.members.map((member: { user: { id: string } }) => member.user.id)).toEqual([sim.world.bot.id])
    expect(d.presences).toHaveLength(1)
    bot.send(8, { guild_id: guild.id, query: '', limit: 0, presences: true })
    const last = await bot.frames.next(
      frame => frame.t === 'GUILD_MEMBERS_CHUNK' && frame.d.chunk_index === frame.d.chunk_count - 1,
    )
    expect(last.d.chunk_count).toBe(76)
  })
})
