import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { Activity } from '../../src/simulator/types.ts'
import { temporaryFolder } from '../support/executable.ts'
import { NOBODY, startReadyWorld, type World } from './support.ts'

const ROUTES = ['history', 'stats', 'top-tracks']
const song = (id: string) => ({
  id: 'spotify:1',
  name: 'Spotify',
  type: 2,
  details: `song ${id}`,
  state: 'somebody',
  sync_id: id,
  timestamps: { start: Date.now(), end: Date.now() + 200_000 },
})
const GAME = { name: 'Chess', type: 0, application_id: '901' }

let world: World
beforeAll(async () => {
  world = await startReadyWorld()
})
afterAll(() => world[Symbol.asyncDispose]())

const told = async (path: string, of = world) => {
  const answer = await of.get(path)
  const { data, error } = (await answer.json()) as { data?: Record<string, object[]>; error?: { code: string } }
  return { status: answer.status, code: error?.code, data }
}

/** What somebody does next; resolves when it is shown. */
async function does(id: string, activities: Activity[], of = world): Promise<void> {
  of.simulator.world.setPresence(id, { status: 'online', activities })
  await of.settled()
}

describe('history', () => {
  test('is off until it is switched on, and begins then', async () => {
    const { ada } = world.people
    await does(ada, [song('before')])
    await does(ada, [])
    for (const route of ROUTES) {
      expect(await told(`/v1/users/${ada}/${route}`)).toMatchObject({ status: 404, code: 'history_off' })
    }
    await world.ask(ada, '.history on')
    const before = Date.now()
    await does(ada, [song('a'), GAME])
    await does(ada, [GAME, song('b')])
    await does(ada, [song('b')])
    const { status, data } = await told(`/v1/users/${ada}/history`)
    expect(status).toBe(200)
    expect(data?.tracks).toEqual([
      expect.objectContaining({ source: 'spotify', song: 'song a', track_id: 'a', listened_ms: expect.any(Number) }),
    ])
    const [playedAt] = data?.tracks?.map(track => (track as { played_at: number }).played_at) ?? []
    expect(playedAt).toBeWithin(before, Date.now() + 1)
    expect(data?.activities).toEqual([
      { name: 'Chess', application_id: '901', started_at: expect.any(Number), seconds: expect.any(Number) },
    ])
    expect((await told(`/v1/users/${ada}/stats`)).data).toHaveProperty('7.by_status.online')
    expect((await told(`/v1/users/${ada}/top-tracks`)).data).toEqual([] as never)
  })

  test('of who is hidden is as unknown as anybody, and is back when they are', async () => {
    const { bob } = world.people
    await world.ask(bob, '.history on')
    await does(bob, [song('a')])
    await does(bob, [])
    await world.ask(bob, '.privacy hide')
    for (const route of ROUTES) {
      expect(await told(`/v1/users/${bob}/${route}`)).toEqual(await told(`/v1/users/${NOBODY}/${route}`))
    }
    await world.ask(bob, '.privacy show')
    expect((await told(`/v1/users/${bob}/history`)).data?.tracks).toHaveLength(1)
  })

  test('that is deleted is empty and goes on, and one that is off is gone', async () => {
    const { cyd } = world.people
    await world.ask(cyd, '.history on')
    await does(cyd, [song('a')])
    await does(cyd, [song('b')])
    await world.ask(cyd, '.history delete')
    expect((await told(`/v1/users/${cyd}/history`)).data).toEqual({ tracks: [], activities: [], statuses: [] })
    await does(cyd, [])
    expect((await told(`/v1/users/${cyd}/history`)).data?.tracks).toEqual([expect.objectContaining({ track_id: 'b' })])
    await world.ask(cyd, '.history off')
    expect(await told(`/v1/users/${cyd}/history`)).toMatchObject({ status: 404, code: 'history_off' })
    await world.ask(cyd, '.history on')
    expect((await told(`/v1/users/${cyd}/history`)).data?.tracks).toEqual([])
  })

  test('ends with everything else that is erased', async () => {
    const { dov } = world.people
    await world.ask(dov, '.history on')
    await does(dov, [song('a')])
    await does(dov, [])
    await world.ask(dov, '.privacy delete confirm')
    expect(await told(`/v1/users/${dov}/history`)).toMatchObject({ status: 404, code: 'history_off' })
  })

  test('outlives a restart: nothing is lost, nothing is there twice', async () => {
    using folder = temporaryFolder()
    const config = { databasePath: join(folder.path, 'exoix.db') }
    let ada = ''
    {
      await using first = await startReadyWorld({ config })
      ada = first.people.ada
      await first.ask(ada, '.history on')
      await does(ada, [song('a')], first)
      await does(ada, [song('b')], first)
    }
    await using second = await startReadyWorld({ config })
    const tracks = (await told(`/v1/users/${ada}/history`, second)).data?.tracks
    expect(tracks?.filter(track => (track as { track_id: string }).track_id === 'a')).toHaveLength(1)
  })
})
