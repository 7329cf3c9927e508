import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type Body, PRESENCE_KEYS, startReadyWorld, type World } from './support.ts'

let world: World
let ada: string

beforeAll(async () => {
  world = await startReadyWorld()
  ada = world.people.ada
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(async () => {
  world.simulator.world.setPresence(ada, { status: 'online', at: 1 })
  await world.settled()
})

const presence = async (id = ada): Promise<Body> => (await world.json(`/v1/users/${id}`)).data
const update = (fields: object, user: unknown = { id: ada }) =>
  world.simulator.raw('PRESENCE_UPDATE', { guild_id: world.guildId, user, ...fields })

async function after(fields: object, user?: unknown): Promise<Body> {
  update(fields, user)
  await world.settled()
  return presence()
}

const platforms = (shown: Body) =>
  ['web', 'desktop', 'mobile', 'embedded', 'vr'].filter(name => shown[`active_on_discord_${name}`])

describe('the status', () => {
  test.each([
    ['online', 'online'],
    ['idle', 'idle'],
    ['dnd', 'dnd'],
    ['offline', 'offline'],
    ['invisible', 'offline'],
  ])('%s is shown as %s', async (status, shown) => {
    const state = await after({ status, activities: [], client_status: { web: 'idle' } })
    expect(state.discord_status).toBe(shown)
    expect(platforms(state)).toEqual(shown === 'offline' ? [] : ['web'])
  })

  test('offline empties all the rest, whatever else was sent', async () => {
    await after({ status: 'online', client_status: { mobile: 'online' }, activities: [{ name: 'x', id: 'spotify:1' }] })
    const state = await after({ status: 'offline', client_status: { desktop: 'online' }, activities: [{ name: 'x' }] })
    expect(state).toMatchObject({
      discord_status: 'offline',
      activities: [],
      spotify: null,
      listening_to_spotify: false,
    })
    expect(platforms(state)).toEqual([])
  })

  test.each(['web', 'desktop', 'mobile', 'embedded', 'vr'])('on %s shows by the key alone', async name => {
    expect(platforms(await after({ status: 'dnd', client_status: { [name]: 'dnd' } }))).toEqual([name])
    for (const value of ['offline', null, 5, '']) {
      expect(platforms(await after({ status: 'dnd', client_status: { [name]: value, toaster: 'online' } }))).toEqual([
        name,
      ])
    }
    expect(platforms(await after({ status: 'dnd', client_status: {} }))).toEqual([])
  })
})

describe('the user', () => {
  test('always has id, bot and public_flags, and every key Discord sent', async () => {
    const { id } = world.simulator.world.addUser()
    const user = {
      id,
      username: 'raw',
      avatar_decoration_data: null,
      collectibles: { a: [] },
      primary_guild: { tag: 'X' },
    }
    world.simulator.raw('GUILD_MEMBER_ADD', { guild_id: world.guildId, user, roles: [], joined_at: 'x' })
    await world.settled()
    await world.shown(id)
    expect((await presence(id)).discord_user).toEqual({ ...user, bot: false, public_flags: 0 })
    world.simulator.raw('GUILD_MEMBER_ADD', {
      guild_id: world.guildId,
      user: { ...user, bot: null, public_flags: null },
    })
    await world.settled()
    expect((await presence(id)).discord_user).toMatchObject({ bot: false, public_flags: 0 })
    const robot = await world.join({ bot: true, public_flags: 65536 })
    expect((await presence(robot)).discord_user).toMatchObject({ bot: true, public_flags: 65536 })
  })

  test('takes the fields a partial one carries, and no other id', async () => {
    const before = (await presence()).discord_user
    const { discord_user: user } = await after({}, { id: ada, avatar: 'a'.repeat(32), new_field: 1 })
    expect(user).toEqual({ ...before, avatar: 'a'.repeat(32), new_field: 1 })
    await after({}, { id: ada, avatar: null, new_field: null })
  })
})

describe('activities', () => {
  test('keep order, nulls, empty and unknown fields, and lose secrets', async () => {
    const activities = [
      { name: 'b', type: 0, details: null, party: { size: [1, 5] }, buttons: ['x'], sync_id: '' },
      { name: 'a', type: 99, id: 'custom', emoji: { id: '5', name: 'x', animated: false }, unheard_of: [{}] },
      { name: 'b', type: 0, flags: 0, instance: false, created_at: 1_700_000_000_000 },
    ]
    const state = await after({
      status: 'online',
      activities: activities.map(activity => ({ ...activity, secrets: { join: 's', spectate: 't', match: 'u' } })),
    })
    expect(state.activities).toEqual(activities)
    expect(JSON.stringify(state)).not.toContain('secrets')
  })

  test('have ids as strings even when they come as numbers', async () => {
    const activities = [{ name: 'x', type: 0, application_id: 12345, emoji: { id: 678, name: 'y' } }]
    const [activity] = (await after({ status: 'online', activities })).activities
    expect([activity.application_id, activity.emoji.id]).toEqual(['12345', '678'])
  })

  test('repeated by a second server change nothing', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_id: ada })
    for (let i = 0; i < 3; i++) update({ status: 'online', activities: [{ name: 'once', type: 0 }] })
    await world.settled()
    expect((await client.soFar()).length).toBe(1)
    client.close()
  })
})

