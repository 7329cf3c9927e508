import { describe, expect, test } from 'bun:test'
import { createIntake } from './intake.ts'
import { chunk, guildCreate, member, presence, ready, user } from './payloads.ts'

/** A guild of which GUILD_CREATE told nothing but the count. */
const large = (id: string) => guildCreate(id, [], { large: true, member_count: 300 })

function withLargeGuild() {
  const intake = createIntake()
  intake.connect()
  intake.take('READY', ready(['1']))
  intake.take('GUILD_CREATE', large('1'))
  const nonce = intake.requests.at(-1)?.nonce
  return { ...intake, nonce }
}

describe('a complete member list', () => {
  test('is asked for with presences, and is in when its last chunk is', () => {
    const { take, nonce, requests, ids, guilds } = withLargeGuild()
    expect(requests).toEqual([{ shard: 0, guildId: '1', nonce: expect.any(String) }])
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10', '11'], { chunk_index: 0, chunk_count: 2, nonce }))
    expect(guilds.isLoading('1')).toBe(true)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['12'], { chunk_index: 1, chunk_count: 2, nonce }))
    expect(guilds.isLoading('1')).toBe(false)
    expect(ids()).toEqual(['10', '11', '12'])
  })

  test('may come with its chunks in any order, and one of them twice', () => {
    const { take, nonce, guilds } = withLargeGuild()
    for (const index of [2, 0, 0, 2])
      take('GUILD_MEMBERS_CHUNK', chunk('1', [`1${index}`], { chunk_index: index, chunk_count: 3, nonce }))
    expect(guilds.isLoading('1')).toBe(true)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { chunk_index: 1, chunk_count: 3, nonce }))
    expect(guilds.isLoading('1')).toBe(false)
  })

  test('says that whoever has no presence in it is offline', () => {
    const { take, nonce, status } = withLargeGuild()
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '1' })
    take('PRESENCE_UPDATE', { ...presence('10'), guild_id: '1' })
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10', '11'], { presences: [presence('11', 'idle')], nonce }))
    expect([status('10'), status('11')]).toEqual(['offline', 'idle'])
  })

  test('without presences leaves them as they are', () => {
    const { take, nonce, status } = withLargeGuild()
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '1' })
    take('PRESENCE_UPDATE', { ...presence('10'), guild_id: '1' })
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10'], { presences: undefined, nonce }))
    expect(status('10')).toBe('online')
  })

  test('removes those who left while nobody watched', () => {
    const { take, clock, ids, requests } = withLargeGuild()
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10', '11'], { nonce: requests[0]?.nonce }))
    take('READY', ready(['1']))
    take('GUILD_CREATE', large('1'))
    clock.advance(31_000)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { nonce: requests[1]?.nonce }))
    expect(ids()).toEqual(['11'])
  })

  test('of nobody removes nobody and is asked for again', () => {
    const { take, clock, nonce, ids, requests } = withLargeGuild()
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '1' })
    take('PRESENCE_UPDATE', { ...presence('10'), guild_id: '1' })
    take('GUILD_MEMBERS_CHUNK', chunk('1', [], { nonce }))
    expect(ids()).toEqual(['10'])
    clock.advance(31_000)
    expect(requests.filter(({ userIds }) => userIds === undefined)).toHaveLength(2)
  })

  test('keeps those who join while it comes in, and does not bring back those who leave', () => {
    const { take, nonce, ids } = withLargeGuild()
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10', '11'], { chunk_count: 2, nonce }))
    take('GUILD_MEMBER_ADD', { ...member('12'), guild_id: '1' })
    take('PRESENCE_UPDATE', { ...presence('12'), guild_id: '1' })
    take('GUILD_MEMBER_REMOVE', { guild_id: '1', user: user('10') })
    take('GUILD_MEMBER_REMOVE', { guild_id: '1', user: user('13') })
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['13', '14'], { chunk_index: 1, chunk_count: 2, nonce }))
    expect(ids()).toEqual(['11', '12', '14'])
  })

  test('keeps those who left and came back while it comes in', () => {
    const { take, nonce, ids } = withLargeGuild()
    take('GUILD_MEMBER_REMOVE', { guild_id: '1', user: user('10') })
    take('GUILD_MEMBER_ADD', { ...member('10'), guild_id: '1' })
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10', '11'], { nonce }))
    expect(ids()).toEqual(['10', '11'])
  })

  test('is recognised where the server does not echo the nonce, but not by the nonce of another', () => {
    const { take, guilds } = withLargeGuild()
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10'], { nonce: 'other' }))
    expect(guilds.isLoading('1')).toBe(true)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10']))
    expect(guilds.isLoading('1')).toBe(false)
  })

  test('is asked for again when it stays away, but not before Discord allows', () => {
    const { clock, requests } = withLargeGuild()
    clock.advance(30_000)
    expect(requests).toHaveLength(1)
    clock.advance(1000)
    expect(requests).toHaveLength(2)
    expect(requests[1]?.nonce).not.toBe(requests[0]?.nonce)
  })

  test('is not asked for again while chunks keep coming', () => {
    const { take, clock, nonce, requests } = withLargeGuild()
    for (let index = 0; index < 10; index++) {
      clock.advance(14_000)
      take('GUILD_MEMBERS_CHUNK', chunk('1', [`1${index}`], { chunk_index: index, chunk_count: 11, nonce }))
    }
    expect(requests).toHaveLength(1)
  })

  test('is asked for again when Discord says how long to wait', () => {
    const { take, clock, nonce, requests } = withLargeGuild()
    take('RATE_LIMITED', { opcode: 8, retry_after: 12.5, meta: { guild_id: '1', nonce } })
    clock.advance(12_499)
    expect(requests).toHaveLength(1)
    clock.advance(1)
    expect(requests).toHaveLength(2)
  })

  test.each([null, -1, '5', Number.NaN, 1e300])('waits within reason when Discord says %p', retry_after => {
    const { take, clock, nonce, requests } = withLargeGuild()
    take('RATE_LIMITED', { opcode: 8, retry_after, meta: { guild_id: '1', nonce } })
    clock.advance(600_000)
    expect(requests.length).toBeGreaterThan(1)
  })

  test('is asked for at most once in 30 seconds, whatever happens to the guild', () => {
    const { take, clock, requests } = withLargeGuild()
    for (let round = 0; round < 10; round++) {
      take('GUILD_DELETE', { id: '1', unavailable: true })
      take('GUILD_CREATE', large('1'))
      clock.advance(1000)
    }
    expect(requests).toHaveLength(1)
    clock.advance(21_000)
    expect(requests).toHaveLength(2)
  })

  test('is not asked for any more when the guild is gone', () => {
    const { take, clock, requests } = withLargeGuild()
    take('GUILD_DELETE', { id: '1' })
    clock.advance(120_000)
    expect(requests).toHaveLength(1)
  })

  test('waits for the connection, and goes on waiting for its chunks after a reconnect', () => {
    const { take, clock, nonce, connect, disconnect, requests, guilds } = withLargeGuild()
    disconnect()
    clock.advance(300_000)
    expect(requests).toHaveLength(1)
    connect()
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['10'], { nonce }))
    expect(guilds.isLoading('1')).toBe(false)
  })

  test('is asked for again on the next connection when this one does not take it', () => {
    const intake = createIntake()
    intake.connect()
    intake.accept(false)
    intake.take('GUILD_CREATE', large('1'))
    intake.clock.advance(60_000)
    intake.accept(true)
    intake.connect()
    expect(intake.requests).toHaveLength(1)
  })
})

