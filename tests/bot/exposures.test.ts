import { afterEach, describe, expect, test } from 'bun:test'
import { readExposure } from '../../src/bot/exposures.ts'
import { hashKey } from '../../src/domain/keys.ts'
import { issueKey } from '../support/keys.ts'
import { cleanUp, openHouse } from './support.ts'

afterEach(cleanUp)

const ID = '123456789012345678'
const user = { id: ID, username: 'x' }

describe('a key', () => {
  const places: [where: string, type: string, data: (key: string) => unknown][] = [
    ['the title of a new thread', 'THREAD_CREATE', key => ({ id: ID, type: 11, name: key })],
    ['the title of a thread that is renamed', 'THREAD_UPDATE', key => ({ id: ID, type: 11, name: `key ${key}` })],
    ['the title of a thread the bot comes to see', 'THREAD_LIST_SYNC', key => ({ threads: [{ id: ID, name: key }] })],
    ['the topic of a channel', 'CHANNEL_UPDATE', key => ({ id: ID, type: 0, name: 'general', topic: `see ${key}` })],
    ['the status of a voice channel', 'VOICE_CHANNEL_STATUS_UPDATE', key => ({ id: ID, status: key })],
    ['a nickname', 'GUILD_MEMBER_UPDATE', key => ({ guild_id: ID, nick: key, user })],
    ['the nickname of a newcomer', 'GUILD_MEMBER_ADD', key => ({ guild_id: ID, nick: key, user })],
    ['a display name', 'GUILD_MEMBER_UPDATE', key => ({ guild_id: ID, user: { ...user, global_name: key } })],
    ['a custom status', 'PRESENCE_UPDATE', key => ({ user: { id: ID }, activities: [{ type: 4, state: key }] })],
    [
      'what a game says of itself',
      'PRESENCE_UPDATE',
      key => ({ user: { id: ID }, activities: [{ type: 0, name: 'Code', details: `editing ${key}.txt` }] }),
    ],
    [
      'a custom status there was before the bot came',
      'GUILD_CREATE',
      key => ({ id: ID, presences: [{ user: { id: ID }, activities: [{ type: 4, state: key }] }] }),
    ],
    ['a nickname there was before', 'GUILD_MEMBERS_CHUNK', key => ({ guild_id: ID, members: [{ nick: key, user }] })],
    ['the title of a thread there was before', 'GUILD_CREATE', key => ({ id: ID, threads: [{ name: key }] })],
  ]
  for (const [where, type, data] of places) {
    test(`in ${where} is revoked, and its owner gets a new one`, async () => {
      const house = await openHouse()
      const [alice = ''] = house.people
      const key = await issueKey(house.keys, alice)
      house.bot.handle(type, data(key))
      expect(house.keys.ownerOf(hashKey(key))).toBeUndefined()
      const { userId, message } = await house.sim.nextMessage()
      await house.bot.idle()
      expect(userId).toBe(alice)
      const fresh = /exoix_[\w-]{43}/.exec(JSON.stringify(message.embeds))?.[0] ?? ''
      expect(house.keys.ownerOf(hashKey(fresh))).toBe(alice)
      expect(house.counter('bot_keys_revoked_total')).toBe(1)
    })
  }

  test('split over two names is none', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const key = await issueKey(house.keys, alice)
    const threads = [{ name: `${key.slice(0, 24)}` }, { name: 'general talk about it' }, { name: key.slice(24) }]
    house.bot.handle('THREAD_LIST_SYNC', { threads })
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
  })
})

describe('what nobody wrote', () => {
  test.each([
    ['PRESENCE_UPDATE', { user: { id: ID }, activities: [{ type: 0, name: 'Chess', details: 'Move 12' }] }],
    ['PRESENCE_UPDATE', { user: { id: ID }, activities: [null, 1, { assets: 'x', buttons: [1, null] }] }],
    ['PRESENCE_UPDATE', { user: null, activities: 'x' }],
    ['GUILD_MEMBER_UPDATE', { nick: null, user: 17 }],
    ['GUILD_CREATE', { id: ID, members: [null], presences: {}, channels: [1], threads: null }],
    ['TYPING_START', { text: 'x'.repeat(100) }],
    ['constructor', {}],
    ['THREAD_CREATE', null],
  ])('is not looked at: %s %j', (type, data) => {
    expect(readExposure(type, data)).toBeNull()
  })
})
