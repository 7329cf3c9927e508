import { describe, expect, test } from 'bun:test'
import { Glob } from 'bun'
import fc from 'fast-check'
import { createIntake } from './intake.ts'
import { chunk, guildCreate, member, NONSENSE, nested, presence, ready, user } from './payloads.ts'

const EVENTS = [
  'READY',
  'RESUMED',
  'GUILD_CREATE',
  'GUILD_DELETE',
  'GUILD_MEMBERS_CHUNK',
  'GUILD_MEMBER_ADD',
  'GUILD_MEMBER_UPDATE',
  'GUILD_MEMBER_REMOVE',
  'PRESENCE_UPDATE',
  'USER_UPDATE',
  'RATE_LIMITED',
  'MESSAGE_CREATE',
  'SOMETHING_NEW',
]

describe('a small guild', () => {
  test('arrives with everybody in it', () => {
    const { take, ids, status, guilds, requests } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10', '11'], { presences: [presence('11', 'dnd')] }))
    expect(ids()).toEqual(['10', '11'])
    expect([status('10'), status('11')]).toEqual(['offline', 'dnd'])
    expect(guilds.isLoading('1')).toBe(false)
    expect(requests).toEqual([])
  })

  test('that comes again tells who is offline now and who has left', () => {
    const { take, ids, status } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10', '11', '12']))
    take('GUILD_CREATE', guildCreate('1', ['10', '12'], { presences: [presence('12')] }))
    expect(ids()).toEqual(['10', '12'])
    expect([status('10'), status('12')]).toEqual(['offline', 'online'])
  })

  test('that lists fewer members than it counts is asked for the rest, and loses nobody before', () => {
    const { take, connect, ids, requests, guilds } = createIntake()
    connect()
    take('GUILD_CREATE', guildCreate('1', ['10', '11']))
    take('GUILD_CREATE', guildCreate('1', ['10'], { member_count: 2 }))
    expect(requests).toMatchObject([{ guildId: '1' }])
    expect(ids()).toEqual(['10', '11'])
    expect(guilds.isLoading('1')).toBe(true)
  })

  test.each([
    ['without a list of presences', { presences: undefined }],
    ['without a presence', { presences: [] }],
    ['with the presence of nobody it lists', { presences: [presence('99')] }],
    ['with a presence that cannot be used', { presences: [{ user: { id: 10 }, status: 'online' }] }],
    ['with somebody who cannot be used', { members: [member('10'), null, member('12')], presences: [presence('12')] }],
    ['with fewer members than it counts', { member_count: 4, presences: [presence('12')] }],
  ])('that comes %s proves nothing: whom it leaves out is asked for and changed by the answer alone', (_, patch) => {
    const { take, connect, status, requests, changes, presences } = createIntake()
    connect()
    take('GUILD_CREATE', guildCreate('1', ['10', '11', '12']))
    changes.length = 0
    take('GUILD_CREATE', guildCreate('2', ['10', '11', '12'], patch))
    expect(['10', '11', '12'].map(status)).toEqual(['online', 'online', 'online'])
    expect([changes, presences.has('13')]).toEqual([[], false])
    expect(requests).toMatchObject([{ guildId: '2' }])
    const answer = { nonce: requests[0]?.nonce, presences: [presence('10')] }
    take('GUILD_MEMBERS_CHUNK', chunk('2', ['10', '11', '12', '13'], answer))
    expect(['10', '11', '12', '13'].map(status)).toEqual(['online', 'offline', 'offline', 'offline'])
  })

  test('that comes again in a new session without presences leaves everybody as they were', () => {
    const { take, status, changes } = createIntake()
    take('READY', ready(['1']))
    take('GUILD_CREATE', guildCreate('1', ['10', '11'], { presences: [presence('10', 'dnd')] }))
    changes.length = 0
    take('READY', ready(['1']))
    take('GUILD_CREATE', guildCreate('1', ['10', '11'], { presences: [] }))
    expect([status('10'), status('11'), changes]).toEqual(['dnd', 'offline', []])
  })

  test('that lists nobody at all is not believed', () => {
    const { take, ids, guilds } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', guildCreate('1', []))
    expect(ids()).toEqual(['10'])
    expect(guilds.isLoading('1')).toBe(true)
  })
})