describe('many guilds', () => {
  test('are asked for a few at a time, within what the gateway takes in a minute', () => {
    const { take, connect, clock, requests } = createIntake()
    connect()
    for (let id = 1; id <= 300; id++) take('GUILD_CREATE', large(String(id)))
    expect(requests).toHaveLength(4)
    const times: number[] = []
    for (let answered = 0; answered < 300; clock.advance(50)) {
      for (; answered < requests.length; answered++) {
        times.push(clock.now())
        const { guildId, nonce } = requests[answered] ?? { guildId: '', nonce: '' }
        take('GUILD_MEMBERS_CHUNK', chunk(guildId, ['10'], { nonce }))
      }
    }
    const busiest = Math.max(...times.map(from => times.filter(at => at >= from && at < from + 60_000).length))
    expect(busiest).toBeLessThanOrEqual(110)
    expect(new Set(requests.map(({ guildId }) => guildId)).size).toBe(300)
  })

  test('of several shards are asked for on their own shard', () => {
    const { take, connect, requests } = createIntake()
    for (const shard of [0, 1]) {
      connect(shard)
      take('GUILD_CREATE', large(String(shard + 1)), shard)
    }
    expect(requests).toMatchObject([
      { shard: 0, guildId: '1' },
      { shard: 1, guildId: '2' },
    ])
  })
})

