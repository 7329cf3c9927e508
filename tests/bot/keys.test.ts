import { afterEach, describe, expect, test } from 'bun:test'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey } from '../../src/domain/keys.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { issueKey } from '../support/keys.ts'
import { cleanUp, type House, type HouseOptions, openHouse } from './support.ts'

afterEach(cleanUp)

async function withKey(options?: HouseOptions) {
  const house = await openHouse(options)
  const [alice, bob] = house.people as [string, string]
  return { house, alice, bob, old: await issueKey(house.keys, alice) }
}

/** The key in an embed, behind a spoiler. */
function keyIn(message: Pick<BotMessage, 'message'> | undefined): string {
  const [embed] = (message?.message.embeds ?? []) as { description?: string }[]
  return /\|\|`(exoix_[\w-]{43})`\|\|/.exec(embed?.description ?? '')?.[1] ?? 'no key'
}

const toDm = (house: House, userId: string) => house.sim.nextMessage(message => message.userId === userId)
const toChannel = (house: House) => house.sim.nextMessage(message => message.guildId !== null)

describe('.apikey', () => {
  test('in a DM gives a new key behind a spoiler, and the old one ends', async () => {
    const { house, alice, old } = await withKey()
    const answer = await house.ask(alice, '.apikey', 'dm')
    const key = keyIn(answer)
    expect(answer.userId).toBe(alice)
    expect(answer.content).toBe('')
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
    expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
    await house.settled()
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
    expect(house.written()).toHaveLength(1)
  })

  test('says that the key before has stopped working, if there was one', async () => {
    const { house, alice, bob } = await withKey()
    const STOPPED = 'The key you had before has stopped working.'
    const [replaced, first] = [await house.ask(alice, '.apikey', 'dm'), await house.ask(bob, '.apikey', 'dm')]
    expect(JSON.stringify(replaced.message.embeds)).toContain(STOPPED)
    expect(JSON.stringify(first.message.embeds)).not.toContain(STOPPED)
  })

  test('in a server is refused, and nothing changes', async () => {
    const { house, alice, old } = await withKey()
    const answer = await house.ask(alice, '.apikey')
    expect(answer.content).toBe('You can only perform this command in DMs with me')
    expect([answer.message.embeds, house.keys.ownerOf(hashKey(old))]).toEqual([[], alice])
  })

  test('leaves the old key valid when the new one does not arrive', async () => {
    const { house, alice, old } = await withKey()
    for (const kind of [500, 'network'] as const) {
      house.sim.restFails({ kind, path: /\/messages$/ })
      house.say(alice, '.apikey', 'dm')
      await house.settled()
      expect(house.keys.ownerOf(hashKey(old))).toBe(alice)
    }
    expect(house.written()).toEqual([])
  })

  test('says when the new key could not be stored; the old one stays valid', async () => {
    const { house, alice, old } = await withKey({ wrapStore: failingAfterFirst })
    const given = await house.ask(alice, '.apikey', 'dm')
    const warning = await house.sim.nextMessage()
    expect(warning.content).toContain('could not be stored')
    expect([house.keys.ownerOf(hashKey(keyIn(given))), house.keys.ownerOf(hashKey(old))]).toEqual([undefined, alice])
  })
})

/** A store that keeps one key and no further one. */
const failingAfterFirst: HouseOptions['wrapStore'] = store => {
  let kept = 0
  return {
    ...store,
    replaceKeys: (...key) => (kept++ === 0 ? store.replaceKeys(...key) : Promise.reject(storageUnavailable())),
  }
}

describe('.token', () => {
  test('in a server sends the key by DM and says so', async () => {
    const { house, alice, old } = await withKey()
    house.say(alice, '.token')
    const direct = await toDm(house, alice)
    const said = await toChannel(house)
    expect(said.content).toBe('Your new key is in your direct messages.')
    expect(JSON.stringify(said.message)).not.toContain('exoix_')
    expect([house.keys.ownerOf(hashKey(keyIn(direct))), house.keys.ownerOf(hashKey(old))]).toEqual([alice, undefined])
  })

  test('in a DM answers with the key', async () => {
    const { house, alice } = await withKey()
    const answer = await house.ask(alice, '.token', 'dm')
    await house.settled()
    expect(house.keys.ownerOf(hashKey(keyIn(answer)))).toBe(alice)
  })

  test('with closed DMs says what to do, and the old key stays valid', async () => {
    const { house, alice, old } = await withKey()
    house.sim.closeDms(alice)
    const answer = await house.ask(alice, '.token')
    expect(answer.content).toContain('I cannot send you direct messages')
    expect(answer.content).toContain('/apikey')
    expect(house.keys.ownerOf(hashKey(old))).toBe(alice)
    house.sim.closeDms(alice, false)
    house.say(alice, '.token')
    const direct = await toDm(house, alice)
    await toChannel(house)
    expect(house.keys.ownerOf(hashKey(keyIn(direct)))).toBe(alice)
  })

  test('whose DM fails otherwise says so, and the old key stays valid', async () => {
    const { house, alice, old } = await withKey()
    house.sim.restFails({ kind: 500, path: /\/users\/@me\/channels$/ })
    expect((await house.ask(alice, '.token')).content).toContain('could not be delivered')
    expect(house.keys.ownerOf(hashKey(old))).toBe(alice)
  })

  test('asked for many times at once leaves the last key delivered valid, and no other', async () => {
    const { house, alice } = await withKey()
    for (let count = 0; count < 5; count++) house.say(alice, '.token', count % 2 === 0 ? 'dm' : 'guild')
    await house.settled()
    const keys = house
      .written()
      .filter(({ userId }) => userId === alice)
      .map(message => keyIn(message))
    expect(keys).toHaveLength(5)
    expect(keys.map(key => house.keys.ownerOf(hashKey(key)))).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      alice,
    ])
  })
})

