import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { TEST_EDGE } from '../support/app.ts'
import { inflateWhole, NOBODY, PRESENCE_KEYS, request, startReadyWorld, upgradeHead, type World } from './support.ts'

let world: World
let ada: string
let key: string

beforeAll(async () => {
  world = await startReadyWorld({ config: { discordInvite: 'https://discord.gg/exoix' } })
  ada = world.people.ada
  key = await world.key(ada)
})
afterAll(() => world[Symbol.asyncDispose]())

const FAILURES = {
  not_found: [404, 'Route does not exist'],
  invalid_ids: [400, 'ids must be 1 to 50 user ids, separated by commas'],
  user_not_monitored: [404, 'User is not being monitored by Exoix'],
  no_permission: [401, 'You do not have permission to access this resource'],
  upgrade_failed: [400, 'Request failed to upgrade'],
} as const

/** ADA stands for the id of somebody monitored. */
const fill = (text: string) => text.replaceAll('ADA', ada)

describe('every failure', () => {
  test.each([
    ['GET /nope', 'not_found'],
    ['GET /v1', 'not_found'],
    ['GET /v1/', 'not_found'],
    ['GET /v1/users', 'invalid_ids'],
    ['GET /v1/users/', 'invalid_ids'],
    ['GET /v1/users/ADA/nope', 'not_found'],
    ['GET /v1/users/ADA/kv/a/b', 'not_found'],
    ['GET /v2/users/ADA', 'not_found'],
    ['GET /V1/users/ADA', 'not_found'],
    ['GET /v1/Users/ADA', 'not_found'],
    ['GET /api/v1/users/ADA', 'not_found'],
    ['GET /ADA', 'not_found'],
    ['GET /user', 'not_found'],
    ['GET /user/', 'not_found'],
    ['GET /favicon.ico', 'not_found'],
    ['GET /robots.txt', 'not_found'],
    ['GET /.env', 'not_found'],
    ['GET /__proto__', 'not_found'],
    ['GET /constructor', 'not_found'],
    ['GET /socket/extra', 'not_found'],
    ['GET /metrics/extra', 'not_found'],
    ['GET /swagger/nope', 'not_found'],
    ['POST /', 'not_found'],
    ['PUT /', 'not_found'],
    ['POST /v1/users/ADA', 'not_found'],
    ['PUT /v1/users/ADA', 'not_found'],
    ['PATCH /v1/users/ADA', 'not_found'],
    ['DELETE /v1/users/ADA', 'not_found'],
    ['POST /v1/users/ADA/kv', 'not_found'],
    ['PUT /v1/users/ADA/kv', 'not_found'],
    ['PUT /v1/users/ADA/kv/', 'not_found'],
    ['POST /v1/users/ADA/kv/a', 'not_found'],
    ['PATCH /v1/users/ADA/kv/a', 'not_found'],
    ['POST /socket', 'not_found'],
    ['POST /metrics', 'not_found'],
    ['DELETE /health', 'not_found'],
    ['PUT /discord', 'not_found'],
    ['DELETE /user/ADA', 'not_found'],
    ['PUT /ADA.png', 'not_found'],
    ['PROPFIND /v1/users/ADA', 'not_found'],
    ['MKCOL /', 'not_found'],
    ['TRACE /', 'not_found'],
    ['PURGE /v1/users/ADA', 'not_found'],
    ['SEARCH /v1/users', 'not_found'],
    [`GET /v1/users/${NOBODY}`, 'user_not_monitored'],
    ['GET /v1/users/0', 'user_not_monitored'],
    ['GET /v1/users/-1', 'user_not_monitored'],
    ['GET /v1/users/1e17', 'user_not_monitored'],
    ['GET /v1/users/ADA0', 'user_not_monitored'],
    ['GET /v1/users/0ADA', 'user_not_monitored'],
    ['GET /v1/users/ADA%20', 'user_not_monitored'],
    ['GET /v1/users/%20ADA', 'user_not_monitored'],
    ['GET /v1/users/ADA%00', 'user_not_monitored'],
    ['GET /v1/users/ADA%2Fkv', 'user_not_monitored'],
    ['GET /v1/users/%FF%FE', 'user_not_monitored'],
    ['GET /v1/users/%', 'user_not_monitored'],
    ['GET /v1/users/me', 'user_not_monitored'],
    ['GET /v1/users/@ME', 'user_not_monitored'],
    ['GET /v1/users/undefined', 'user_not_monitored'],
    ['GET /v1/users/null', 'user_not_monitored'],
    ['GET /v1/users/:id', 'user_not_monitored'],
    ['GET /v1/users/__proto__', 'user_not_monitored'],
    ['GET /v1/users/constructor', 'user_not_monitored'],
    ['GET /v1/users/toString', 'user_not_monitored'],
    [`GET /v1/users/${'9'.repeat(5000)}`, 'user_not_monitored'],
    [`GET /v1/users/${NOBODY}/kv`, 'user_not_monitored'],
    [`GET /v1/users/${NOBODY}/kv/a`, 'user_not_monitored'],
    [`GET /${NOBODY}.png`, 'user_not_monitored'],
    ['GET /hello.png', 'user_not_monitored'],
    ['GET /v1/users/@me', 'no_permission'],
    ['GET /v1/users/%40me', 'no_permission'],
    ['GET /v1/users/@me/kv', 'no_permission'],
    ['GET /v1/users/@me/kv/a', 'no_permission'],
    ['PUT /v1/users/ADA/kv/a', 'no_permission'],
    ['PATCH /v1/users/ADA/kv', 'no_permission'],
    ['DELETE /v1/users/ADA/kv', 'no_permission'],
    ['DELETE /v1/users/ADA/kv/a', 'no_permission'],
    [`PUT /v1/users/${NOBODY}/kv/a`, 'no_permission'],
    ['PUT /v1/users/hello/kv/a', 'no_permission'],
    ['GET /socket', 'upgrade_failed'],
    ['GET /socket/', 'upgrade_failed'],
    ['GET /socket?compression=zlib_json', 'upgrade_failed'],
  ] as const)('of %s has the envelope of %s', async (line, code) => {
    const answer = await world.raw(request(fill(line)))
    const [status, message] = FAILURES[code]
    expect(answer.status).toBe(status)
    expect(answer.json).toEqual({ success: false, error: { code, message } })
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.header('access-control-allow-origin')).toBe('*')
    expect(answer.header('content-length')).toBe(String(answer.bytes.length))
  })
})

