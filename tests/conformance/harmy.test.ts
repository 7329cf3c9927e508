import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type GithubSimulator, startGithubSimulator } from '../../src/simulator/github/github.ts'
import { type Body, NOBODY, request, startReadyWorld, type World } from './support.ts'

let hub: GithubSimulator
let world: World
let ada: string
let bob: string

beforeAll(async () => {
  hub = startGithubSimulator()
  world = await startReadyWorld({ config: { githubApiUrl: hub.apiUrl, githubUrl: hub.url } })
  ;({ ada, bob } = world.people)
})
afterAll(async () => {
  await world[Symbol.asyncDispose]()
  await hub.stop()
})

const read = (id: string): Promise<Body> => world.json(`/user/${id}`)
const say = async (userId: string, content: string) => (await world.ask(userId, content)).content

async function link(userId: string, login: string): Promise<void> {
  const code = /exoix-link-\w+/.exec(await say(userId, `.github connect ${login}`))?.[0] ?? 'no code'
  hub.world.changeUser(hub.world.userByLogin(login)?.id ?? 0, { bio: `hello ${code} there` })
  expect(await say(userId, '.github verify')).toContain('is connected')
}

describe('GET /user/:id', () => {
  test('has presence, KV and github, and no envelope', async () => {
    const body = await read(ada)
    expect(Object.keys(body)).toEqual(['presence', 'KV', 'github'])
    expect(body).toEqual({
      presence: {
        userId: ada,
        status: 'online',
        global_name: 'ADA',
        server_name: null,
        avatar: null,
        spotifyActivity: null,
      },
      KV: {},
      github: null,
    })
    const answer = await world.raw(request(`GET /user/${ada}`))
    expect(answer.header('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.header('access-control-allow-origin')).toBe('*')
  })

  test('follows nickname, status, song and pairs', async () => {
    world.simulator.world.updateMember(world.guildId, bob, { nick: 'Bobby' })
    world.simulator.world.setPresence(bob, {
      status: 'idle',
      activities: [
        { name: 'Game', type: 0 },
        {
          id: 'spotify:1',
          type: 2,
          name: 'Spotify',
          details: 'Song',
          state: 'Artist',
          sync_id: 'track',
          timestamps: { start: 5, end: 9 },
          party: { id: `spotify:${bob}` },
          assets: { large_text: 'Album', large_image: 'spotify:ab12' },
          flags: 48,
          created_at: 7,
        },
      ],
    })
    await say(bob, '.add a b')
    expect(await read(bob)).toEqual({
      presence: {
        userId: bob,
        status: 'idle',
        global_name: 'BOB',
        server_name: 'Bobby',
        avatar: null,
        spotifyActivity: {
          name: 'Spotify',
          type: 2,
          song: 'Song',
          artist: 'Artist',
          applicationId: null,
          timestamps: { start: 5, end: 9 },
          party: { id: `spotify:${bob}` },
          syncId: 'track',
          assets: { largeText: 'Album', largeImage: 'ab12' },
          flags: 48,
          createdTimestamp: 7,
        },
      },
      KV: { a: 'b' },
      github: null,
    })
  })

  test('of an unknown or hidden person, or without a key, fails like everything else', async () => {
    for (const id of [NOBODY, 'hello', '0', '__proto__', '%00', '9'.repeat(300)]) {
      const answer = await world.raw(request(`GET /user/${id}`))
      expect([answer.status, answer.json]).toEqual([
        404,
        { success: false, error: { code: 'user_not_monitored', message: 'User is not being monitored by Exoix' } },
      ])
    }
    for (const headers of [[], ['Authorization: nonsense'], ['Authorization:']])
      expect((await world.raw(request('GET /user/@me', headers))).json.error.code).toBe('no_permission')
    for (const line of ['GET /user', `POST /user/${ada}`, `GET /user/${ada}/kv`, `PUT /user/${ada}`])
      expect((await world.raw(request(line))).json.error.code).toBe('not_found')
  })

  test('at @me is of the key’s owner', async () => {
    const token = /exoix_[\w-]{43}/.exec(JSON.stringify((await world.ask(ada, '.token')).message.embeds))?.[0]
    for (const authorization of [`${token}`, `Bearer ${token}`]) {
      for (const path of ['/user/@me', '/user/%40me', '/user/@me/'])
        expect((await world.json(path, { headers: { authorization } })).presence.userId).toBe(ada)
    }
  })

  test('may be asked for with HEAD, slashes too many, and revalidated', async () => {
    const etag = (await world.get(`/user/${ada}`)).headers.get('etag') ?? ''
    expect((await world.get(`/user/${ada}`, { headers: { 'if-none-match': etag } })).status).toBe(304)
    const head = await world.raw(request(`HEAD /user/${ada}`))
    expect([head.status, head.bytes.length, head.header('etag')]).toEqual([200, 0, etag])
    expect((await world.raw(request(`GET //user//${ada}//`))).json.presence.userId).toBe(ada)
    await say(ada, '.add fresh yes')
    expect((await world.get(`/user/${ada}`, { headers: { 'if-none-match': etag } })).status).toBe(200)
  })
})

describe('a GitHub account', () => {
  test('that was proved by a code in its bio is shown, and forgotten again', async () => {
    const { cyd } = world.people
    hub.world.addUser({ id: 42, login: 'octo', company: '@exoix', blog: 'https://octo.example', public_repos: 3 })
    await link(cyd, 'OCTO')
    const { github } = await read(cyd)
    expect(Object.keys(github)).toEqual([
      'id',
      'username',
      'avatar_url',
      'url',
      'company',
      'blog',
      'bio',
      'public_repos',
    ])
    expect(github).toMatchObject({
      id: 42,
      username: 'octo',
      url: 'https://github.com/octo',
      company: '@exoix',
      blog: 'https://octo.example',
      public_repos: 3,
    })
    expect((await world.json(`/v1/users/${cyd}`)).data).not.toHaveProperty('github')
    expect(await say(cyd, '.github disconnect')).toContain('octo')
    expect((await read(cyd)).github).toBeNull()
  })

  test('is not shown to be anybody’s who cannot prove it', async () => {
    const { dov } = world.people
    hub.world.addUser({ login: 'somebody', bio: 'no code here' })
    await say(dov, '.github connect somebody')
    expect(await say(dov, '.github verify')).not.toContain('is connected')
    expect((await read(dov)).github).toBeNull()
    expect(await say(dov, '.github connect nobody-has-this-name')).toContain('nobody-has-this-name')
    for (const name of ['../user', 'a/b', 'a?b', '%2e', 'é', '-a', 'a'.repeat(60)])
      expect(await say(dov, `.github connect ${name}`)).not.toContain('exoix-link-')
    expect(await say(dov, '.github')).toStartWith('Usage: ')
    expect(await say(dov, '.github connect')).toStartWith('Usage: ')
  })

  test('stays as it was last seen while GitHub is down, and goes with everything else', async () => {
    const { eve } = world.people
    hub.world.addUser({ login: 'evening', public_repos: 7 })
    await link(eve, 'evening')
    hub.fail({ kind: 500, times: 1000 })
    expect((await read(eve)).github.public_repos).toBe(7)
    hub.recover()
    await say(eve, '.privacy delete confirm')
    expect((await read(eve)).github).toBeNull()
  })
})