describe('a key that appears in a message', () => {
  /** What each way of showing a key looks like. */
  const ways: [name: string, show: (house: House, userId: string, key: string) => void][] = [
    ['in a server', (house, id, key) => house.say(id, `look, ${key}!`)],
    ['in a DM', (house, id, key) => house.say(id, key, 'dm')],
    ['hidden in markdown', (house, id, key) => house.say(id, `||\`${key}\`||`)],
    ['in an edit', (house, id, key) => house.sim.editMessage(house.say(id, 'hello').id, { content: key })],
    [
      'in an embed',
      (house, id, key) => {
        const embeds = [{ type: 'rich', fields: [{ name: 'key', value: key }] }]
        house.sim.sendMessage({ authorId: id, guildId: house.guildId, embeds })
      },
    ],
    [
      'in a forwarded message',
      (house, id, key) => {
        const message_snapshots = [{ message: { content: key } }]
        house.sim.sendMessage({ authorId: id, guildId: house.guildId, message_snapshots })
      },
    ],
    [
      "in an attachment's name",
      (house, id, key) => {
        const attachments = [{ id: '1', filename: `${key}.txt` }]
        house.sim.sendMessage({ authorId: id, guildId: house.guildId, attachments })
      },
    ],
  ]
  for (const [name, show] of ways) {
    test(`${name} is revoked, and its owner gets a new one by DM and nothing else`, async () => {
      const { house, alice, old } = await withKey()
      show(house, alice, old)
      const direct = await toDm(house, alice)
      await house.settled()
      expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
      expect(house.keys.ownerOf(hashKey(keyIn(direct)))).toBe(alice)
      expect(house.written()).toHaveLength(1)
      expect(house.counter('bot_keys_revoked_total')).toBe(1)
    })
  }

  test('of somebody else is revoked, and its owner gets the new one', async () => {
    const { house, alice, bob, old } = await withKey()
    const bobs = await issueKey(house.keys, bob)
    house.say(bob, `${old} and ${bobs} and ${old}`)
    const [toAlice, toBob] = await Promise.all([toDm(house, alice), toDm(house, bob)])
    await house.settled()
    expect([house.keys.ownerOf(hashKey(old)), house.keys.ownerOf(hashKey(bobs))]).toEqual([undefined, undefined])
    expect([house.keys.ownerOf(hashKey(keyIn(toAlice))), house.keys.ownerOf(hashKey(keyIn(toBob)))]).toEqual([
      alice,
      bob,
    ])
    expect(JSON.stringify(toAlice.message)).toContain(`<#${house.channelId}>`)
  })

  test('and is posted by another bot or a webhook is revoked', async () => {
    const { house, alice, old } = await withKey()
    const robot = house.sim.world.addMember(house.guildId, { bot: true }).id
    house.say(robot, old)
    const key = keyIn(await toDm(house, alice))
    await house.settled()
    expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
    const { guildId, sim } = house
    sim.sendMessage({ authorId: alice, guildId, content: key, webhook_id: '123456789012345678' })
    await toDm(house, alice)
    expect(house.keys.ownerOf(hashKey(key))).toBeUndefined()
  })

  test('as an argument keeps the command from being carried out', async () => {
    const { house, alice } = await withKey()
    for (const command of ['.set a', '.set', '.get', '.mset\na', '.del', `<@${house.sim.world.bot.id}> set a`]) {
      const key = await issueKey(house.keys, alice)
      house.say(alice, `${command} ${key} b`)
      const said = await toChannel(house)
      expect(said.content).toContain('The command was not carried out')
      expect(house.keys.ownerOf(hashKey(key))).toBeUndefined()
    }
    await house.settled()
    expect(house.presences.kv(alice).size).toBe(0)
  })

  test('with closed DMs is revoked all the same, and the channel is told', async () => {
    const { house, alice, bob, old } = await withKey()
    house.sim.closeDms(alice)
    const posted = house.say(bob, old)
    const said = await toChannel(house)
    expect(said.body).toMatchObject({ message_reference: { message_id: posted.id } })
    expect(said.content).toContain('The key has been revoked')
    expect(said.content).toContain('cannot be reached by direct message')
    expect(said.pings.users).toEqual([])
    await house.settled()
    expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
    expect(house.written()).toHaveLength(1)
  })

  test('is worthless even when the database cannot be changed', async () => {
    const refuse = () => Promise.reject(storageUnavailable())
    const { house, alice, old } = await withKey({
      wrapStore: store => ({ ...(failingAfterFirst?.(store) ?? store), deleteKeys: refuse }),
    })
    house.say(alice, old)
    const said = await toChannel(house)
    expect(said.content).toContain('The key has been revoked')
    expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
    expect(house.logged.join('')).toContain('could not be removed')
  })

  test('after it was revoked means nothing', async () => {
    const { house, alice, old } = await withKey()
    await issueKey(house.keys, alice)
    house.say(alice, old)
    await house.settled()
    expect(house.written()).toEqual([])
  })

  test('is found by slash commands and forms too', async () => {
    const { house, alice, old } = await withKey()
    const outcome = await house.slash(alice, 'kv set', { key: 'a', value: `my key: ${old}` })
    expect((await outcome.reply()).content).toContain('The command was not carried out')
    const key = keyIn(await toDm(house, alice))
    const form = await house.slash(alice, 'kv edit', { key: 'a' })
    const sent = await house.sim.interact({ kind: 'modal', userId: alice, modal: form, fields: { value: key } })
    expect((await sent.reply()).content).toContain('The command was not carried out')
    expect([house.keys.ownerOf(hashKey(old)), house.keys.ownerOf(hashKey(key))]).toEqual([undefined, undefined])
    expect(house.presences.kv(alice).size).toBe(0)
  })
})

