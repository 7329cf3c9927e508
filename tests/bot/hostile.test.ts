import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { cleanUp, openHouse } from './support.ts'

afterEach(cleanUp)

const FIXTURES = `${import.meta.dir}/../../../shared/fixtures`
const SNOWFLAKE = '100000000000000001'

describe('odd messages', () => {
  const odd: [what: string, change: Record<string, unknown>][] = [
    ['no author', { author: undefined }],
    ['an author that is null', { author: null }],
    ['an author without an id', { author: { username: 'x' } }],
    ['an author with a number for an id', { author: { id: 123 } }],
    ['content that is null', { content: null }],
    ['content that is missing', { content: undefined }],
    ['content that is a number', { content: 17 }],
    ['no id', { id: undefined }],
    ['a channel that is an object', { channel_id: {} }],
    ['a type nobody knows', { type: 999 }],
    ['embeds that are a string', { embeds: 'x' }],
    ['embeds that hold null', { embeds: [null, { fields: [null] }] }],
  ]
  for (const [what, change] of odd) {
    test(`with ${what} are passed over, and the next one is answered`, async () => {
      const house = await openHouse()
      const [alice = ''] = house.people
      const author = { id: alice, username: 'a' }
      const message = { id: SNOWFLAKE, channel_id: house.channelId, guild_id: house.guildId, type: 0, author }
      house.sim.raw('MESSAGE_CREATE', { ...message, content: '.nothing', ...change })
      house.sim.raw('MESSAGE_UPDATE', { ...message, content: '.set a b', ...change })
      expect((await house.ask(alice, '.set a c')).content).toContain('was set')
      await house.settled()
      expect(house.written()).toHaveLength(1)
      expect(house.logged.filter(line => line.includes('ERROR'))).toEqual([])
    })
  }

  test('as long as Discord allows are taken', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const value = `\u202e${'\u200b'.repeat(100)}<@${'<@'.repeat(500)}${'😀'.repeat(1400)}`.slice(0, 3990)
    await house.ask(alice, `.set a ${value}`)
    expect(house.presences.kv(alice).get('a')).toBe(value)
    expect((await house.ask(alice, '.get a')).pings).toEqual({ users: [], roles: [], everyone: false })
    await house.ask(alice, `.mset\n${'k v\n'.repeat(990)}`)
    expect(house.presences.kv(alice).get('k')).toBe('v')
  })
})

describe('odd interactions', () => {
  const base = {
    id: SNOWFLAKE,
    application_id: SNOWFLAKE,
    token: 'token',
    type: 2,
    user: { id: SNOWFLAKE },
    data: { name: 'help', options: [] },
  }
  const odd: [what: string, change: Record<string, unknown>][] = [
    ['an id Discord does not know', {}],
    ['no data', { data: undefined }],
    ['data that is a list', { data: [] }],
    ['a command nobody knows', { data: { name: 'nothing' } }],
    ['a subcommand that is missing', { data: { name: 'kv' } }],
    ['options that are null', { data: { name: 'kv', options: [null] } }],
    [
      'options without values',
      { data: { name: 'kv', options: [{ type: 1, name: 'set', options: [{ name: 'key' }] }] } },
    ],
    ['no user', { user: undefined }],
    ['a member without a user', { member: {} }],
    ['no token', { token: undefined }],
    ['a token that climbs out of its path', { token: '../../users/@me' }],
    ['a type nobody knows', { type: 77 }],
    ['a ping', { type: 1 }],
    ['a button without an id', { type: 3, data: {} }],
    ['a button nobody made', { type: 3, data: { custom_id: 'erase:x:y' } }],
    ['a button with a name from Object', { type: 3, data: { custom_id: `constructor:${SNOWFLAKE}:1` } }],
    ['a form without fields', { type: 5, data: { custom_id: `edit:${SNOWFLAKE}:a`, components: [null, 1] } }],
    ['nothing to complete', { type: 4, data: { name: 'kv' } }],
  ]
  for (const [what, change] of odd) {
    test(`with ${what} change nothing, and the next one is answered`, async () => {
      const house = await openHouse()
      const [alice = ''] = house.people
      house.sim.raw('INTERACTION_CREATE', { ...base, ...change })
      const outcome = await house.slash(alice, 'kv set', { key: 'a', value: 'b' })
      expect((await outcome.reply()).content).toContain('was set')
      await house.settled()
      expect(house.presences.kv(SNOWFLAKE).size).toBe(0)
      expect(house.logged.filter(line => line.includes('ERROR'))).toEqual([])
    })
  }
})

describe('anything at all', () => {
  const anything = fc.anything({ maxDepth: 5, withNullPrototype: true })
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.constantFrom('.set a b', '.kv', '.mset', ''))
  const message = fc.record(
    {
      id: fc.oneof(anything, fc.constant(SNOWFLAKE)),
      channel_id: fc.oneof(anything, fc.constant(SNOWFLAKE)),
      guild_id: fc.oneof(anything, fc.constant(SNOWFLAKE)),
      type: fc.oneof(anything, fc.constantFrom(0, 19)),
      content: fc.oneof(anything, text),
      author: fc.oneof(anything, fc.record({ id: fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String) })),
      embeds: anything,
      message_snapshots: anything,
    },
    { requiredKeys: [] },
  )
  const interaction = fc.record(
    {
      id: fc.constant(SNOWFLAKE),
      application_id: fc.constant(SNOWFLAKE),
      token: fc.oneof(anything, fc.constant('token')),
      type: fc.oneof(anything, fc.integer({ min: 1, max: 6 })),
      user: fc.oneof(anything, fc.record({ id: fc.bigInt({ min: 1n, max: 2n ** 63n }).map(String) })),
      data: fc.oneof(
        anything,
        fc.record({
          name: fc.constantFrom('kv', 'help', 'apikey', 'privacy', 'x'),
          custom_id: fc.constantFrom(`erase:${SNOWFLAKE}:1`, `pairs:${SNOWFLAKE}:z`, `edit:${SNOWFLAKE}:`, '::'),
          options: fc.array(
            fc.oneof(anything, fc.record({ type: fc.constant(1), name: fc.constantFrom('set', 'list') })),
          ),
          components: anything,
        }),
      ),
    },
    { requiredKeys: ['id', 'application_id'] },
  )

  test('can be handed to the bot without harm', async () => {
    const house = await openHouse({ bot: { deferAfter: 60_000 } })
    const types = ['MESSAGE_CREATE', 'MESSAGE_UPDATE', 'INTERACTION_CREATE', 'READY', 'TYPING_START', '']
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...types), fc.oneof(anything, message, interaction), async (type, data) => {
        house.bot.handle(type, data)
        await house.bot.idle()
      }),
      { numRuns: 1500 },
    )
    expect(house.logged.filter(line => line.includes('ERROR'))).toEqual([])
  })

  test('recorded from Discord is passed over quietly', async () => {
    if (!existsSync(FIXTURES)) return
    const house = await openHouse()
    const files = readdirSync(FIXTURES, { recursive: true })
      .map(String)
      .filter(name => name.endsWith('.json'))
    for (const file of files) {
      const payload = JSON.parse(readFileSync(`${FIXTURES}/${file}`, 'utf8'))
      if (/Ready|READY/.test(file)) continue
      for (const type of ['MESSAGE_CREATE', 'MESSAGE_UPDATE']) house.bot.handle(type, payload.d ?? payload)
    }
    await house.bot.idle()
    expect(house.written()).toEqual([])
    expect(house.logged.filter(line => line.includes('ERROR'))).toEqual([])
  })
})