describe('somebody who joins', () => {
  const join = (id: string, guildId = '1') => ({ ...member(id), guild_id: guildId })

  function withGuild() {
    const intake = createIntake()
    intake.connect()
    intake.take('GUILD_CREATE', guildCreate('1', ['10']))
    intake.changes.length = 0
    return intake
  }

  test('is asked about half a second later, and shown as the answer says: nobody sees them offline before', () => {
    const { take, clock, requests, changes, presences, status } = withGuild()
    take('GUILD_MEMBER_ADD', join('11'))
    clock.advance(499)
    expect([requests, changes, presences.has('11')]).toEqual([[], [], false])
    clock.advance(1)
    expect(requests).toMatchObject([{ guildId: '1', userIds: ['11'] }])
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { presences: [presence('11', 'dnd')], nonce: requests[0]?.nonce }))
    expect([status('11'), changes]).toEqual(['dnd', [{ id: '11', kind: 'joined' }]])
    clock.advance(60_000)
    expect(requests).toHaveLength(1)
  })

  test('is offline when the answer names no presence', () => {
    const { take, clock, requests, status } = withGuild()
    take('GUILD_MEMBER_ADD', join('11'))
    clock.advance(500)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { presences: [], nonce: requests[0]?.nonce }))
    expect(status('11')).toBe('offline')
  })

  test('is shown at once when Discord tells of them unasked', () => {
    const { take, clock, requests, status, changes } = withGuild()
    take('GUILD_MEMBER_ADD', join('11'))
    take('PRESENCE_UPDATE', { ...presence('11', 'idle'), guild_id: '1' })
    expect([status('11'), changes]).toEqual(['idle', [{ id: '11', kind: 'joined' }]])
    clock.advance(500)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { presences: [presence('11', 'idle')], nonce: requests[0]?.nonce }))
    expect(changes).toHaveLength(1)
  })

  test('in hundreds is asked about in few requests', () => {
    const { take, clock, requests } = withGuild()
    for (let id = 1000; id < 1300; id++) take('GUILD_MEMBER_ADD', join(String(id)))
    clock.advance(10_000)
    expect(requests.slice(0, 3).map(({ userIds }) => userIds?.length)).toEqual([100, 100, 100])
    expect(requests.slice(0, 3).flatMap(({ userIds }) => userIds)).toHaveLength(
      new Set(requests.flatMap(({ userIds }) => userIds)).size,
    )
  })

  test('is asked about again when no answer comes, and shown as offline when none comes then either', () => {
    const { take, clock, requests, status, presences } = withGuild()
    take('GUILD_MEMBER_ADD', join('11'))
    clock.advance(5500)
    expect(requests).toHaveLength(1)
    clock.advance(500)
    expect(requests).toHaveLength(2)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { presences: undefined, nonce: requests[1]?.nonce }))
    expect(presences.has('11')).toBe(false)
    clock.advance(5000)
    expect([status('11'), requests.length]).toEqual(['offline', 2])
  })

  test.each([
    [
      'does not find them',
      (nonce?: string) => ['GUILD_MEMBERS_CHUNK', chunk('1', [], { not_found: ['11'], nonce })] as const,
    ],
    [
      'refuses the question',
      (nonce?: string) => ['RATE_LIMITED', { opcode: 8, retry_after: 30, meta: { guild_id: '1', nonce } }] as const,
    ],
  ])('is shown as offline when Discord %s', (_, answer) => {
    const { take, clock, requests, status } = withGuild()
    take('GUILD_MEMBER_ADD', join('11'))
    clock.advance(500)
    const [type, data] = answer(requests[0]?.nonce)
    take(type as string, data)
    expect(status('11')).toBe('offline')
    clock.advance(60_000)
    expect(requests).toHaveLength(1)
  })

  test('is waited for though another guild, which they have left, does not find them', () => {
    const { take, clock, presences, status } = withGuild()
    take('GUILD_CREATE', guildCreate('2', ['10']))
    take('GUILD_MEMBER_ADD', join('11'))
    take('GUILD_MEMBERS_CHUNK', chunk('2', [], { not_found: ['11'] }))
    expect(presences.has('11')).toBe(false)
    clock.advance(500)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { presences: [presence('11', 'idle')] }))
    expect(status('11')).toBe('idle')
  })

  test('is asked about on the next connection when this one is lost, and not when they or the guild have gone', () => {
    const { take, clock, connect, disconnect, requests, presences } = withGuild()
    take('GUILD_CREATE', guildCreate('2', ['10']))
    for (const id of ['11', '12']) take('GUILD_MEMBER_ADD', join(id))
    take('GUILD_MEMBER_ADD', join('13', '2'))
    clock.advance(500)
    disconnect()
    clock.advance(300_000)
    expect(presences.has('11')).toBe(false)
    take('GUILD_MEMBER_REMOVE', { guild_id: '1', user: user('12') })
    take('GUILD_DELETE', { id: '2' })
    requests.length = 0
    connect()
    clock.advance(500)
    expect(requests).toMatchObject([{ guildId: '1', userIds: ['11'] }])
  })

  test('keeps the presence another guild has told', () => {
    const { take, clock, requests, changes, status } = withGuild()
    take('GUILD_CREATE', guildCreate('2', ['12']))
    changes.length = 0
    take('GUILD_MEMBER_ADD', join('12'))
    clock.advance(60_000)
    expect([status('12'), changes, requests]).toEqual(['online', [], []])
  })
})

