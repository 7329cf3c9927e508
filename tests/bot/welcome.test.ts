import { afterEach, expect, test } from 'bun:test'
import { createManualClock } from '../discord/clocks.ts'
import { cleanUp, type House, openHouse } from './support.ts'

afterEach(cleanUp)

const CHANNEL_PREFIX = 'Welcome <@'

async function withWelcome(options: Parameters<typeof openHouse>[0] = {}) {
  const clock = createManualClock()
  const house = await openHouse({ ...options, welcome: true, bot: { clock } })
  return { house, clock }
}

/** Somebody new joins the server; their id. */
function join(house: House, user: Record<string, unknown> = {}): string {
  const { id } = house.sim.world.addMember(house.guildId, user)
  house.presences.putMember(house.guildId, { user: house.sim.world.user(id) })
  return id
}

async function welcomes(house: House): Promise<string[]> {
  await house.settled()
  await house.sent()
  return house.written().map(({ content }) => content)
}

test('the first newcomer is told their address at once, further ones together ten seconds later', async () => {
  const { house, clock } = await withWelcome()
  const first = join(house)
  const answer = await house.sim.nextMessage()
  expect(answer.channelId).toBe(house.channelId)
  expect(answer.content).toBe(`Welcome <@${first}>! Your presence is at <https://exoix.example/?user=${first}>`)
  expect(answer.pings).toEqual({ users: [], roles: [], everyone: false })
  const others = [join(house), join(house)]
  clock.advance(9999)
  expect(await welcomes(house)).toHaveLength(1)
  clock.advance(1)
  const { content } = await house.sim.nextMessage()
  expect(content.split('\n').map(line => line.slice(CHANNEL_PREFIX.length, line.indexOf('>')))).toEqual(others)
  clock.advance(10_000)
  const next = join(house)
  expect((await house.sim.nextMessage()).content).toStartWith(`${CHANNEL_PREFIX}${next}>`)
})

test('a crowd is welcomed in one message that Discord takes', async () => {
  const { house, clock } = await withWelcome()
  for (let count = 0; count < 60; count++) join(house)
  await house.sim.nextMessage()
  clock.advance(10_000)
  const { content } = await house.sim.nextMessage()
  expect(content).toContain('and 49 others')
  expect(content.length).toBeLessThanOrEqual(2000)
})

test('nobody is welcomed who was there before, comes back, or shows themselves again; nor is a bot', async () => {
  const { house, clock } = await withWelcome()
  const [alice, bob] = house.people as [string, string]
  house.presences.putMember('123456789012345678', { user: house.sim.world.user(alice) })
  house.presences.removeMember(house.guildId, bob)
  house.presences.putMember(house.guildId, { user: house.sim.world.user(bob) })
  house.presences.setHidden(alice, true)
  house.presences.setHidden(alice, false)
  join(house, { bot: true })
  clock.advance(10_000)
  expect(await welcomes(house)).toEqual([])
})

test('nobody is welcomed twice, in the next process neither, unless they were erased', async () => {
  const { house, clock } = await withWelcome()
  const id = join(house)
  await house.sim.nextMessage()
  expect([...house.store.loadArrived()]).toEqual([id])
  house.presences.removeMember(house.guildId, id)
  house.presences.putMember(house.guildId, { user: house.sim.world.user(id) })
  clock.advance(10_000)
  expect(await welcomes(house)).toHaveLength(1)
  await house.ask(id, '.privacy delete confirm', 'dm')
  expect([...house.store.loadArrived()]).toEqual([])
})

test('whoever is there when the first lists come in was there before', async () => {
  const { house, clock } = await withWelcome({ members: 'unknown' })
  for (const id of house.people) house.presences.putMember(house.guildId, { user: house.sim.world.user(id) })
  house.presences.setReadiness('ready')
  const newcomer = join(house)
  await house.sim.nextMessage()
  clock.advance(10_000)
  expect(await welcomes(house)).toEqual([expect.stringContaining(newcomer)])
})

test('a channel the bot may not write in is said in the log', async () => {
  const { house } = await withWelcome()
  house.sim.messages.forbidChannel(house.channelId)
  join(house)
  await house.sim.next('rest', ({ path }) => path.endsWith('/messages'))
  expect(await welcomes(house)).toEqual([])
  expect(house.logged.join('\n')).toContain('WELCOME_CHANNEL takes no messages of the bot')
})