describe('a large guild', () => {
  test('tells of those with a presence, and leaves the others to the chunks', () => {
    const { take, ids, status, guilds } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10', '11']))
    take('GUILD_CREATE', guildCreate('1', ['10', '12'], { large: true, presences: [presence('12', 'idle')] }))
    expect(ids()).toEqual(['10', '11', '12'])
    expect([status('10'), status('12')]).toEqual(['online', 'idle'])
    expect(guilds.isLoading('1')).toBe(true)
  })
})

describe('a guild', () => {
  test('that is unavailable keeps everybody', () => {
    const { take, ids } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_DELETE', { id: '1', unavailable: true })
    take('GUILD_CREATE', { id: '1', unavailable: true })
    expect(ids()).toEqual(['10'])
  })

  test('that was left takes everybody with it who is in no other', () => {
    const { take, ids } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10', '11']))
    take('GUILD_CREATE', guildCreate('2', ['11', '12']))
    take('GUILD_DELETE', { id: '1' })
    expect(ids()).toEqual(['11', '12'])
  })

  test('that was left while nobody watched is missing in the next READY', () => {
    const { take, ids, guilds } = createIntake()
    take('READY', ready(['1', '2']))
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', guildCreate('2', ['11']))
    take('READY', ready(['2']))
    expect(ids()).toEqual(['11'])
    expect(guilds.size).toBe(1)
  })

  test('is not lost to a READY whose list is damaged', () => {
    const { take, ids, drops } = createIntake()
    take('READY', ready(['1', '2']))
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('READY', ready([], { guilds: [null, { id: 1 }, { id: '2' }] }))
    expect(ids()).toEqual(['10'])
    expect(drops).toEqual({ bad_id: 1 })
  })

  test("of another shard is none of this shard's business", () => {
    const { take, ids } = createIntake()
    take('READY', ready(['1']), 0)
    take('GUILD_CREATE', guildCreate('1', ['10']), 0)
    take('READY', ready([]), 1)
    expect(ids()).toEqual(['10'])
  })
})

describe('a member', () => {
  test('who joins a second guild keeps the presence', () => {
    const { take, status, changes } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', guildCreate('2', ['11']))
    changes.length = 0
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '2' })
    expect(status('10')).toBe('online')
    expect(changes).toEqual([])
  })

  test('in two guilds stays until the last one is left', () => {
    const { take, ids, changes } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', guildCreate('2', ['10']))
    take('GUILD_MEMBER_REMOVE', { guild_id: '1', user: user('10') })
    expect(ids()).toEqual(['10'])
    take('GUILD_MEMBER_REMOVE', { guild_id: '2', user: user('10') })
    expect(changes).toEqual([
      { id: '10', kind: 'joined' },
      { id: '10', kind: 'left' },
    ])
  })

  test('who changes the name is shown with the new one', () => {
    const { take, presences } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_MEMBER_UPDATE', { ...member('10', { user: user('10', { global_name: 'Ada' }) }), guild_id: '1' })
    expect(presences.person('10')?.user).toContain('"global_name":"Ada"')
  })
})

