import { describe, expect, test } from 'bun:test'
import type { GithubSnapshot } from '../../src/domain/github.ts'
import { ADA, codeOf, KEY, startServer } from './harness.ts'

const SPOTIFY = {
  id: 'spotify:1',
  type: 2,
  name: 'Spotify',
  details: 'Paper Boats',
  state: 'Ada; Grace',
  timestamps: { start: 1720814201608, end: 1720814322741 },
  party: { id: `spotify:${ADA}` },
  sync_id: '56MDdzieU2dTT3YLpCdpcA',
  assets: { large_text: 'Harbour', large_image: 'spotify:ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
  flags: 48,
  created_at: 1720814203334,
}

/** A server whose GitHub is a variable; looks are counted. */
function start(options: Parameters<typeof startServer>[0] = {}) {
  const github = {
    looks: [] as string[],
    set shown(account: GithubSnapshot | null) {
      server.presences.setAccount(ADA, account)
    },
  }
  const server = startServer({
    ...options,
    looked(userId) {
      github.looks.push(userId)
    },
  })
  return { server, github, play: (patch = {}) => server.presences.patchPresence({ user: { id: ADA }, ...patch }) }
}

const account = (json: object): GithubSnapshot => ({ json: JSON.stringify(json) })
// biome-ignore lint/suspicious/noExplicitAny: bodies are looked into by the tests
const read = async (response: Response | Promise<Response>): Promise<any> => (await response).json()

describe('GET /user/:id', () => {
  test('answers in the shape of harmy, without an envelope', async () => {
    const { server, github, play } = start()
    await using _ = server
    github.shown = account({ id: 1815, username: 'ada' })
    server.presences.setKv(ADA, new Map([['First1', 'Key/ValuePair0']]))
    play({ status: 'dnd', activities: [SPOTIFY] })
    const response = await server.get(`/user/${ADA}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('access-control-allow-origin')).toBe('*')
    expect(await read(response)).toEqual({
      presence: {
        userId: ADA,
        status: 'dnd',
        global_name: null,
        server_name: null,
        avatar: null,
        spotifyActivity: {
          name: 'Spotify',
          type: 2,
          song: 'Paper Boats',
          artist: 'Ada; Grace',
          applicationId: null,
          timestamps: { start: 1720814201608, end: 1720814322741 },
          party: { id: `spotify:${ADA}` },
          syncId: '56MDdzieU2dTT3YLpCdpcA',
          assets: { largeText: 'Harbour', largeImage: 'ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
          flags: 48,
          createdTimestamp: 1720814203334,
        },
      },
      KV: { First1: 'Key/ValuePair0' },
      github: { id: 1815, username: 'ada' },
    })
  })

  test('changes its ETag with the presence, the pairs, the nickname and the account, and answers 304 until then', async () => {
    const { server, github, play } = start({ config: { homeGuild: '1' } })
    await using _ = server
    const member = { user: { id: ADA, username: 'ada' } }
    const changes: (() => unknown)[] = [
      () => play({ status: 'idle' }),
      () => play({ status: 'idle', activities: [SPOTIFY] }),
      () => server.presences.setKv(ADA, new Map([['a', '1']])),
      () => server.presences.putMember('1', { ...member, nick: 'Countess' }),
      () => server.presences.putMember('2', { ...member, nick: 'elsewhere' }),
      () => server.presences.removeMember('1', ADA),
      () => {
        github.shown = account({ id: 1 })
      },
      () => {
        github.shown = account({ id: 2 })
      },
      () => {
        github.shown = null
      },
    ]
    const seen = new Set<string>()
    let names = ''
    for (const change of changes) {
      change()
      const response = await server.get(`/user/${ADA}`)
      const etag = response.headers.get('etag') ?? ''
      names += ` ${(await read(response)).presence.server_name}`
      const again = await server.get(`/user/${ADA}`, { 'if-none-match': etag })
      expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', etag])
      seen.add(etag)
    }
    expect(names).toBe(' null null null Countess Countess elsewhere elsewhere elsewhere elsewhere')
    // A nickname elsewhere is not shown while there is one at home; without an account it is as before.
    expect(seen.size).toBe(changes.length - 2)
  })

  test('is made once for all who read it, until something changes', async () => {
    const { server, github } = start()
    await using _ = server
    let made = 0
    const counting = (): GithubSnapshot => ({
      get json() {
        made++
        return '{}'
      },
    })
    github.shown = counting()
    for (let count = 0; count < 5; count++) await server.get(`/user/${ADA}`)
    expect(made).toBe(1)
    github.shown = counting()
    for (let count = 0; count < 5; count++) await server.get(`/user/${ADA}`)
    expect(made).toBe(2)
  })

  test('is read from the GitHub connection at every look, 304s included', async () => {
    const { server, github } = start()
    await using _ = server
    const etag = (await server.get(`/user/${ADA}`)).headers.get('etag') ?? ''
    await server.get(`/user/${ADA}`, { 'if-none-match': etag })
    await server.get(`/v1/users/${ADA}`)
    expect(github.looks).toEqual([ADA, ADA])
  })

  test('is compressed when that pays, and says so', async () => {
    const { server } = start()
    await using _ = server
    server.presences.setKv(ADA, new Map([['long', 'x'.repeat(5000)]]))
    const plain = await read(server.get(`/user/${ADA}`, { 'accept-encoding': 'identity' }))
    for (const encoding of ['gzip', 'zstd']) {
      const response = await server.get(`/user/${ADA}`, { 'accept-encoding': encoding })
      expect(response.headers.get('content-encoding')).toBe(encoding)
      expect(await read(response)).toEqual(plain)
    }
  })

  test('answers HEAD, trailing slashes and doubled ones as it answers GET', async () => {
    const { server } = start()
    await using _ = server
    const etag = (await server.get(`/user/${ADA}`)).headers.get('etag')
    for (const path of [`/user/${ADA}/`, `//user/${ADA}`]) {
      expect((await server.get(path)).headers.get('etag')).toBe(etag)
    }
    const response = await server.get(`/user/${ADA}`, {}, { method: 'HEAD' })
    expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([200, '', etag])
  })

  test.each(['1', 'nobody', '@you', '__proto__', '%00'])('knows nobody called %p', async id => {
    const { server, github } = start()
    await using _ = server
    const response = await server.get(`/user/${id}`)
    expect([response.status, await codeOf(response)]).toEqual([404, 'user_not_monitored'])
    expect(github.looks).toEqual([])
  })

  test('says that it is starting, not that nobody is there, before the members are in', async () => {
    const { server } = start({ readiness: 'starting' })
    await using _ = server
    const response = await server.get('/user/1')
    expect([response.status, await codeOf(response)]).toEqual([503, 'starting'])
    expect(response.headers.get('retry-after')).toBe('2')
    expect((await server.get(`/user/${ADA}`)).status).toBe(200)
  })

  test('shows nobody who is hidden', async () => {
    const { server } = start()
    await using _ = server
    server.presences.setHidden(ADA, true)
    expect((await server.get(`/user/${ADA}`)).status).toBe(404)
    expect((await server.get('/user/@me', { authorization: KEY })).status).toBe(404)
  })
})

describe('GET /user/@me', () => {
  test("tells a key's owner about themselves, and caches know whose answer it is", async () => {
    const { server } = start()
    await using _ = server
    const shared = await read(server.get(`/user/${ADA}`))
    for (const authorization of [KEY, `Bearer ${KEY}`]) {
      const response = await server.get('/user/@me', { authorization })
      expect(response.headers.get('cache-control')).toContain('private')
      expect(response.headers.get('vary')).toContain('Authorization')
      expect(await read(response)).toEqual(shared)
    }
  })

  test.each([{}, { authorization: '' }, { authorization: 'Bearer ' }, { authorization: 'exoix_wrong' }])(
    'refuses %p',
    async headers => {
      const { server } = start()
      await using _ = server
      const response = await server.get('/user/@me', headers as Record<string, string>)
      expect([response.status, await codeOf(response)]).toEqual([401, 'no_permission'])
    },
  )
})

describe('the API document', () => {
  test('describes the shape that is answered', async () => {
    const { server, play } = start()
    await using _ = server
    play({ status: 'dnd', activities: [SPOTIFY] })
    const document = await read(server.get('/swagger/json'))
    const { responses } = document.paths['/user/{id}'].get
    const { schema: named, example } = responses['200'].content['application/json']
    expect(named).toEqual({ $ref: '#/components/schemas/Harmy' })
    const schema = document.components.schemas.Harmy
    const body = await read(server.get(`/user/${ADA}`))
    expect(Object.keys(schema.properties)).toEqual(Object.keys(body))
    expect(Object.keys(schema.properties.presence.properties)).toEqual(Object.keys(body.presence))
    expect(Object.keys(example.presence.spotifyActivity)).toEqual(Object.keys(body.presence.spotifyActivity))
    expect(Object.keys(responses)).toEqual(['200', '304', '404', '429', '503'])
  })
})
