import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '../support/executable.ts'
import { startReadyWorld, startWorld, type World } from './support.ts'

let world: World
beforeAll(async () => {
  world = await startReadyWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const lastSeen = async (of: World, id: string) => (await of.json(`/v1/users/${id}`)).data.last_seen_at

/** Lets somebody go offline, and tells when they were last seen: then. */
async function leave(of: World, id: string): Promise<number> {
  const before = Date.now()
  of.simulator.world.setPresence(id, { status: 'offline' })
  const after = Date.now()
  await of.settled()
  const seen = await lastSeen(of, id)
  expect(seen).toBeWithin(before, after + 1)
  return seen
}

test('who goes offline was last seen then, over REST and on sockets; online it is null', async () => {
  const { ada } = world.people
  const client = await world.socket()
  expect((await client.follow({ subscribe_to_id: ada })).d.last_seen_at).toBeNull()
  const at = await leave(world, ada)
  expect((await client.next()).d).toMatchObject({ discord_status: 'offline', last_seen_at: at })
  world.simulator.world.setPresence(ada, { status: 'offline' })
  world.simulator.world.setPresence(ada, { status: 'idle' })
  expect((await client.next()).d).toMatchObject({ discord_status: 'idle', last_seen_at: null })
  client.close()
})

test('who hides is remembered no more when they come back, nor who is erased', async () => {
  const { bob, cyd } = world.people
  await leave(world, bob)
  await world.ask(bob, '.privacy hide')
  await world.ask(bob, '.privacy show')
  expect(await lastSeen(world, bob)).toBeNull()
  await leave(world, cyd)
  await world.ask(cyd, '.privacy delete confirm')
  expect(await lastSeen(world, cyd)).toBeNull()
})

test('who leaves the last server and comes back is a newcomer', async () => {
  const { dov } = world.people
  await leave(world, dov)
  world.simulator.world.removeMember(world.guildId, dov)
  await world.join(dov)
  expect(await lastSeen(world, dov)).toBeNull()
})

test('a restart keeps it; of who went offline unseen it is unknown', async () => {
  using folder = temporaryFolder()
  const config = { databasePath: join(folder.path, 'exoix.db') }
  let at = 0
  let people: World['people']
  {
    await using first = await startReadyWorld({ config })
    people = first.people
    at = await leave(first, people.ada)
  }
  await using second = await startWorld({ config, world: simulator => simulator.faults.refuseConnections(true) })
  expect(await lastSeen(second, people.ada)).toBe(at)
  expect(await lastSeen(second, people.bob)).toBeNull()
  for (const id of [people.ada, people.bob]) second.simulator.world.placePresence(id, { status: 'offline' })
  second.simulator.faults.refuseConnections(false)
  await second.ready()
  expect((await second.json(`/v1/users/${people.bob}`)).data.discord_status).toBe('offline')
  expect([await lastSeen(second, people.ada), await lastSeen(second, people.bob)]).toEqual([at, null])
})