describe('a presence update', () => {
  test('changes what is shown, once for both guilds it is sent for', () => {
    const { take, status, changes } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('GUILD_CREATE', guildCreate('2', ['10']))
    changes.length = 0
    for (const guild_id of ['1', '2']) take('PRESENCE_UPDATE', { ...presence('10', 'dnd'), guild_id })
    expect(status('10')).toBe('dnd')
    expect(changes).toEqual([{ id: '10', kind: 'changed' }])
  })

  test('may bring some fields of the user', () => {
    const { take, presences } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('PRESENCE_UPDATE', { ...presence('10'), user: { id: '10', avatar: 'abc' }, guild_id: '1' })
    const kept = JSON.parse(presences.person('10')?.user ?? '{}')
    expect(kept).toMatchObject({ id: '10', username: 'user10', avatar: 'abc' })
  })

  test('of nothing but an id changes nothing and breaks nothing', () => {
    const { take, status, drops } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('PRESENCE_UPDATE', { user: { id: '10' } })
    expect(status('10')).toBe('online')
    expect(drops).toEqual({})
  })
})

describe('somebody in two guilds', () => {
  const about = (guildId: string) => ({ guild_id: guildId, user: user('10') })
  const offline = (guildId: string, patch: object = {}) => ({ ...presence('10', 'offline', patch), guild_id: guildId })

  /** In both of them, online, and nobody has been told of it. */
  function withTwoGuilds() {
    const intake = createIntake()
    intake.connect()
    for (const id of ['1', '2']) intake.take('GUILD_CREATE', guildCreate(id, ['10', '11']))
    intake.changes.length = 0
    return intake
  }

  test.each([
    [
      'before',
      [
        ['GUILD_MEMBER_REMOVE', about('1')],
        ['PRESENCE_UPDATE', offline('1')],
      ],
    ],
    [
      'after',
      [
        ['PRESENCE_UPDATE', offline('1')],
        ['GUILD_MEMBER_REMOVE', about('1')],
      ],
    ],
    [
      'with the guild',
      [
        ['PRESENCE_UPDATE', offline('1')],
        ['GUILD_DELETE', { id: '1' }],
      ],
    ],
  ] as const)('is not offline because one that they leave says so (%s)', (_, events) => {
    const { take, clock, status, changes } = withTwoGuilds()
    for (const [type, data] of events) take(type, data)
    clock.advance(10_000)
    expect([status('10'), changes.filter(({ id }) => id === '10')]).toEqual(['online', []])
  })

  test('is offline as soon as both say so', () => {
    const { take, status, changes } = withTwoGuilds()
    take('PRESENCE_UPDATE', offline('1'))
    expect([status('10'), changes]).toEqual(['online', []])
    take('PRESENCE_UPDATE', offline('2'))
    expect([status('10'), changes]).toEqual(['offline', [{ id: '10', kind: 'changed' }]])
  })

  test('is offline a second after one has said so, when the other says nothing', () => {
    const { take, clock, status } = withTwoGuilds()
    take('PRESENCE_UPDATE', offline('1'))
    clock.advance(999)
    expect(status('10')).toBe('online')
    clock.advance(1)
    expect(status('10')).toBe('offline')
  })

  test('is offline when all they are left with have said so', () => {
    const { take, status } = withTwoGuilds()
    take('GUILD_CREATE', guildCreate('3', ['10']))
    for (const id of ['1', '2']) take('PRESENCE_UPDATE', offline(id))
    take('GUILD_MEMBER_REMOVE', about('3'))
    expect(status('10')).toBe('offline')
  })

  test('is what the newer of two contradicting guilds says', () => {
    for (const [at, expected] of [
      [undefined, 'idle'],
      [3, 'idle'],
      [1, 'offline'],
    ] as const) {
      const { take, clock, status } = withTwoGuilds()
      const told = (value: number | undefined) => (at === undefined ? {} : { processed_at_timestamp: value })
      take('PRESENCE_UPDATE', offline('1', told(2)))
      take('PRESENCE_UPDATE', { ...presence('10', 'idle', told(at)), guild_id: '2' })
      clock.advance(1000)
      expect([at, status('10')]).toEqual([at, expected])
    }
  })

  test('is offline at once when nothing more is to be heard', () => {
    const { take, offline: reports, status } = withTwoGuilds()
    take('PRESENCE_UPDATE', offline('1'))
    reports.settle()
    expect(status('10')).toBe('offline')
  })

  test.each([
    ['PRESENCE_UPDATE', { ...presence('10', 'dnd'), user: { id: '10', global_name: 'Eve' }, guild_id: '1' }],
    [
      'GUILD_MEMBER_UPDATE',
      { ...member('10', { user: user('10', { global_name: 'Eve' }), nick: 'Eve' }), guild_id: '1' },
    ],
  ])('is not what a guild says that they have left, but asked about (%s)', (type, data) => {
    const { take, clock, changes, presences, requests } = withTwoGuilds()
    take('GUILD_MEMBER_REMOVE', about('1'))
    take(type, data)
    expect(changes).toEqual([])
    expect(presences.person('10')).toMatchObject({ presence: { status: 'online' }, memberships: [{ guildId: '2' }] })
    expect(presences.person('10')?.user).not.toContain('Eve')
    clock.advance(1000)
    expect(requests).toMatchObject([{ guildId: '1', userIds: ['10'] }])
  })

  test('or in one is not monitored again because of it', () => {
    const { take, presences } = withTwoGuilds()
    for (const id of ['1', '2']) take('GUILD_MEMBER_REMOVE', about(id))
    take('GUILD_MEMBER_UPDATE', { ...member('10'), guild_id: '2' })
    take('PRESENCE_UPDATE', { ...presence('10'), guild_id: '2' })
    expect(presences.member('10')).toBeUndefined()
  })
})

