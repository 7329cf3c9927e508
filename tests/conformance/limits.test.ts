import { describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { temporaryFolder } from '../support/executable.ts'
import { type Answer, NOBODY, request, startReadyWorld, startWorld, upgradeHead, type World } from './support.ts'

const STARTING = { code: 'starting', message: 'Members are still being loaded from Discord' }

/** An app that cannot reach the gateway, but the rest of Discord. */
function startStranded(options: Parameters<typeof startWorld>[0] = {}) {
  return startWorld({ ...options, world: simulator => simulator.faults.refuseConnections(true) })
}

describe('while the first member lists are on their way', () => {
  test('an unknown id is 503 starting with Retry-After, on every route that shows people', async () => {
    await using world = await startStranded()
    const { ada } = world.people
    for (const path of [
      `/v1/users/${ada}`,
      `/v1/users/${ada}/`,
      `/v1/users/${NOBODY}`,
      `/v1/users/${ada}/kv`,
      `/v1/users/${ada}/kv/a`,
      `/${ada}.png`,
      `/user/${ada}`,
    ]) {
      const answer = await world.raw(request(`GET ${path}`))
      expect([path, answer.status]).toEqual([path, 503])
      expect(answer.json).toEqual({ success: false, error: STARTING })
      expect(Number(answer.header('retry-after'))).toBeGreaterThanOrEqual(1)
      expect(answer.header('access-control-allow-origin')).toBe('*')
    }
    expect((await world.raw(request(`HEAD /v1/users/${ada}`))).status).toBe(503)
    const health = await world.raw(request('GET /health'))
    expect([health.status, health.json.error.code]).toEqual([503, 'starting'])
  })

  test('everything else answers as always', async () => {
    await using world = await startStranded()
    expect((await world.json('/')).data.monitored_user_count).toBe(0)
    expect((await world.get('/metrics')).status).toBe(200)
    expect((await world.json('/nope')).error.code).toBe('not_found')
    expect((await world.json('/v1/users/@me')).error.code).toBe('no_permission')
    const client = await world.socket()
    expect((await client.follow({ subscribe_to_all: true })).d).toEqual({})
    expect((await client.follow({ subscribe_to_id: NOBODY })).d).toEqual({})
    client.close()
  })

  test('who has arrived is shown, and only who has not is 503', async () => {
    let crowd = ''
    await using world = await startWorld({
      // Lists are asked for and never sent: Discord says to wait instead.
      simulator: { memberRequestLimit: 0, memberRequestIntervalMs: Number.MAX_SAFE_INTEGER },
      world: simulator => {
        crowd = simulator.world.addGuild({ members: 400, online: 5 }).id
      },
    })
    await world.simulator.next('requestMembers')
    const ids = [...world.simulator.world.guild(crowd).members.keys()].slice(1)
    const [early, late] = [ids[0] as string, ids[399] as string]
    expect((await world.get(`/v1/users/${early}`)).status).toBe(200)
    expect((await world.get(`/v1/users/${world.people.ada}`)).status).toBe(200)
    expect((await world.json(`/v1/users/${late}`)).error.code).toBe('starting')
    expect((await world.json(`/${late}.png`)).error.code).toBe('starting')
    expect((await world.json('/health')).error.code).toBe('starting')
    const client = await world.socket()
    const { d } = await client.follow({ subscribe_to_ids: [early, late] })
    expect(Object.keys(d)).toEqual([early])
    client.close()
  })

  test('people arrive on sockets that wait for them, and ids nobody has become 404', async () => {
    await using world = await startStranded()
    const { ada } = world.people
    const client = await world.socket()
    await client.follow({ subscribe_to_id: ada })
    world.simulator.faults.refuseConnections(false)
    await world.ready()
    expect((await client.next()).d.discord_user.id).toBe(ada)
    expect((await world.json(`/v1/users/${NOBODY}`)).error.code).toBe('user_not_monitored')
    expect((await world.json('/health')).data.status).toBe('ready')
    client.close()
  })
})

describe('a restart', () => {
  test('shows who was known, pairs included, before Discord is reached again; keys work, the hidden stay hidden', async () => {
    using folder = temporaryFolder()
    const config = { databasePath: join(folder.path, 'exoix.db') }
    let [ada, bob, key] = ['', '', '']
    {
      await using first = await startReadyWorld({ config })
      ;({ ada, bob } = first.people)
      await first.ask(bob, '.privacy hide')
      key = await first.key(ada)
      await first.ask(ada, '.set a b')
    }
    await using second = await startStranded({ config })
    const { data } = await second.json(`/v1/users/${ada}`)
    expect([data.discord_user.username, data.discord_status, data.kv]).toEqual(['ada', 'online', { a: 'b' }])
    const headers = { authorization: key }
    expect((await second.json('/v1/users/@me', { headers })).data.discord_user.id).toBe(ada)
    // As an unknown id while the lists are still to come: nothing tells hidden people from strangers.
    const told = (id: string) => second.json(`/v1/users/${id}`)
    expect(await told(bob)).toEqual(await told(NOBODY))
    expect((await told(bob)).error.code).toBe('starting')
    expect((await second.get('/v1/users/@me/kv/c', { method: 'PUT', body: 'd', headers })).status).toBe(204)
    const client = await second.socket()
    expect((await client.follow({ subscribe_to_id: ada })).d.kv).toEqual({ a: 'b', c: 'd' })
    client.close()
  })
})

describe('the gateway going away', () => {
  test('changes nothing for readers; health says reconnecting', async () => {
    await using world = await startReadyWorld()
    const { ada } = world.people
    const client = await world.socket()
    await client.follow({ subscribe_to_all: true })
    world.simulator.faults.refuseConnections(true)
    world.simulator.faults.closeAll(4000)
    let health = await world.json('/health')
    while (health.success) health = await world.json('/health')
    expect(health.error.code).toBe('reconnecting')
    expect((await world.get('/health')).status).toBe(503)
    expect((await world.json(`/v1/users/${ada}`)).data.discord_status).toBe('online')
    expect((await world.json(`/v1/users/${NOBODY}`)).error.code).toBe('user_not_monitored')
    expect(await client.soFar()).toEqual([])
    world.simulator.faults.refuseConnections(false)
    await world.simulator.next('resumed')
    while (!health.success) health = await world.json('/health')
    expect(await client.soFar()).toEqual([])
    client.close()
  })
})

describe('too many requests', () => {
  const from = (address: string, line = 'GET /health') => request(line, [`X-Forwarded-For: ${address}`])
  const behindProxy = (rateLimitPerMinute: number, more: object = {}) =>
    startReadyWorld({ config: { rateLimitPerMinute, trustedProxies: ['127.0.0.1'], ...more } })

  async function drain(world: World, address: string, count: number): Promise<Answer[]> {
    const answers: Answer[] = []
    for (let i = 0; i < count; i++) answers.push(await world.raw(from(address)))
    return answers
  }

  test('of one address are 429 with Retry-After in the envelope, on every route; others are served', async () => {
    await using world = await behindProxy(5)
    const statuses = (await drain(world, '192.0.2.1', 5)).map(({ status }) => status)
    expect(statuses).toEqual(Array(5).fill(200))
    for (const line of [
      'GET /health',
      `GET /v1/users/${world.people.ada}`,
      'GET /nope',
      'PUT /v1/users/@me/kv/a',
      'GET //',
    ]) {
      const answer = await world.raw(from('192.0.2.1', line))
      expect([line, answer.status, answer.json.error.code]).toEqual([line, 429, 'rate_limited'])
      expect(answer.json.success).toBe(false)
      expect(answer.header('retry-after')).toMatch(/^[1-9]\d*$/)
      expect(answer.header('access-control-allow-origin')).toBe('*')
    }
    expect((await world.raw(from('192.0.2.2'))).status).toBe(200)
  })

  test('are counted by what trusted proxies say, and by nothing a client can forge', async () => {
    await using world = await behindProxy(3)
    await drain(world, '192.0.2.1', 3)
    for (const forwarded of [
      '192.0.2.1',
      '1.1.1.1, 192.0.2.1',
      '192.0.2.1, 127.0.0.1',
      '  192.0.2.1 ',
      '192.0.2.1:5555',
    ]) {
      expect([forwarded, (await world.raw(from(forwarded))).status]).toEqual([forwarded, 429])
    }
    const several = request('GET /health', ['X-Forwarded-For: 8.8.8.8', 'X-Forwarded-For: 192.0.2.1'])
    expect((await world.raw(several)).status).toBe(429)
    expect((await world.raw(from('192.0.2.1, 192.0.2.9'))).status).toBe(200)
  })

  test('of loopback are served, as many as there are, and 0 switches the limit off', async () => {
    await using strict = await startReadyWorld({ config: { rateLimitPerMinute: 1 } })
    const forged = Array.from({ length: 20 }, () => strict.raw(from('192.0.2.1')))
    expect((await Promise.all(forged)).every(({ status }) => status === 200)).toBe(true)
    await using off = await behindProxy(0)
    expect((await drain(off, '192.0.2.1', 20)).every(({ status }) => status === 200)).toBe(true)
  })
})

describe('too many sockets', () => {
  test('of one address are refused before the upgrade with 429; closing one makes room', async () => {
    await using world = await startReadyWorld({ config: { maxSocketsPerAddress: 2, trustedProxies: ['127.0.0.0/8'] } })
    const head = (address: string) => upgradeHead([`X-Forwarded-For: ${address}`])
    const [first, second] = [world.rawSocket(head('192.0.2.1')), world.rawSocket(head('192.0.2.1'))]
    for (const raw of [first, second]) await raw.next()
    const refused = await world.raw(head('192.0.2.1').replace('Connection: Upgrade', 'Connection: Upgrade, close'))
    expect([refused.status, refused.json.error.code]).toEqual([429, 'rate_limited'])
    expect(refused.header('retry-after')).toMatch(/^[1-9]\d*$/)
    const other = world.rawSocket(head('192.0.2.2'))
    expect(await other.response).toStartWith('HTTP/1.1 101')
    const local = await Promise.all([world.socket(), world.socket(), world.socket()])
    first.close()
    await first.closed
    let answer = await world.rawSocket(head('192.0.2.1')).response
    while (!answer.startsWith('HTTP/1.1 101')) answer = await world.rawSocket(head('192.0.2.1')).response
    for (const client of [second, other, ...local]) client.close()
  })
})
