import { afterEach, describe, expect, test } from 'bun:test'
import type { RESTOptions } from '@discordjs/rest'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey } from '../../src/domain/keys.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { issueKey } from '../support/keys.ts'
import { type Button, buttons, cleanUp, type House, openHouse } from './support.ts'

afterEach(cleanUp)

async function withAlice(options?: Parameters<typeof openHouse>[0]) {
  const house = await openHouse(options)
  const [alice, bob] = house.people as [string, string]
  return { house, alice, bob, pairs: () => Object.fromEntries(house.presences.kv(alice)) }
}

/** Pairs put in place without the bot. */
async function fill(house: House, userId: string, count: number, keyLength: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, index) => `k${index}_`.padEnd(keyLength, 'x'))
  await house.kv.merge(userId, Object.fromEntries(names.map(name => [name, '1'])))
  return names
}

describe('.set and .add', () => {
  for (const place of ['guild', 'dm'] as const) {
    test(`keep the value as it was typed, in a ${place}`, async () => {
      const { house, alice, pairs } = await withAlice()
      const answer = await house.ask(alice, '.set   song  two  blanks\n\nand lines \n', place)
      await house.ask(alice, '.ADD\tmood\n*fine*', place)
      expect(pairs()).toEqual({ song: ' two  blanks\n\nand lines \n', mood: '*fine*' })
      expect(answer.content).toContain('`song` was set')
      expect(answer.userId).toBe(place === 'dm' ? alice : null)
    })
  }

  test('overwrite, and leave other people alone', async () => {
    const { house, alice, bob, pairs } = await withAlice()
    await house.ask(alice, '.set a 1')
    await house.ask(bob, '.set a 2')
    await house.ask(alice, '.set a 3')
    expect(pairs()).toEqual({ a: '3' })
    expect(house.presences.kv(bob).get('a')).toBe('2')
  })

  test('apply what one person sends in the order in which it was sent', async () => {
    const { house, alice, pairs } = await withAlice()
    for (let count = 1; count <= 20; count++) house.say(alice, `.set a ${count}`)
    await house.settled()
    expect(pairs()).toEqual({ a: '20' })
  })

  test('store pairs named like parts of JavaScript objects', async () => {
    const { house, alice, pairs } = await withAlice()
    await house.ask(alice, '.set __proto__ a')
    await house.ask(alice, '.mset\nconstructor b\n__proto__ c')
    expect(Object.entries(pairs())).toEqual([
      ['__proto__', 'c'],
      ['constructor', 'b'],
    ])
  })

  test('say what is wrong in the words of the REST interface', async () => {
    const { house, alice, pairs } = await withAlice()
    const cases = [
      [`.set ${'k'.repeat(256)} v`, 'key must be 255 characters or less'],
      ['.set dot.ted v', 'key must be alphanumeric (a-zA-Z0-9_)'],
      ['.set a \ud800', 'value must be valid Unicode'],
    ] as const
    for (const [typed, words] of cases) expect((await house.ask(alice, typed)).content).toBe(words)
    expect(pairs()).toEqual({})
    await fill(house, alice, 512, 10)
    expect((await house.ask(alice, '.set one_more v')).content).toBe(
      'request would exceed key limit (512), please delete keys first',
    )
    expect((await house.ask(alice, `.set ${'k0_'.padEnd(10, 'x')} v`)).content).toContain('was set')
  })

  test('say so when nothing can be stored', async () => {
    const { house, alice, pairs } = await withAlice({
      wrapStore: store => ({ ...store, changePairs: () => Promise.reject(storageUnavailable()) }),
    })
    const answer = await house.ask(alice, '.set a b')
    expect(answer.content).toBe('The change could not be stored; nothing was changed')
    expect(pairs()).toEqual({})
  })

  test('say nothing of the cause of an unforeseen failure, which is logged', async () => {
    const { house, alice } = await withAlice({
      wrapStore: store => ({ ...store, changePairs: () => Promise.reject(new Error('inner workings')) }),
    })
    expect((await house.ask(alice, '.set a b')).content).toBe('Something went wrong on our side')
    expect(house.logged.join('')).toContain('inner workings')
  })
})