describe('every success', () => {
  test.each([
    '/',
    '/?a=b',
    '//',
    '/v1/users/ADA',
    '/v1/users/ADA/',
    '//v1//users//ADA//',
    '/v1/users/ADA?cache=1',
    '/v1/./users/ADA',
    '/v1/users/%40me',
    '/v1/users/@me/',
    '/v1/users/ADA/kv',
    '/v1/users/@me/kv//',
    '/health',
    '/health/',
  ])('of GET %s is in the envelope, without an error key', async path => {
    const answer = await world.raw(request(fill(`GET ${path}`), [`Authorization: ${key}`]))
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(['success', 'data'])
    expect(answer.json.success).toBe(true)
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.header('access-control-allow-origin')).toBe('*')
  })

  test.each(['/', '/v1/users/ADA', '/v1/users/ADA/', '/health', '/metrics', '/swagger', '/swagger/json', '/discord'])(
    'of GET %s is one of HEAD, with the same status and no body',
    async path => {
      const [got, head] = await Promise.all(
        ['GET', 'HEAD'].map(method => world.raw(request(fill(`${method} ${path}`)))),
      )
      expect(head?.status).toBe(got?.status ?? 0)
      expect(head?.bytes.length).toBe(0)
      expect(head?.header('content-type')).toBe(got?.header('content-type'))
    },
  )
})