describe('a guild that the bot is not in', () => {
  test.each([
    ['GUILD_MEMBER_ADD', { ...member('10'), guild_id: '2' }],
    ['GUILD_MEMBERS_CHUNK', chunk('2', ['10'])],
  ])('tells of nobody (%s)', (type, data) => {
    const { take, presences, drops } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['11']))
    take('GUILD_CREATE', guildCreate('2', ['10']))
    take('GUILD_DELETE', { id: '2' })
    take(type, data)
    expect([presences.member('10'), drops]).toEqual([undefined, { unknown_guild: 1 }])
  })

  test('is asked about nobody', () => {
    const { take, connect, clock, requests } = createIntake()
    connect()
    take('PRESENCE_UPDATE', { ...presence('10'), guild_id: '2' })
    clock.advance(10_000)
    expect(requests).toEqual([])
  })
})

describe('hostile input', () => {
  test.each(EVENTS)('%s with nonsense for data harms nobody', type => {
    const { take, presences } = createIntake()
    take('READY', ready(['1', '2']))
    take('GUILD_CREATE', guildCreate('1', ['10']))
    const before = presences.snapshot('10')?.json
    for (const data of NONSENSE) take(type, data)
    for (const field of ['id', 'guild_id', 'user', 'members', 'presences', 'guilds', 'meta', 'nonce', 'chunk_count']) {
      // A READY without any guild is news, not nonsense.
      const values = field === 'guilds' ? NONSENSE.filter(value => JSON.stringify(value) !== '[]') : NONSENSE
      for (const value of values) take(type, { [field]: value })
    }
    expect(presences.snapshot('10')?.json).toBe(before as string)
  })

  test('is counted by reason', () => {
    const { take, drops } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['9']))
    take('PRESENCE_UPDATE', null)
    take('PRESENCE_UPDATE', { user: { id: 10 } })
    take('GUILD_CREATE', { id: 10 })
    take('GUILD_MEMBER_ADD', { guild_id: '1', user: {} })
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10'], { members: [null, 5, { user: { id: 7 } }, member('11')] }))
    expect(drops).toEqual({ not_an_object: 1, bad_id: 2, bad_member: 4 })
  })

  test('leaves out a member who cannot be used, and nobody else', () => {
    const { take, ids } = createIntake()
    const members = [{ user: null }, member('10'), null, { user: { id: '11"' } }, member('12', { nick: 5 })]
    take('GUILD_CREATE', guildCreate('1', ['10', '12'], { members }))
    expect(ids()).toEqual(['10', '12'])
  })

  test('nested ten thousand deep, or five megabytes long, does not break reading', () => {
    const { take, presences } = createIntake()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    const deep = nested(10_000)
    take('PRESENCE_UPDATE', { ...presence('10', 'dnd'), activities: deep, client_status: deep, guild_id: '1' })
    take('PRESENCE_UPDATE', { ...presence('10', 'dnd'), activities: [{ name: 'x'.repeat(5_000_000), type: 0 }] })
    expect(() => JSON.parse(presences.snapshot('10')?.json ?? '')).not.toThrow()
  })

  test('of any shape at all never throws, and every reader gets JSON', () => {
    const id = fc.constantFrom('1', '10', '11', 'x')
    const shaped = fc.record(
      {
        id: fc.oneof(id, fc.jsonValue()),
        guild_id: fc.oneof(id, fc.jsonValue()),
        user: fc.oneof(fc.record({ id }), fc.jsonValue()),
        members: fc.oneof(fc.array(fc.oneof(fc.record({ user: fc.record({ id }) }), fc.jsonValue())), fc.jsonValue()),
        presences: fc.oneof(fc.array(fc.jsonValue()), fc.jsonValue()),
        activities: fc.oneof(fc.array(fc.oneof(fc.constant({ id: 'spotify:1' }), fc.jsonValue())), fc.jsonValue()),
        status: fc.oneof(fc.constantFrom('online', 'offline'), fc.jsonValue()),
        client_status: fc.jsonValue(),
        guilds: fc.oneof(fc.array(fc.record({ id })), fc.jsonValue()),
        unavailable: fc.oneof(fc.boolean(), fc.jsonValue()),
        chunk_index: fc.oneof(fc.nat(2), fc.jsonValue()),
        chunk_count: fc.oneof(fc.nat(2), fc.jsonValue()),
        meta: fc.oneof(fc.record({ guild_id: id }), fc.jsonValue()),
        opcode: fc.constant(8),
        retry_after: fc.oneof(fc.double(), fc.jsonValue()),
      },
      { requiredKeys: [] },
    )
    const event = fc.tuple(fc.constantFrom(...EVENTS), fc.oneof({ weight: 5, arbitrary: shaped }, fc.jsonValue()))
    fc.assert(
      fc.property(fc.array(event, { maxLength: 20 }), fc.nat(60_000), (events, ms) => {
        const { take, connect, presences, clock } = createIntake()
        connect()
        for (const [type, data] of events) take(type, data)
        clock.advance(ms)
        for (const person of presences.ids()) JSON.parse(presences.snapshot(person)?.json ?? '')
      }),
      { numRuns: 500 },
    )
  })
})

describe('every event', () => {
  test('goes on to the bot, as it came, once it is taken in', () => {
    const { take, events } = createIntake()
    take('READY', ready([]))
    take('MESSAGE_CREATE', { content: '.help' })
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '1' })
    take('USER_UPDATE', user('900'))
    take('PRESENCE_UPDATE', null)
    const types = events.map(({ type }) => type)
    expect(types).toEqual(['READY', 'MESSAGE_CREATE', 'GUILD_MEMBER_ADD', 'USER_UPDATE', 'PRESENCE_UPDATE'])
    expect(events[1]?.data).toEqual({ content: '.help' })
  })
})

describe('recorded payloads', async () => {
  const folder = new URL('../../../shared/fixtures/', import.meta.url).pathname
  const files = await Array.fromAsync(new Glob('**/*.json').scan({ cwd: folder })).catch(() => [])

  test.skipIf(files.length === 0)('of every kind are taken in under every name without harm', async () => {
    for (const file of files.sort()) {
      const recorded = await Bun.file(folder + file).json()
      for (const type of EVENTS) {
        const { take, presences } = createIntake()
        take(type, recorded.d ?? recorded)
        for (const id of presences.ids()) JSON.parse(presences.snapshot(id)?.json ?? '')
      }
    }
  })
})