describe('somebody nobody has introduced', () => {
  const stranger = (id: string) => ({ ...presence(id), guild_id: '1' })

  test('is asked about, with others, once', () => {
    const { take, connect, clock, requests } = createIntake()
    connect()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    for (const id of ['11', '12', '11', '11']) take('PRESENCE_UPDATE', stranger(id))
    clock.advance(1000)
    expect(requests).toMatchObject([{ guildId: '1', userIds: ['11', '12'] }])
    take('PRESENCE_UPDATE', stranger('11'))
    clock.advance(30_000)
    expect(requests).toHaveLength(1)
  })

  test('is known when the answer comes, and the others stay', () => {
    const { take, connect, clock, requests, ids, status } = createIntake()
    connect()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    take('PRESENCE_UPDATE', stranger('11'))
    clock.advance(1000)
    take('GUILD_MEMBERS_CHUNK', chunk('1', ['11'], { nonce: requests[0]?.nonce }))
    expect(ids()).toEqual(['10', '11'])
    expect(status('11')).toBe('online')
  })

  test('is not asked about while the list is coming in anyway', () => {
    const { take, clock, requests } = withLargeGuild()
    take('PRESENCE_UPDATE', stranger('11'))
    clock.advance(5000)
    expect(requests).toHaveLength(1)
  })

  test('is one of a hundred in a request, and one of a bounded number in memory', () => {
    const { take, connect, clock, requests, drops } = createIntake()
    connect()
    take('GUILD_CREATE', guildCreate('1', ['10']))
    for (let id = 0; id < 21_000; id++) take('PRESENCE_UPDATE', stranger(String(100_000 + id)))
    clock.advance(10_000)
    expect(Math.max(...requests.map(({ userIds }) => userIds?.length ?? 0))).toBe(100)
    expect(requests.length).toBeLessThan(40)
    expect(drops.too_many_strangers).toBe(1000)
  })
})