describe('a presence', () => {
  test('has every key, and no other', async () => {
    const { data } = await world.json(`/v1/users/${ada}`)
    expect(Object.keys(data).sort()).toEqual(PRESENCE_KEYS)
    expect(data.discord_user).toMatchObject({ id: ada, username: 'ada', bot: false, public_flags: 0 })
    expect(data).toMatchObject({
      discord_status: 'online',
      active_on_discord_desktop: true,
      spotify: null,
      activities: [],
    })
  })

  test('of somebody who was never seen online is offline and empty', async () => {
    const id = await world.join({ username: 'quiet' })
    const { data } = await world.json(`/v1/users/${id}`)
    expect(Object.keys(data).sort()).toEqual(PRESENCE_KEYS)
    expect(data).toMatchObject({
      kv: {},
      discord_status: 'offline',
      active_on_discord_web: false,
      active_on_discord_desktop: false,
      active_on_discord_mobile: false,
      active_on_discord_embedded: false,
      active_on_discord_vr: false,
      listening_to_spotify: false,
      spotify: null,
      activities: [],
      last_seen_at: null,
    })
  })

  test('keeps ids as strings, activities in order with every field, and drops secrets alone', async () => {
    const follower = await world.socket()
    await follower.follow({ subscribe_to_id: world.people.bob })
    const activities = [
      { name: 'Custom Status', type: 4, id: 'custom', state: 'hi', emoji: { name: 'moss', id: '1100000000000000003' } },
      {
        name: 'Game',
        type: 0,
        application_id: '901234567890123001',
        secrets: { join: 'x' },
        buttons: ['a'],
        extra: { z: 1 },
      },
      {
        name: 'Spotify',
        type: 2,
        id: 'spotify:1',
        sync_id: 'track',
        details: 'Song',
        state: 'One; Two',
        timestamps: { start: 1, end: 2 },
        assets: { large_image: 'spotify:ab12', large_text: 'Album' },
      },
    ]
    const clientStatus = { mobile: 'idle', vr: 'idle', embedded: 'idle' }
    world.simulator.world.setPresence(world.people.bob, { status: 'idle', activities, clientStatus, at: 2 })
    const { d } = await follower.next()
    const [status, { secrets: _, ...game }, song] = activities as [unknown, { secrets: unknown }, unknown]
    expect(d.activities).toEqual([status, game, song])
    expect(d.spotify).toEqual({
      track_id: 'track',
      song: 'Song',
      artist: 'One; Two',
      album: 'Album',
      album_art_url: 'https://i.scdn.co/image/ab12',
      timestamps: { start: 1, end: 2 },
    })
    expect(d).toMatchObject({
      discord_status: 'idle',
      listening_to_spotify: true,
      active_on_discord_desktop: false,
      active_on_discord_web: false,
      active_on_discord_mobile: true,
      active_on_discord_vr: true,
      active_on_discord_embedded: true,
    })
    expect((await world.json(`/v1/users/${world.people.bob}`)).data).toEqual(d)
    follower.close()
  })

  test('changes with a partial user, and passes keys nobody has heard of', async () => {
    const follower = await world.socket()
    await follower.follow({ subscribe_to_id: world.people.cyd })
    world.simulator.world.updateUser(world.people.cyd, { global_name: 'Cyd the Second', new_thing_2027: { a: [1] } })
    const { d } = await follower.next()
    expect(d.discord_user).toMatchObject({ username: 'cyd', global_name: 'Cyd the Second', new_thing_2027: { a: [1] } })
    follower.close()
  })

  test('of the owner of a key is at @me, however the header is written', async () => {
    for (const header of [
      `Authorization: ${key}`,
      `authorization:${key}`,
      `AUTHORIZATION: \t ${key} \t`,
      `Authorization: Bearer ${key}`,
      `Authorization: bearer ${key}`,
      `Authorization: BEARER  ${key}`,
    ]) {
      const answer = await world.raw(request('GET /v1/users/@me', [header]))
      expect([header.replace(key, ''), answer.status]).toEqual([header.replace(key, ''), 200])
      expect(answer.json.data.discord_user.id).toBe(ada)
    }
  })

  test('at @me is nobody’s without exactly one whole key', async () => {
    const wrong = [
      [],
      ['Authorization:'],
      ['Authorization:  '],
      ['Authorization: Bearer'],
      ['Authorization: Bearer '],
      [`Authorization: Basic ${key}`],
      [`Authorization: ${key}x`],
      [`Authorization: ${key.slice(0, -1)}`],
      [`Authorization: ${key.toUpperCase()}`],
      [`Authorization: "${key}"`],
      [`Authorization: ${key},${key}`],
      [`Authorization: ${key} ${key}`],
      [`Authorization: ${key}`, 'Authorization: other'],
      [`Authorization: other`, `Authorization: ${key}`],
      ['Authorization: undefined'],
      ['Authorization: null'],
      ['Authorization: __proto__'],
      ['Authorization: \xff\xfe'],
      [`X-Authorization: ${key}`],
      [`Cookie: Authorization=${key}`],
    ]
    for (const headers of wrong) {
      const answer = await world.raw(request('GET /v1/users/@me', headers))
      expect([headers, answer.status]).toEqual([headers, 401])
    }
  })

  test('never needs a key, and a wrong one does no harm', async () => {
    const answer = await world.raw(request(`GET /v1/users/${ada}`, ['Authorization: nonsense']))
    expect(answer.status).toBe(200)
  })
})

