import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { TEST_EDGE, TEST_WORKERS } from '../support/app.ts'
import { type EventClient, openEvents } from '../support/events.ts'
import { NOBODY, PRESENCE_KEYS, request, startReadyWorld, startWorld, upgradeHead, type World } from './support.ts'

let world: World
const clients: EventClient[] = []
beforeAll(async () => {
  world = await startReadyWorld()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(() => world[Symbol.asyncDispose]())

function follow(id: string, headers: readonly string[] = [], of: World = world): EventClient {
  const client = openEvents(of.port, `/v1/users/${id}/events`, headers)
  clients.push(client)
  return client
}

const streams = async () => Number(/exoix_event_streams (\d+)/.exec(await (await world.get('/metrics')).text())?.[1])

describe('GET /v1/users/:id/events', () => {
  test('tells what a socket is told, in the same order, under the same numbers', async () => {
    const { ada } = world.people
    const [events, socket] = [follow(ada), await world.socket()]
    const state = await socket.follow({ subscribe_to_id: ada })
    const first = await events.next()
    expect(first.data).toEqual(state.d)
    expect(Object.keys(first.data).sort()).toEqual(PRESENCE_KEYS)
    const seen = [Math.max(first.id, state.seq)]
    for (const name of Array.from({ length: 50 }, (_, at) => `game ${at}`)) {
      world.simulator.world.setPresence(ada, { status: 'dnd', activities: [{ name, type: 0 }] })
    }
    for (let at = 0; at < 50; at++) {
      const [event, frame] = [await events.next(), await socket.next()]
      expect(event.data).toEqual(frame.d)
      expect(event.data.activities[0].name).toBe(`game ${at}`)
      // Each serving thread counts by itself.
      if (TEST_WORKERS === 1) expect(event.id).toBe(frame.seq)
      seen.push(event.id)
    }
    expect(seen).toEqual([...new Set(seen)].sort((one, other) => one - other))
    socket.close()
  })

  test('shows what is written over REST and by commands', async () => {
    const { bob } = world.people
    const key = await world.key(bob)
    const events = follow('@me', [`Authorization: ${key}`])
    expect((await events.next()).data.kv).toEqual({})
    const headers = { authorization: key }
    await world.get('/v1/users/@me/kv/a', { method: 'PUT', body: 'line\nbreak', headers })
    expect((await events.next()).data.kv).toEqual({ a: 'line\nbreak' })
    await world.ask(bob, '.set b c')
    expect((await events.next()).data.kv).toEqual({ a: 'line\nbreak', b: 'c' })
  })

  test('is silent about who hides or leaves, and goes on when they are back', async () => {
    const { cyd } = world.people
    const events = follow(cyd)
    await events.next()
    await world.ask(cyd, '.privacy hide')
    world.simulator.world.setPresence(cyd, { status: 'idle' })
    expect((await world.json(`/v1/users/${cyd}/events`)).error.code).toBe('user_not_monitored')
    await world.ask(cyd, '.privacy show')
    expect((await events.next()).data.discord_status).toBe('idle')
    world.simulator.world.removeMember(world.guildId, cyd)
    world.simulator.world.addMember(world.guildId, cyd)
    expect((await events.next()).data.discord_status).toBe('idle')
  })

  test('answers an id nobody has, a missing key and other methods like every other route', async () => {
    for (const [path, method, status, code] of [
      [`/v1/users/${NOBODY}/events`, 'GET', 404, 'user_not_monitored'],
      ['/v1/users/nonsense/events', 'GET', 404, 'user_not_monitored'],
      ['/v1/users/@me/events', 'GET', 401, 'no_permission'],
      [`/v1/users/${world.people.ada}/events`, 'POST', 404, 'not_found'],
      [`/v1/users/${world.people.ada}/events/more`, 'GET', 404, 'not_found'],
    ] as const) {
      const answer = await world.get(path, { method })
      expect([path, answer.status, ((await answer.json()) as { error: { code: string } }).error.code]).toEqual([
        path,
        status,
        code,
      ])
      expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    }
  })

  test.skipIf(TEST_EDGE)('answers 503 starting while the first member lists are on their way', async () => {
    await using stranded = await startWorld({ world: simulator => simulator.faults.refuseConnections(true) })
    const answer = await stranded.get(`/v1/users/${stranded.people.ada}/events`)
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)])
  })

  test('counts with the sockets of an address, and is refused with 429 beyond the limit', async () => {
    const config = { maxSocketsPerAddress: 2, trustedProxies: ['127.0.0.1'] }
    await using own = await startReadyWorld({ config })
    const { ada } = own.people
    const from = ['X-Forwarded-For: 192.0.2.1']
    const socket = own.rawSocket(upgradeHead(from))
    await socket.next()
    const stream = follow(ada, from, own)
    await stream.next()
    const refused = await own.raw(request(`GET /v1/users/${ada}/events`, from))
    expect([refused.status, refused.json.error.code]).toEqual([429, 'rate_limited'])
    expect(refused.header('retry-after')).toMatch(/^[1-9]\d*$/)
    expect(await own.rawSocket(upgradeHead(from)).response).toStartWith('HTTP/1.1 429')
    await follow(ada, ['X-Forwarded-For: 192.0.2.2'], own).next()
    stream.close()
    let again = await own.rawSocket(upgradeHead(from)).response
    while (!again.startsWith('HTTP/1.1 101')) again = await own.rawSocket(upgradeHead(from)).response
  })

  test('forgets clients that vanish', async () => {
    const before = await streams()
    const gone = [follow(world.people.dov), follow(world.people.dov)]
    for (const client of gone) await client.next()
    expect(await streams()).toBe(before + 2)
    gone[0]?.tcp.resetAndDestroy()
    gone[1]?.close()
    while ((await streams()) > before);
  })

  test('ends when the server stops, at once', async () => {
    const own = await startReadyWorld()
    const client = follow(own.people.ada, [], own)
    await client.next()
    await own[Symbol.asyncDispose]()
    await client.closed
    expect(client.whole).toBe(true)
  })
})