describe("the bot's own messages", () => {
  test('with new keys in them are no leaks', async () => {
    const { house, alice } = await withKey()
    const key = keyIn(await house.ask(alice, '.apikey', 'dm'))
    await house.settled()
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
  })

  test('are recognised after a resumed session, in which nobody tells the bot its id', async () => {
    const { house, alice } = await withKey({ withhold: ['READY'] })
    const key = keyIn(await house.ask(alice, '.apikey', 'dm'))
    await house.settled()
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
    expect(house.written()).toHaveLength(1)
  })

  test('are left alone while the id cannot be found out', async () => {
    const { house, alice } = await withKey({ withhold: ['READY'] })
    house.sim.restFails({ kind: 500, times: 5, path: /\/users\/@me$/ })
    const key = keyIn(await house.ask(alice, '.apikey', 'dm'))
    await house.settled()
    expect(house.keys.ownerOf(hashKey(key))).toBe(alice)
  })

  test('are not suspected when an update does not say who wrote them', async () => {
    const { house, alice, old } = await withKey()
    const { id, channel_id } = (await house.ask(alice, '.apikey', 'dm')).message
    await house.settled()
    const [key] = [...house.written()].map(message => keyIn(message))
    house.sim.raw('MESSAGE_UPDATE', { id, channel_id, embeds: [{ description: key }] })
    await house.settled()
    expect([house.keys.ownerOf(hashKey(key ?? '')), house.keys.ownerOf(hashKey(old))]).toEqual([alice, undefined])
  })
})

test('a message update without an author in a server gives no key away', async () => {
  const { house, alice, old } = await withKey()
  house.sim.raw('MESSAGE_UPDATE', { id: '1', channel_id: house.channelId, guild_id: house.guildId, content: old })
  expect(house.keys.ownerOf(hashKey(keyIn(await toDm(house, alice))))).toBe(alice)
  expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
})

test('no key is ever logged', async () => {
  const { house, alice, old } = await withKey()
  const keys = [old]
  house.say(alice, old)
  keys.push(keyIn(await toDm(house, alice)))
  keys.push(keyIn(await house.ask(alice, '.apikey', 'dm')))
  house.sim.closeDms(alice)
  house.say(alice, keys.at(-1) ?? '')
  house.say(alice, '.token')
  await house.settled()
  const lines = house.logged.join('')
  for (const key of keys) {
    expect(key).toStartWith('exoix_')
    expect(lines).not.toContain(key.slice(6))
  }
})