describe('revalidation', () => {
  test('answers 304 to whoever has the present version, until it changes', async () => {
    const { dov } = world.people
    const first = await world.get(`/v1/users/${dov}`)
    const etag = first.headers.get('etag') ?? ''
    expect(etag).not.toBe('')
    expect(first.headers.get('cache-control')).toContain('no-cache')
    for (const known of [etag, etag.replace(/^W\//, ''), '*', `"a", ${etag}`, `${etag},"b"`, ` ${etag} `]) {
      const answer = await world.raw(request(`GET /v1/users/${dov}`, [`If-None-Match: ${known}`]))
      expect([known, answer.status, answer.bytes.length]).toEqual([known, 304, 0])
      expect(answer.header('etag')).toBe(etag)
      expect(answer.header('access-control-allow-origin')).toBe('*')
    }
    for (const other of ['"a"', 'W/"a"', '""', etag.slice(0, -2), 'nonsense', '**', '']) {
      const answer = await world.raw(request(`GET /v1/users/${dov}`, [`If-None-Match: ${other}`]))
      expect([other, answer.status]).toEqual([other, 200])
    }
    const dovsKey = await world.key(dov)
    await world.get(`/v1/users/${dov}/kv/a`, { method: 'PUT', body: 'x', headers: { authorization: dovsKey } })
    const changed = await world.get(`/v1/users/${dov}`, { headers: { 'if-none-match': etag } })
    expect(changed.status).toBe(200)
    expect(changed.headers.get('etag')).not.toBe(etag)
  })

  test('works for HEAD too, and for one’s own presence', async () => {
    const etag = (await world.get(`/v1/users/${ada}`)).headers.get('etag')
    const head = await world.raw(request(`HEAD /v1/users/${ada}`, [`If-None-Match: ${etag}`]))
    expect(head.status).toBe(304)
    const own = await world.get('/v1/users/@me', { headers: { authorization: key } })
    const again = { authorization: key, 'if-none-match': own.headers.get('etag') ?? '' }
    expect((await world.get('/v1/users/@me', { headers: again })).status).toBe(304)
    expect((await world.get('/v1/users/@me', { headers: { 'if-none-match': '*' } })).status).toBe(401)
  })

  test('of a presence nobody has is no match: 404', async () => {
    expect((await world.raw(request(`GET /v1/users/${NOBODY}`, ['If-None-Match: *']))).status).toBe(404)
  })
})

describe('compression', () => {
  test.each([
    [undefined, undefined],
    ['', undefined],
    ['identity', undefined],
    ['br', undefined],
    ['br, deflate', undefined],
    ['gzip;q=0', undefined],
    ['gzip; q=0.000, zstd;q=0', undefined],
    ['*;q=0', undefined],
    ['zstd;q=0, *;q=0', undefined],
    ['identity;q=1, *;q=0', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['gzip, deflate, br', 'gzip'],
    ['gzip;q=0.1', 'gzip'],
    ['zstd', 'zstd'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['zstd;q=0.1, gzip;q=0.9', 'gzip'],
    ['br;q=1.0, gzip;q=0.8, *;q=0.1', 'gzip'],
    ['nonsense;;;q=,', undefined],
  ])('of a large body for a client that accepts %p is %p', async (accepted, encoding) => {
    const headers = accepted === undefined ? [] : [`Accept-Encoding: ${accepted}`]
    const answer = await world.raw(request('GET /swagger/json', headers))
    expect(answer.header('content-encoding')).toBe(encoding)
    expect(answer.header('vary')?.toLowerCase()).toContain('accept-encoding')
    const read = encoding === 'gzip' ? gunzipSync : encoding === 'zstd' ? zstdDecompressSync : (bytes: Buffer) => bytes
    expect(JSON.parse(read(answer.bytes).toString()).openapi).toBeString()
  })
})

describe('bodies that are worth compressing', () => {
  const inflate = { gzip: gunzipSync, zstd: zstdDecompressSync }

  test.each(['gzip', 'zstd'] as const)('are sent as %s: pairs, a long value, numbers', async encoding => {
    const { eve } = world.people
    const headers = { authorization: await world.key(eve) }
    const long = 'words and words '.repeat(500)
    const body = JSON.stringify({ long, short: 'x' })
    expect((await world.get('/v1/users/@me/kv', { method: 'PATCH', body, headers })).status).toBe(204)
    for (const [path, expected] of [
      [`/v1/users/${eve}`, '"long":'],
      [`/v1/users/${eve}/kv`, body],
      [`/v1/users/${eve}/kv/long`, long],
      [`/user/${eve}`, body],
      ['/metrics', 'exoix_monitored_users'],
    ] as const) {
      const answer = await world.raw(request(`GET ${path}`, [`Accept-Encoding: ${encoding}`]))
      expect([path, answer.header('content-encoding')]).toEqual([path, encoding])
      expect(answer.header('vary')?.toLowerCase()).toContain('accept-encoding')
      expect(inflate[encoding](answer.bytes).toString()).toContain(expected)
    }
    const short = await world.raw(request(`GET /v1/users/${eve}/kv/short`, [`Accept-Encoding: ${encoding}`]))
    expect([short.header('content-encoding'), short.text]).toEqual([undefined, 'x'])
  })

  test('are not sent again to a client that has the pairs already', async () => {
    const { eve } = world.people
    for (const path of [`/v1/users/${eve}/kv`, `/v1/users/${eve}/kv/long`]) {
      const etag = (await world.get(path)).headers.get('etag') ?? ''
      expect((await world.get(path, { headers: { 'if-none-match': etag } })).status).toBe(304)
    }
    const headers = { authorization: await world.key(eve) }
    const own = await world.get('/v1/users/@me/kv', { headers })
    expect(own.headers.get('cache-control')).toContain('private')
    expect(own.headers.get('vary')?.toLowerCase()).toContain('authorization')
  })
})

describe('the front page', () => {
  test('tells about the service and counts who is monitored', async () => {
    const { data } = await world.json('/')
    expect(Object.keys(data)).toEqual(['info', 'monitored_user_count', 'discord_invite', 'version'])
    expect(data.info).toBeString()
    expect(data.discord_invite).toBe('https://discord.gg/exoix')
    const before = data.monitored_user_count
    await world.join({ username: 'one more' })
    expect((await world.json('/')).data.monitored_user_count).toBe(before + 1)
  })

  test.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['application/json, text/html;q=0.9', 'application/json'],
    ['text/plain', 'application/json'],
    ['image/png', 'application/json'],
    ['text/html;q=0', 'application/json'],
    ['text/html', 'text/html'],
    ['TEXT/HTML', 'text/html'],
    ['text/html; charset=utf-8', 'text/html'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8', 'text/html'],
    ['text/html, */*;q=0.1', 'text/html'],
  ])('for a client that accepts %p is %s', async (accept, type) => {
    const headers = accept === undefined ? [] : [`Accept: ${accept}`]
    const answer = await world.raw(request('GET /', headers))
    expect(answer.status).toBe(200)
    expect(answer.header('content-type')).toBe(`${type}; charset=utf-8`)
    expect(answer.header('vary')?.toLowerCase()).toMatch(/\baccept\b/)
  })

  test('asks nothing of other sites to be shown', async () => {
    const html = await (await world.get('/', { headers: { accept: 'text/html' } })).text()
    expect(html).toStartWith('<!doctype html>')
    expect([...html.matchAll(/<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?:)?\/\//g)]).toEqual([])
  })
})

describe('the way to the Discord server', () => {
  test('is a redirect', async () => {
    const answer = await world.raw(request('GET /discord'))
    expect([answer.status, answer.header('location')]).toEqual([302, 'https://discord.gg/exoix'])
  })
})

describe('the API document', () => {
  test('names every route', async () => {
    const { paths } = await world.json('/swagger/json')
    const routes = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item as object).map(method => `${method.toUpperCase()} ${path.replace('/@me', '/{id}')}`),
    )
    for (const route of [
      'GET /',
      'GET /v1/users/{id}',
      'PUT /v1/users/{id}/kv/{key}',
      'PATCH /v1/users/{id}/kv',
      'DELETE /v1/users/{id}/kv/{key}',
      'GET /v1/users/{id}/kv',
      'GET /v1/users/{id}/kv/{key}',
      'DELETE /v1/users/{id}/kv',
      'GET /socket',
      'GET /discord',
      'GET /metrics',
      'GET /health',
    ])
      expect(routes).toContain(route)
  })

  test('has a page whose every script and style comes from here', async () => {
    const html = await (await world.get('/swagger')).text()
    const references = [...html.matchAll(/(?:src|href)(?:=|: )["']([^"']+)["']/g)].map(match => match[1] as string)
    const assets = references.filter(reference => reference.startsWith('swagger/swagger-ui'))
    expect(references.filter(reference => /^(https?:)?\/\//.test(reference))).toEqual([])
    expect(assets.length).toBeGreaterThanOrEqual(2)
    for (const asset of assets) expect((await world.get(`/${asset}`)).status).toBe(200)
  })
})

describe('several people at once', () => {
  test('are told by id, each as alone, without those nobody knows of or who hide', async () => {
    const { ada, bob, cyd } = world.people
    const alone = (await world.json(`/v1/users/${ada}`)).data
    const { data } = await world.json(`/v1/users?ids=${bob},${NOBODY},${ada}`)
    expect(Object.keys(data)).toEqual([bob, ada])
    expect(data[ada]).toEqual(alone)
    expect(await world.json(`/v1/users/?ids=${NOBODY}`)).toEqual({ success: true, data: {} })
    await world.ask(cyd, '.privacy hide')
    expect(Object.keys((await world.json(`/v1/users?ids=${cyd},${bob}`)).data)).toEqual([bob])
    await world.ask(cyd, '.privacy show')
  })
})

describe('a browser', () => {
  const accept = 'Accept: text/html,*/*;q=0.8'

  test('gets a page for what does not exist, with the status', async () => {
    for (const path of ['/nope', '/v1/users/1/nope/', '/nope.txt']) {
      const answer = await world.raw(request(`GET ${path}`, [accept]))
      expect([path, answer.status, answer.header('content-type')]).toEqual([path, 404, 'text/html; charset=utf-8'])
      expect((await world.raw(request(`GET ${path}`))).json.error.code).toBe('not_found')
    }
  })

  test('gets a page about a person that previews of links can read, and of nobody else', async () => {
    const { ada } = world.people
    const page = (await world.raw(request(`GET /?user=${ada}`, [accept]))).text
    expect(page).toContain('<meta property="og:title" content="ADA" />')
    expect(page).toMatch(new RegExp(`<meta property="og:image" content="[^"]+/v1/users/${ada}/card\\.svg" />`))
    const unknown = (await world.raw(request(`GET /?user=${NOBODY}`, [accept]))).text
    expect(unknown).not.toContain('og:')
  })
})

describe('the health of serving', () => {
  test('is 200 once everybody is known, with the version', async () => {
    const { status, json } = await world.raw(request('GET /health/serving'))
    expect([status, json.data.version]).toEqual([200, expect.stringMatching(/^\d+\.\d+\.\d+/)])
  })
})

describe('numbers for Prometheus', () => {
  test('are text with names that begin with exoix_, each described once', async () => {
    const answer = await world.raw(request('GET /metrics'))
    expect(answer.header('content-type')).toMatch(/^text\/plain/)
    const lines = answer.text.trimEnd().split('\n')
    const samples = lines.filter(line => !line.startsWith('#'))
    for (const sample of samples)
      expect(sample).toMatch(/^exoix_[a-z0-9_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+$/)
    const typed = lines.filter(line => line.startsWith('# TYPE ')).map(line => line.split(' ')[2])
    expect(new Set(typed).size).toBe(typed.length)
    expect(samples.every(sample => typed.includes(/^\w+/.exec(sample)?.[0]))).toBe(true)
    for (const name of [
      'monitored_users',
      'connected_sessions',
      'messages_inbound',
      'messages_outbound',
      '4xx_responses',
    ])
      expect(answer.text).toMatch(new RegExp(`^exoix_${name} \\d+$`, 'm'))
  })
})

describe('what promtool would say of them', () => {
  // Source: promlint of prometheus/client_golang, each of its rules that can concern counters and gauges.
  const NOT_BASE =
    /_(milli|micro|nano)?(seconds)_|_(minutes?|hours?|days?|milliseconds|kilobytes|megabytes|percent)(_|$)/
  const ABBREVIATED = /_(s|ms|us|ns|sec|b|kb|mb|gb|tb|pb|m|h|d)(_|$)/

  test('is nothing', async () => {
    const text = (await world.raw(request('GET /metrics'))).text
    const families = Array.from(text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \1 (\w+)\n((?:\1[{ ].*\n)+)/gm))
    expect(families.map(([whole]) => whole).join('')).toBe(text)
    const problems = families.flatMap(([, name = '', help = '', type = '', samples = '']) => {
      const series = samples
        .trimEnd()
        .split('\n')
        .map(line => line.slice(0, line.lastIndexOf(' ')))
      return [
        help.trim() === '' && 'no help',
        (type === 'counter') !== name.endsWith('_total') && `${type} by this name`,
        !['counter', 'gauge', 'untyped'].includes(type) && type,
        /_(count|sum|bucket|info|counter|gauge|untyped|metric)$/.test(name) && 'a suffix that means something else',
        (NOT_BASE.test(name.replace(/_seconds(_total)?$/, '')) || ABBREVIATED.test(name)) && 'no base unit',
        /[A-Z]|__/.test(name) && 'not in snake case',
        new Set(series).size !== series.length && 'a series twice',
      ].flatMap(problem => (problem === false ? [] : [`${name}: ${problem}`]))
    })
    expect(problems).toEqual([])
  })
})

describe('what is counted', () => {
  test.skipIf(TEST_EDGE)('grows with what happens: requests, sockets, messages, presences', async () => {
    await using own = await startReadyWorld()
    const { ada } = own.people
    const numbers = async () => {
      await own.settled()
      const text = await (await own.get('/metrics')).text()
      return (name: string) => Number(new RegExp(`^exoix_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
    }
    const before = await numbers()
    await own.get(`/v1/users/${ada}`)
    for (let i = 0; i < 3; i++) await own.get('/nope')
    const client = await own.socket()
    await client.follow({ subscribe_to_id: ada })
    own.simulator.world.setPresence(ada, { status: 'idle', at: 5 })
    await client.next()
    await own.ask(ada, '.help')
    const after = await numbers()
    for (const [name, growth] of [
      ['2xx_responses', 2],
      ['4xx_responses', 3],
      ['5xx_responses', 0],
      ['connected_sessions', 1],
      ['messages_inbound', 1],
      ['messages_outbound', 3],
      ['presence_updates', 1],
      ['discord_messages_sent', 1],
      ['monitored_users', 0],
    ] as const)
      expect([name, after(name) - before(name)]).toEqual([name, growth])
    client.close()
  })
})

describe('health', () => {
  test('is ready with the number of people', async () => {
    const { data } = await world.json('/health')
    expect((await world.get('/health')).status).toBe(200)
    expect(data.status).toBe('ready')
    expect(data.monitored_user_count).toBe((await world.json('/')).data.monitored_user_count)
  })
})

describe('cross-origin pages', () => {
  test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'])(
    'may %s anything after a preflight without a key',
    async method => {
      for (const path of [`/v1/users/${ada}/kv/a`, '/v1/users/@me/kv/', '/nope', '/', '/socket', `/${ada}.png`]) {
        const asked = [
          'Origin: https://example.com',
          `Access-Control-Request-Method: ${method}`,
          'Access-Control-Request-Headers: authorization, content-type, x-mine',
        ]
        const answer = await world.raw(request(`OPTIONS ${path}`, asked))
        expect([path, answer.status]).toEqual([path, 204])
        expect(answer.header('access-control-allow-origin')).toBe('*')
        expect(answer.header('access-control-max-age')).toBe('600')
        expect(answer.header('access-control-allow-methods')?.split(', ')).toContain(method)
        const allowed = answer.header('access-control-allow-headers')?.toLowerCase().split(', ')
        for (const header of ['authorization', 'content-type', 'x-mine']) expect(allowed).toContain(header)
      }
    },
  )

  test('cannot put anything of their own into the answer to a preflight', async () => {
    const answer = await world.raw(request('OPTIONS /', ['Access-Control-Request-Headers: a"b<c>, (d)']))
    expect(answer.header('access-control-allow-headers')).not.toMatch(/[<>"()]/)
  })
})

describe('a connection', () => {
  /** Sends requests on one connection, each when the one before was answered; statuses of the answers. */
  async function converse(requests: readonly (string | Buffer)[]): Promise<number[]> {
    const tcp = connect(world.port, '127.0.0.1')
    const statuses: number[] = []
    let text = ''
    let answered = Promise.withResolvers<void>()
    tcp.on('data', chunk => {
      text += chunk.toString('latin1')
      const [, status, length = '0'] =
        /^HTTP\/1\.1 (\d{3}) .*?(?:\r\ncontent-length: (\d+).*?)?\r\n\r\n/is.exec(text) ?? []
      const size =
        text.indexOf('\r\n\r\n') + 4 + (requests[statuses.length]?.toString().startsWith('HEAD') ? 0 : Number(length))
      if (status === undefined || text.length < size) return
      statuses.push(Number(status))
      text = text.slice(size)
      answered.resolve()
    })
    tcp.on('close', () => answered.reject(new Error(`closed after ${statuses}`)))
    for (const sent of requests) {
      tcp.write(sent)
      await answered.promise
      answered = Promise.withResolvers()
    }
    answered.promise.catch(() => {})
    tcp.destroy()
    return statuses
  }

  const kept = (line: string, headers: readonly string[] = [], body = '') =>
    [
      `${line} HTTP/1.1`,
      'Host: x',
      ...(body === '' || headers.some(header => header.startsWith('Transfer'))
        ? []
        : [`Content-Length: ${body.length}`]),
      ...headers,
      '',
      body,
    ].join('\r\n')

  test('is kept after every kind of failure, with or without a body', async () => {
    const tooLong = `${`4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(20)}0\r\n\r\n`
    const statuses = await converse([
      kept('GET /nope'),
      kept('POST /nope', [], 'hello'),
      kept('PUT /v1/users/@me/kv/a', [], 'x'.repeat(200_000)),
      kept(`PUT /v1/users/@me/kv/a`, [`Authorization: ${key}`], 'x'.repeat(200_000)),
      kept(`PATCH /v1/users/@me/kv`, [`Authorization: ${key}`], '{"a":'),
      kept('PROPFIND /'),
      kept(`HEAD /v1/users/${NOBODY}`),
      kept('GET /socket'),
      kept(`GET /v1/users/${ada}`, [], '{"body":"on a GET"}'),
      kept('PUT /v1/users/@me/kv/a', [`Authorization: ${key}`], 'x'),
      kept('PUT /v1/users/@me/kv/a', [`Authorization: ${key}`, 'Transfer-Encoding: chunked'], tooLong),
      kept('PUT /v1/users/@me/kv/a', ['Transfer-Encoding: chunked'], tooLong),
      kept('DELETE /v1/users/@me/kv/a', [`Authorization: ${key}`], 'a body nobody needs'),
      kept('OPTIONS /'),
      request('GET /health'),
    ])
    expect(statuses).toEqual([404, 404, 401, 413, 400, 404, 404, 400, 200, 204, 413, 401, 204, 204, 200])
  })

  test('of HTTP/1.0, without a Host, is answered and closed', async () => {
    const answer = await world.raw(`GET /v1/users/${ada} HTTP/1.0\r\n\r\n`)
    expect(answer.status).toBe(200)
    expect(answer.json.data.discord_user.id).toBe(ada)
  })

  test.each([
    [''],
    ['a b'],
    ['%%%'],
    ['a:b:c'],
    ['[::bad'],
    ['http://x/'],
    ['a/b?c#d'],
    ['user@host'],
    ['256.256.256.256'],
    ['xn--'],
    ['EXAMPLE.com:80'],
    ['[::1]:4001'],
    ['_dmarc.x_y'],
  ])('with the host %j works like any other', async host => {
    const target = (line: string) => `${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
    for (const path of [`/v1/users/${ada}`, `//v1//users/${ada}/`, `/v1/users/${ada}/?a=b`]) {
      expect((await world.raw(target(`GET ${path}`))).json.data.discord_user.id).toBe(ada)
    }
    expect((await world.raw(target('GET //nope/'))).json.error.code).toBe('not_found')
    expect((await world.raw(target('GET //socket'))).json.error.code).toBe('upgrade_failed')
    for (const path of ['/socket?compression=zlib_json', '//socket/?compression=zlib_json']) {
      const socket = world.rawSocket(upgradeHead([], path).replace('localhost', host))
      expect(await socket.response).toStartWith('HTTP/1.1 101')
      expect(inflateWhole((await socket.next()).payload)).toContain('heartbeat_interval')
      socket.close()
    }
  })

  test('of HTTP/1.0 without a host may have slashes too many, as health checks of proxies send it', async () => {
    for (const path of ['/health', '/health/', '//health'])
      expect((await world.raw(`GET ${path} HTTP/1.0\r\n\r\n`)).json.data.status).toBe('ready')
    const head = await world.raw('HEAD /health HTTP/1.0\r\n\r\n')
    expect([head.status, head.header('content-length')]).not.toContain(undefined)
    for (const path of ['/anything/metrics', '/anything/', '/v1/users/health/', `/anything/${ada}.png`]) {
      const answer = await world.raw(`GET ${path} HTTP/1.0\r\n\r\n`)
      expect([path, answer.status]).toEqual([path, 404])
    }
  })

  test('that offers HTTP/2 is answered as it is', async () => {
    const offer = [
      'Connection: Upgrade, HTTP2-Settings, close',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
    ]
    expect((await world.raw(request(`GET /v1/users/${ada}`, offer))).json.data.discord_user.id).toBe(ada)
  })

  test('may name the whole address in the request line, as through a proxy', async () => {
    const answer = await world.raw(request(`GET http://exoix.test/v1/users/${ada}`))
    expect(answer.json.data.discord_user.id).toBe(ada)
  })

  test('takes many and long headers', async () => {
    const headers = [...Array.from({ length: 90 }, (_, i) => `X-${i}: ${i}`), `Cookie: ${'a'.repeat(8000)}`]
    expect((await world.raw(request(`GET /v1/users/${ada}`, headers))).status).toBe(200)
  })
})