describe('.mset', () => {
  test('sets one pair a line', async () => {
    const { house, alice, pairs } = await withAlice()
    expect((await house.ask(alice, '.mset\na 1\n\n  b  2 2 \nc 3')).content).toBe('3 pairs set.')
    expect((await house.ask(alice, '.mset d 4')).content).toBe('1 pair set.')
    expect(pairs()).toEqual({ a: '1', b: ' 2 2 ', c: '3', d: '4' })
  })

  test('sets all of them or none', async () => {
    const { house, alice, pairs } = await withAlice()
    expect((await house.ask(alice, '.mset\na 1\nb-c 2')).content).toBe('key must be alphanumeric (a-zA-Z0-9_)')
    expect((await house.ask(alice, '.mset\na 1\nb')).content).toStartWith('Usage: `.mset')
    expect(pairs()).toEqual({})
  })
})

describe('.get', () => {
  test('shows a value with back-ticks and mentions made harmless', async () => {
    const { house, alice } = await withAlice()
    const value = `\`\`\`js\n@everyone @here <@${alice}> <@!${alice}> <@&123> <#456> a@b.example`
    await house.kv.put(alice, 'v', value)
    const { content, pings } = await house.ask(alice, '.get v')
    expect(content.replaceAll('\u200b', '')).toContain(value)
    expect(content.match(/```/g)).toHaveLength(2)
    for (const mention of ['@everyone', '@here', `<@${alice}>`, `<@!${alice}>`, '<@&123>', '<#456>']) {
      expect(content).not.toContain(mention)
    }
    expect(content).toContain('a@b.example')
    expect(pings).toEqual({ users: [], roles: [], everyone: false })
  })

  test('links to a value that does not fit into a message', async () => {
    const { house, alice } = await withAlice()
    for (const value of ['v'.repeat(1990), '`'.repeat(1200), '😀'.repeat(1000), 'v'.repeat(30_000)]) {
      await house.kv.put(alice, 'long', value)
      const { content } = await house.ask(alice, '.get long')
      expect(content).toContain(`https://exoix.example/v1/users/${alice}/kv/long`)
      expect(content).toContain(`holds ${[...value].length.toLocaleString('en')} characters`)
    }
    await house.kv.put(alice, 'long', 'v'.repeat(1900))
    expect((await house.ask(alice, '.get long')).content).toContain('v'.repeat(1900))
  })

  test('says where a long value is when the public address is not known', async () => {
    const { house, alice } = await withAlice({
      config: { commandPrefix: '.', externalUrl: undefined, discordInvite: undefined },
    })
    await house.kv.put(alice, 'long', 'v'.repeat(12_345))
    const { content } = await house.ask(alice, '.get long')
    expect(content).toContain('12,345 characters')
    expect(content).toContain(`\`/v1/users/${alice}/kv/long\``)
    expect(content).not.toContain('undefined')
  })

  test('says that a key does not exist', async () => {
    const { house, alice } = await withAlice()
    expect((await house.ask(alice, '.get nothing')).content).toBe('Key does not exist')
    expect((await house.ask(alice, '.get constructor')).content).toBe('Key does not exist')
  })
})

describe('.del', () => {
  test('deletes a pair', async () => {
    const { house, alice, pairs } = await withAlice()
    await house.kv.merge(alice, { a: '1', b: '2' })
    expect((await house.ask(alice, '.del a')).content).toBe('`a` was deleted.')
    expect(pairs()).toEqual({ b: '2' })
  })

  test('says when there was nothing to delete, repeating nothing harmful', async () => {
    const { house, alice } = await withAlice()
    expect((await house.ask(alice, '.del a')).content).toBe('There is no key `a`.')
    const hostile = await house.ask(alice, `.del \`@everyone\`<@${alice}>`)
    expect(hostile.content).toBe(`There is no key \`'@everyone'<@${alice}>\`.`)
    expect(hostile.pings).toEqual({ users: [], roles: [], everyone: false })
  })
})

describe('.kv', () => {
  test('lists the keys in order', async () => {
    const { house, alice } = await withAlice()
    expect((await house.ask(alice, '.kv')).content).toContain('No keys')
    await house.kv.merge(alice, { b: '1', a: '2', C: '3' })
    const { content, message } = await house.ask(alice, '.kv')
    expect(content).toContain('3 keys')
    expect(content).toContain('C, a, b')
    expect(message.components).toEqual([])
  })

  test('comes in pages that hold every key once', async () => {
    const { house, alice } = await withAlice()
    const names = await fill(house, alice, 60, 255)
    const first = await house.ask(alice, '.kv')
    const count = Number(/page 1 of (\d+)/.exec(first.content)?.[1])
    expect(count).toBeGreaterThan(5)
    const shown: string[] = []
    for (let page = 1; page <= count; page++) {
      const { content } = await house.ask(alice, `.kv ${page}`)
      expect(content).toContain(`page ${page} of ${count}`)
      shown.push(...(content.split('```')[1] ?? '').trim().split(', '))
    }
    expect(shown.toSorted()).toEqual(names.toSorted())
    expect((await house.ask(alice, '.kv 999')).content).toContain(`page ${count} of ${count}`)
    expect((await house.ask(alice, '.kv 0')).content).toContain(`page 1 of ${count}`)
  })

  test('has buttons that turn its pages, for the one who asked', async () => {
    const { house, alice, bob } = await withAlice()
    await fill(house, alice, 512, 20)
    const { message } = await house.ask(alice, '.kv')
    const [back, on] = buttons(message) as [Button, Button]
    expect([back.disabled, on.disabled]).toEqual([true, false])
    const press = (userId: string) => house.sim.interact({ kind: 'component', userId, message, customId: on.custom_id })
    const refused = await press(bob)
    expect(refused).toMatchObject({ type: 4, data: { content: 'That is not yours to press.', flags: 64 } })
    const turned = await press(alice)
    expect(turned.type).toBe(7)
    expect(turned.message()?.content).toContain('page 2 of')
  })
})

/** The embed of an answer. */
const embedOf = ({ message }: BotMessage) =>
  (message.embeds as { title: string; description: string }[])[0] as { title: string; description: string }

describe('.help', () => {
  test('names every command and every slash command', async () => {
    const { house, alice } = await withAlice({
      config: { commandPrefix: 'ex!', externalUrl: undefined, discordInvite: undefined },
    })
    const content = embedOf(await house.ask(alice, 'ex!help')).description
    const names = ['set', 'add', 'mset', 'get', 'del', 'kv', 'apikey', 'token', 'privacy delete', 'help']
    for (const name of names) expect(content).toContain(`\`ex!${name}`)
    const { commands } = await house.sim.next('commands')
    for (const { name, type } of commands) expect(content).toContain(type === 1 ? `\`/${name}` : `→ ${name}`)
  })
})

test('.help fits into an embed with the longest prefix and address there can be', async () => {
  const commandPrefix = 'sixteen-letters!'
  const externalUrl = `https://${'a-long-name.'.repeat(20)}example`
  const { house, alice } = await withAlice({
    config: { commandPrefix, externalUrl, discordInvite: undefined },
  })
  const { description } = embedOf(await house.ask(alice, `${commandPrefix}help`))
  expect(description).toEndWith('its owner gets a new one.')
})

describe('wrong usage', () => {
  const cases = [
    ['.set', 'Usage: `.set <key> <value…>`'],
    ['.set key', 'Usage: `.set <key> <value…>`'],
    ['.add', 'Usage: `.add <key> <value…>`'],
    ['.mset', 'Usage: `.mset <key> <value…>, one pair a line`'],
    ['.get', 'Usage: `.get <key>`'],
    ['.get a b', 'Usage: `.get <key>`'],
    ['.del', 'Usage: `.del <key>`'],
    ['.kv two', 'Usage: `.kv [page]`'],
    ['.help me', 'Usage: `.help`'],
    ['.apikey please', 'Usage: `.apikey`'],
    ['.token please', 'Usage: `.token`'],
    ['.history', 'Usage: `.history on` or `.history off` or `.history delete`'],
    ['.history maybe', 'Usage: `.history on` or `.history off` or `.history delete`'],
    ['.history on please', 'Usage: `.history on`'],
    ['.privacy', 'Usage: `.privacy hide` or `.privacy show` or `.privacy delete [confirm]` or `.privacy export`'],
    [
      '.privacy nothing',
      'Usage: `.privacy hide` or `.privacy show` or `.privacy delete [confirm]` or `.privacy export`',
    ],
    ['.privacy delete now', 'Usage: `.privacy delete [confirm]`'],
  ] as const

  test('is answered with the usage line', async () => {
    const { house, alice } = await withAlice()
    for (const [typed, line] of cases) expect((await house.ask(alice, typed)).content).toBe(line)
  })
})

describe('what is no command', () => {
  test('stays unanswered', async () => {
    const { house, alice } = await withAlice()
    const texts = [
      '.nothing',
      '.',
      '..',
      'set a b',
      '. set a b',
      ' .set a b',
      '.setx a b',
      '.privacyhide',
      'x .set a b',
    ]
    for (const text of texts) house.say(alice, text)
    for (const text of ['<@!1> set a b', '<@1>', `<@${house.sim.world.bot.id}> hello`]) house.say(alice, text)
    await house.settled()
    expect(house.written()).toEqual([])
    expect(house.presences.kv(alice).size).toBe(0)
  })

  test('includes what bots, webhooks and Discord itself write, and edits', async () => {
    const { house, alice, pairs } = await withAlice()
    const robot = house.sim.world.addMember(house.guildId, { bot: true }).id
    house.say(robot, '.set a b')
    const { guildId, sim } = house
    sim.sendMessage({ authorId: alice, guildId, content: '.set a b', webhook_id: '123456789012345678' })
    sim.sendMessage({ authorId: alice, guildId, content: '.set a b', type: 7 })
    const plain = house.say(alice, 'nothing to see')
    sim.editMessage(plain.id, { content: '.set a b' })
    await house.settled()
    expect([house.written(), pairs(), house.presences.kv(robot).size]).toEqual([[], {}, 0])
  })

  test('does not include replies to other messages', async () => {
    const { house, alice, bob, pairs } = await withAlice()
    const other = house.say(bob, 'what is your mood?')
    const { guildId, sim } = house
    sim.sendMessage({ authorId: alice, guildId, content: '.set mood fine', replyTo: other.id })
    await sim.nextMessage()
    expect(pairs()).toEqual({ mood: 'fine' })
  })
})

describe('a mention of the bot', () => {
  test('works in place of the prefix', async () => {
    const { house, alice, pairs } = await withAlice()
    const { id } = house.sim.world.bot
    await house.ask(alice, `<@${id}> set a 1`)
    await house.ask(alice, `<@!${id}>   SET b  2`)
    expect(pairs()).toEqual({ a: '1', b: ' 2' })
  })

  test('is recognised after a resumed session, in which nobody tells the bot its id', async () => {
    const { house, alice, pairs } = await withAlice({ withhold: ['READY'] })
    const { id } = house.sim.world.bot
    await house.ask(alice, `<@${id}> set a 1`)
    await house.ask(alice, `<@${id}> set a 2`)
    expect(pairs()).toEqual({ a: '2' })
    const asked = house.sim.recorder.all('rest').filter(({ path }) => path === '/users/@me')
    expect(asked).toHaveLength(1)
  })

  test('is tried again later when the id could not be asked for', async () => {
    const { house, alice, pairs } = await withAlice({ withhold: ['READY'] })
    const { id } = house.sim.world.bot
    house.sim.restFails({ kind: 500, path: /\/users\/@me$/ })
    house.say(alice, `<@${id}> set a 1`)
    await house.settled()
    expect(pairs()).toEqual({})
    await house.ask(alice, `<@${id}> set a 2`)
    expect(pairs()).toEqual({ a: '2' })
  })

  test('is the way in servers where the bot may not read messages', async () => {
    const { house, alice, pairs } = await withAlice({ messageContent: false })
    house.say(alice, '.set a 1')
    await house.settled()
    expect(house.written()).toEqual([])
    await house.ask(alice, `<@${house.sim.world.bot.id}> set a 2`)
    await house.ask(alice, '.set b 3', 'dm')
    expect(pairs()).toEqual({ a: '2', b: '3' })
  })
})

describe('a reply', () => {
  test('answers the message and pings nobody', async () => {
    const { house, alice } = await withAlice()
    const asked = house.say(alice, '.set a b')
    const { body, pings } = await house.sim.nextMessage()
    expect(body).toMatchObject({
      allowed_mentions: { parse: [], replied_user: false },
      message_reference: { message_id: asked.id, fail_if_not_exists: false },
    })
    expect(pings).toEqual({ users: [], roles: [], everyone: false })
    await house.bot.idle()
    expect(house.counter('discord_messages_sent')).toBe(1)
    expect(house.counter('bot_replies_failed_total')).toBe(0)
  })

  test('comes when the message is gone already', async () => {
    const { house, alice, pairs } = await withAlice()
    house.sim.messages.deleteMessage(house.say(alice, '.set a b').id)
    expect((await house.sim.nextMessage()).content).toContain('was set')
    expect(pairs()).toEqual({ a: 'b' })
  })

  test('comes without reference where the bot may not read earlier messages', async () => {
    const bodies: string[] = []
    const makeRequest: RESTOptions['makeRequest'] = async (url, init) => {
      const isFirst = url.endsWith('/messages') && bodies.push(String(init.body)) === 1
      const refusal = { code: 160002, message: 'Cannot reply without permission to read message history' }
      return (isFirst ? Response.json(refusal, { status: 400 }) : fetch(url, init as RequestInit)) as never
    }
    const { house, alice } = await withAlice({ rest: { makeRequest } })
    expect((await house.ask(alice, '.set a b')).content).toContain('was set')
    expect(bodies.map(body => body.includes('message_reference'))).toEqual([true, false])
    await house.bot.idle()
    expect(house.counter('discord_messages_sent')).toBe(1)
    expect(house.counter('bot_replies_failed_total')).toBe(0)
  })

  test('that Discord does not take is counted and logged, and the next one comes', async () => {
    const { house, alice, pairs } = await withAlice()
    for (const kind of [500, 403, 'network'] as const) house.sim.restFails({ kind, path: /\/messages$/ })
    for (const value of [1, 2, 3]) house.say(alice, `.set a ${value}`)
    await house.settled()
    expect(pairs()).toEqual({ a: '3' })
    expect(house.counter('bot_replies_failed_total')).toBe(3)
    expect(house.logged.filter(line => line.includes('a reply was not delivered'))).toHaveLength(3)
    expect((await house.ask(alice, '.get a')).content).toContain('3')
  })

  test('waits as long as Discord asks for', async () => {
    const { house, alice } = await withAlice()
    house.sim.restFails({ kind: 'rate limited', path: /\/messages$/, retryAfter: 0.05 })
    expect((await house.ask(alice, '.set a b')).content).toContain('was set')
    expect(house.counter('bot_replies_failed_total')).toBe(0)
  })

  test('is not tried again for a while in a channel where the bot may not write', async () => {
    let now = Date.now()
    const { house, alice, pairs } = await withAlice({ bot: { clock: { ...systemClock, monotonic: () => now } } })
    house.sim.messages.forbidChannel(house.channelId)
    house.say(alice, '.set a 1')
    await house.settled()
    house.sim.messages.forbidChannel(house.channelId, false)
    house.say(alice, '.set a 2')
    await house.settled()
    expect([house.written().length, pairs()]).toEqual([0, { a: '1' }])
    now += 60_000
    await house.ask(alice, '.set a 3')
    expect(pairs()).toEqual({ a: '3' })
  })
})

describe('too many commands', () => {
  test('of one person are ignored after one notice, until they pause', async () => {
    let now = Date.now()
    const { house, alice, bob, pairs } = await withAlice({ bot: { clock: { ...systemClock, monotonic: () => now } } })
    for (let count = 1; count <= 40; count++) {
      house.say(alice, `.set a ${count}`)
      await house.settled()
    }
    expect(pairs()).toEqual({ a: '30' })
    const answers = house.written().map(({ content }) => content)
    expect(answers).toHaveLength(31)
    expect(answers.at(-1)).toStartWith('Slow down')
    house.say(bob, '.set a 1')
    now += 20_000
    house.say(alice, '.set a 41')
    await house.settled()
    expect(pairs()).toEqual({ a: '41' })
    expect(house.presences.kv(bob).get('a')).toBe('1')
  })

  test('waiting for Discord in one channel do not pile up', async () => {
    const { house } = await withAlice()
    house.sim.restFails({ kind: 'hang', times: 1000, path: /\/messages$/ })
    for (let count = 0; count < 60; count++) house.say(house.people[count % 8] as string, `.set a ${count}`)
    // Events arrive in order: when this is answered, all of those have been seen.
    await house.sim.interact({ kind: 'command', userId: house.people[0] as string, command: 'help' })
    expect(house.counter('bot_commands_dropped_total')).toBe(30)
  })
})

test('a copy that does not answer commands does nothing at all', async () => {
  const { house, alice, pairs } = await withAlice({ bot: { answers: false } })
  const key = await issueKey(house.keys, alice)
  house.say(alice, '.set a b')
  house.say(alice, key)
  await house.settled()
  expect([pairs(), house.written(), house.keys.ownerOf(hashKey(key))]).toEqual([{}, [], alice])
  expect(house.sim.recorder.all('commands')).toEqual([])
})