describe('Spotify', () => {
  const SONG = {
    id: 'spotify:1',
    type: 2,
    name: 'Spotify',
    details: 'Song',
    state: 'Artist',
    sync_id: 'track',
    timestamps: { start: 1, end: 2 },
    assets: { large_text: 'Album', large_image: 'spotify:ab67616d0000b273' },
  }
  const SHOWN = {
    track_id: 'track',
    song: 'Song',
    artist: 'Artist',
    album: 'Album',
    album_art_url: 'https://i.scdn.co/image/ab67616d0000b273',
    timestamps: { start: 1, end: 2 },
  }
  const spotify = async (...activities: object[]) => {
    const state = await after({ status: 'online', activities })
    expect(state.listening_to_spotify).toBe(state.spotify !== null)
    return state.spotify
  }

  test('is the activity with exactly that id, wherever it stands', async () => {
    expect(await spotify(SONG)).toEqual(SHOWN)
    expect(await spotify({ name: 'x', type: 0 }, SONG, { ...SONG, details: 'second' })).toEqual(SHOWN)
    for (const id of ['spotify:2', 'spotify', 'Spotify:1', 'spotify:11', ' spotify:1', undefined, null, 1])
      expect(await spotify({ ...SONG, id })).toBeNull()
  })

  test('shows null for what is missing, and for art that is not Spotify’s', async () => {
    const nothing = { track_id: null, album: null, album_art_url: null, timestamps: null }
    expect(await spotify({ id: 'spotify:1', name: 'Spotify', type: 2 })).toMatchObject(nothing)
    expect(await spotify({ ...SONG, assets: {}, sync_id: null, timestamps: null })).toMatchObject(nothing)
    for (const large_image of ['mp:external/x', 'https://i.scdn.co/image/x', '', 'spotify', 'spotify:', null, 5, {}])
      expect((await spotify({ ...SONG, assets: { ...SONG.assets, large_image } })).album_art_url).toBeNull()
  })
})

describe('a payload nobody expects', () => {
  const odd: [what: string, fields: object, user?: object | null][] = [
    ['nothing but an id', {}],
    ['nulls', { status: null, activities: null, client_status: null }],
    ['numbers', { status: 1, activities: 2, client_status: 3 }],
    ['strings', { status: '', activities: 'x', client_status: 'desktop' }],
    ['lists', { status: [], activities: [[]], client_status: ['desktop'] }],
    ['a status nobody knows', { status: 'banana' }],
    ['activities that are none', { status: 'online', activities: [null, 1, 'x', [], {}, { name: null }] }],
    [
      'nonsense in a song',
      { status: 'online', activities: [{ id: 'spotify:1', assets: 5, timestamps: 'x', details: {}, state: [] }] },
    ],
    ['half characters', { status: 'online', activities: [{ name: '\ud800', state: '\udc00x', type: 4 }] }],
    ['half characters in the user', {}, { id: 'ADA', username: '\ud800' }],
    [
      'keys of objects',
      { status: 'online', activities: [JSON.parse('{"__proto__":{"x":1},"constructor":1,"toString":2}')] },
    ],
    [
      'huge numbers',
      { status: 'online', activities: [{ name: 'x', created_at: 1e300, timestamps: { start: -1e21 } }] },
    ],
    ['a long text', { status: 'online', activities: [{ name: 'x'.repeat(100_000), type: 0 }] }],
    ['two hundred activities', { status: 'online', activities: Array(200).fill({ name: 'x', type: 0 }) }],
    ['depth', { status: 'online', activities: [JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`)] }],
    ['separators', { status: 'online', activities: [{ name: '\u2028\u2029\0"\\</script>', type: 0 }] }],
    ['a user without an id', {}, { username: 'x' }],
    ['a numeric id', {}, { id: 5 }],
    ['no user', {}, null],
    ['a user that is a list', {}, []],
  ]

  for (const [what, fields, user = { id: 'ADA' }] of odd) {
    test(`of ${what} harms no reader`, async () => {
      const [plain, compressed] = [await world.socket(), await world.socket('?compression=zlib_json')]
      await plain.follow({ subscribe_to_all: true })
      const state = await after(fields, JSON.parse(JSON.stringify(user).replace('ADA', ada)))
      expect(Object.keys(state).sort()).toEqual(PRESENCE_KEYS)
      expect(state.discord_user).toMatchObject({ id: ada, bot: false, public_flags: 0 })
      expect((await compressed.follow({ subscribe_to_all: true })).d[ada]).toEqual(state)
      for (const { d } of await plain.soFar()) expect(Object.keys(d).sort()).toEqual([...PRESENCE_KEYS, 'user_id'])
      for (const client of [plain, compressed]) client.close()
      await after({}, { id: ada, username: 'ada' })
    })
  }

  for (const data of [null, 5, 'x', [], {}, { user: null }, { guild_id: 5 }]) {
    test(`of ${JSON.stringify(data)} in any event is passed over`, async () => {
      for (const event of [
        'PRESENCE_UPDATE',
        'GUILD_MEMBER_ADD',
        'GUILD_MEMBER_UPDATE',
        'GUILD_MEMBER_REMOVE',
        'GUILD_MEMBERS_CHUNK',
        'GUILD_CREATE',
        'GUILD_DELETE',
        'MESSAGE_CREATE',
        'INTERACTION_CREATE',
        'NOBODY_KNOWS',
      ])
        world.simulator.raw(event, data)
      expect((await after({ status: 'idle' })).discord_status).toBe('idle')
      expect((await world.json('/health')).data.status).toBe('ready')
    })
  }
})
