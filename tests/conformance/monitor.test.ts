import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '../support/executable.ts'
import { startReadyWorld, type World } from './support.ts'

const ROLE = '700000000000000001'

/** Everywhere somebody could be seen. */
async function isSeen(world: World, id: string): Promise<boolean> {
  const places = [`/v1/users/${id}`, `/user/${id}`, `/${id}.png`, `/v1/users/${id}/kv`, `/v1/users/${id}/images`]
  const statuses = await Promise.all(places.map(async place => (await world.get(place)).status))
  const client = await world.socket()
  const { d: all } = await client.follow({ subscribe_to_all: true })
  const { d: one } = await client.follow({ subscribe_to_ids: [id] })
  client.close()
  const answers = [...statuses.map(status => status === 200), id in all, id in one]
  expect([id, new Set(answers).size]).toEqual([id, 1])
  return answers[0] === true
}

const count = async (world: World) => (await world.json('/')).data.monitored_user_count

/** Everything sockets that follow everybody and one person hear of what is done. */
async function heard(world: World, id: string, act: () => unknown): Promise<unknown[]> {
  const [all, one] = [await world.socket(), await world.socket()]
  await all.follow({ subscribe_to_all: true })
  await one.follow({ subscribe_to_ids: [id] })
  await act()
  await world.settled()
  const frames = [...(await all.soFar()), ...(await one.soFar())]
  for (const client of [all, one]) client.close()
  return frames.map(({ d }) => d.user_id)
}

describe('MONITOR=opt-in', () => {
  const config = { monitor: 'opt-in' }

  test('shows nobody before they ask for it, and everything of them from then on', async () => {
    await using world = await startReadyWorld({ config })
    const { ada, bob } = world.people
    expect([await count(world), await isSeen(world, ada)]).toEqual([0, false])
    expect(await heard(world, ada, () => world.simulator.world.setPresence(ada, { status: 'dnd' }))).toEqual([])
    expect(await heard(world, ada, () => world.ask(ada, '.privacy show', world.guildId))).toEqual([ada, ada])
    expect((await world.json(`/v1/users/${ada}`)).data.discord_status).toBe('dnd')
    expect([await count(world), await isSeen(world, ada), await isSeen(world, bob)]).toEqual([1, true, false])
  })

  test('lets pairs be written by who is not shown, and shows them once they are', async () => {
    await using world = await startReadyWorld({ config })
    const { ada } = world.people
    const headers = { authorization: await world.key(ada) }
    expect((await world.get('/v1/users/@me/kv/a', { method: 'PUT', body: '1', headers })).status).toBe(204)
    expect((await world.get('/v1/users/@me', { headers })).status).toBe(404)
    await world.ask(ada, '.privacy show')
    expect((await world.json('/v1/users/@me', { headers })).data.kv).toEqual({ a: '1' })
  })

  test('says how to appear to who asks for themselves', async () => {
    await using world = await startReadyWorld({ config })
    const { body } = await world.ask(world.people.ada, '.me')
    expect(JSON.stringify(body)).toContain('.privacy show')
  })

  test('goes with what is erased, and not with hiding', async () => {
    await using world = await startReadyWorld({ config })
    const { ada } = world.people
    const say = (text: string) => world.ask(ada, text)
    const seen: boolean[] = []
    for (const text of [
      '.privacy show',
      '.privacy hide',
      '.privacy show',
      '.privacy delete confirm',
      '.privacy show',
    ]) {
      await say(text)
      seen.push(await isSeen(world, ada))
    }
    expect(seen).toEqual([true, false, true, false, true])
  })

  test('is remembered over a restart, and asked for at the next start', async () => {
    using folder = temporaryFolder()
    const databasePath = join(folder.path, 'exoix.db')
    {
      await using first = await startReadyWorld({ config: { ...config, databasePath } })
      await first.ask(first.people.ada, '.privacy show')
    }
    {
      await using second = await startReadyWorld({ config: { ...config, databasePath } })
      expect([await isSeen(second, second.people.ada), await count(second)]).toEqual([true, 1])
    }
    await using third = await startReadyWorld({ config: { databasePath } })
    expect(await isSeen(third, third.people.bob)).toBe(true)
  })
})

describe('MONITOR=role:<id>', () => {
  const config = { monitor: `role:${ROLE}` }

  test('shows members with the role, from when they get it until they lose it', async () => {
    await using world = await startReadyWorld({ config })
    const { ada, bob } = world.people
    const { world: discord } = world.simulator
    expect([await count(world), await isSeen(world, ada)]).toEqual([0, false])
    const give = (roles: string[]) => discord.updateMember(world.guildId, ada, { roles })
    expect(await heard(world, ada, () => give(['1', ROLE]))).toEqual([ada, ada])
    expect([await count(world), await isSeen(world, ada), await isSeen(world, bob)]).toEqual([1, true, false])
    expect(await heard(world, ada, () => give(['1']))).toEqual([])
    expect(await isSeen(world, ada)).toBe(false)
  })

  test('goes by the roles in member lists and of who joins; asking for it helps nobody', async () => {
    await using world = await startReadyWorld({
      config,
      world: simulator => void simulator.world.addGuild({ members: [{ user: { username: 'fay' }, roles: [ROLE] }] }),
    })
    const { bob } = world.people
    expect(await count(world)).toBe(1)
    const { id } = world.simulator.world.addMember(world.guildId, { username: 'gus' }, { roles: [ROLE] })
    await world.shown(id)
    expect([await count(world), await isSeen(world, id)]).toEqual([2, true])
    await world.ask(bob, '.privacy show')
    expect(await isSeen(world, bob)).toBe(false)
    await world.ask(id, '.privacy hide')
    expect(await isSeen(world, id)).toBe(false)
  })

  test('shows nobody any more who has left the server of the role', async () => {
    await using world = await startReadyWorld({ config })
    const { ada } = world.people
    const { world: discord } = world.simulator
    discord.addGuild({ members: [{ user: ada }] })
    discord.updateMember(world.guildId, ada, { roles: [ROLE] })
    await world.shown(ada)
    discord.removeMember(world.guildId, ada)
    await world.settled()
    expect(await isSeen(world, ada)).toBe(false)
  })
})
