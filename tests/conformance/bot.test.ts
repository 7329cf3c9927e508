import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createLog } from '../../src/lib/log.ts'
import { ApplicationFlag } from '../../src/simulator/types.ts'
import { startReadyWorld, startWorld, type World } from './support.ts'

let world: World
let me: string
let other: string

beforeAll(async () => {
  world = await startReadyWorld({ config: { externalUrl: 'https://exoix.example' } })
})
afterAll(() => world[Symbol.asyncDispose]())

/** Somebody new for every test: the bot slows down whoever asks too much. */
beforeEach(async () => {
  me = world.joinOnline()
  other = world.joinOnline()
  await world.settled()
})

/** Nothing the bot ever says may ping anybody. */
afterEach(() => {
  for (const { pings, body } of world.simulator.recorder.all('message')) {
    expect(pings).toEqual({ users: [], roles: [], everyone: false })
    expect(body.allowed_mentions).toMatchObject({ parse: [] })
  }
  for (const { data, type } of world.simulator.recorder.all('callback')) {
    if (type === 4) expect(data).toMatchObject({ flags: 64, allowed_mentions: { parse: [] } })
  }
  expect(world.simulator.recorder.all('violation')).toEqual([])
})

const pairs = async (id = me): Promise<Record<string, string>> => (await world.json(`/v1/users/${id}`)).data.kv
const inServer = (content: string) => world.ask(me, content, world.guildId)
const inDm = (content: string) => world.ask(me, content)
const said = () => world.simulator.recorder.all('message').length
const slash = (command: string, options: Record<string, string | number> = {}, userId = me) =>
  world.simulator.interact({ kind: 'command', userId, guildId: world.guildId, command, options })
const answer = async (command: string, options?: Record<string, string | number>) =>
  (await (await slash(command, options)).reply()).content

/** Everything that was said before has been heard, and answered if it was to be. */
async function nothingSaid(before: number): Promise<void> {
  await inDm('.help')
  expect(said()).toBe(before + 1)
}

describe('.set and .add', () => {
  test.each([
    ['.set a b', 'b'],
    ['.add a b', 'b'],
    ['.set   a b', 'b'],
    ['.set\na b', 'b'],
    ['.set \t\n a b', 'b'],
    ['.set a  b', ' b'],
    ['.set a   b  ', '  b  '],
    ['.set a\nb', 'b'],
    ['.set a\n\nb', '\nb'],
    ['.set a \nb', '\nb'],
    ['.set a\tb', 'b'],
    ['.set a one two\nthree  four\n', 'one two\nthree  four\n'],
    ['.set a .set a b', '.set a b'],
    ['.set a <@1> @everyone `x` **y**', '<@1> @everyone `x` **y**'],
    ['.set a "quoted value"', '"quoted value"'],
    ['.set a 👩‍👩‍👧 é', '👩‍👩‍👧 é'],
    ['.SET a b', 'b'],
    ['.Add a b', 'b'],
  ])('keep the value as typed: %j', async (content, value) => {
    const { content: reply } = await inServer(content)
    expect(await pairs()).toEqual({ a: value })
    expect(reply).toContain('a')
    await inDm('.set a before')
    await inDm(content)
    expect(await pairs()).toEqual({ a: value })
  })

  test.each(['.set', '.set ', '.set a', '.add', '.add a', '.set\n', '.set\n\na'])(
    'answer %j with the usage line',
    async content => {
      const name = content.slice(0, 4).trim()
      expect((await inServer(content)).content).toBe(`Usage: \`${name} <key> <value…>\``)
      expect(await pairs()).toEqual({})
    },
  )

  test('refuse what REST refuses, in the same words', async () => {
    for (const [content, words] of [
      ['.set a-b c', 'key must be alphanumeric (a-zA-Z0-9_)'],
      [`.set ${'k'.repeat(256)} c`, 'key must be 255 characters or less'],
      ['.set é c', 'key must be alphanumeric (a-zA-Z0-9_)'],
    ] as const)
      expect((await inServer(content)).content).toBe(words)
    expect(await pairs()).toEqual({})
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 512 }, (_, i) => [`k${i}`, 'x'])))
    const headers = { authorization: await world.key(me) }
    expect((await world.get('/v1/users/@me/kv', { method: 'PATCH', body, headers })).status).toBe(204)
    expect((await inServer('.set more x')).content).toBe(
      'request would exceed key limit (512), please delete keys first',
    )
    expect((await inServer('.set k0 y')).content).toContain('k0')
    expect((await pairs()).k0).toBe('y')
  })

  test('reach sockets at once', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_id: me })
    await inServer('.set a b')
    expect((await client.next()).d.kv).toEqual({ a: 'b' })
    client.close()
  })
})

describe('.mset', () => {
  test('sets a pair a line, all or none', async () => {
    await inServer('.mset\na 1\nb  two words\n\n  c 3 ')
    expect(await pairs()).toEqual({ a: '1', b: ' two words', c: '3 ' })
    await inServer('.mset\na changed\nb-c 2')
    await inServer('.mset\na changed\nd')
    expect(await pairs()).toEqual({ a: '1', b: ' two words', c: '3 ' })
    expect((await inServer('.mset')).content).toStartWith('Usage: ')
  })

  test('is one update', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_id: me })
    await inServer('.mset\na 1\nb 2')
    expect((await client.soFar()).map(({ d }) => d.kv)).toEqual([{ a: '1', b: '2' }])
    client.close()
  })
})

describe('.get', () => {
  test('shows the value, defused', async () => {
    const value = `a \`b\` \`\`\`c\`\`\` @everyone @here <@${other}> <@!${other}> <@&1> <#1> e@f.example`
    await inDm(`.set a ${value}`)
    for (const ask of [inServer, inDm]) {
      const { content } = await ask('.get a')
      for (const harm of ['@everyone', '@here', `<@${other}>`, `<@!${other}>`, '<@&1>', '<#1>'])
        expect(content).not.toContain(harm)
      expect(content.replaceAll('\u200b', '')).toContain(value)
      expect(content.match(/```/g)).toHaveLength(2)
    }
    expect(await answer('kv get', { key: 'a' })).not.toContain('@everyone')
  })

  test('shows an empty value and one of blanks without harm', async () => {
    const headers = { authorization: await world.key(me) }
    for (const body of ['', ' ', '\n']) {
      await world.get('/v1/users/@me/kv/a', { method: 'PUT', body, headers })
      expect((await inServer('.get a')).content.length).toBeGreaterThan(0)
    }
  })

  test('links to what is too long for a message, and every message fits', async () => {
    const headers = { authorization: await world.key(me) }
    for (const body of [
      'x'.repeat(2001),
      'x'.repeat(30_000),
      '`'.repeat(1500),
      '@everyone'.repeat(300),
      '😀'.repeat(2000),
    ]) {
      await world.get('/v1/users/@me/kv/long', { method: 'PUT', body, headers })
      const { content } = await inServer('.get long')
      expect(content).toContain(`https://exoix.example/v1/users/${me}/kv/long`)
      expect(content.length).toBeLessThanOrEqual(2000)
      expect(await answer('kv get', { key: 'long' })).toContain(`https://exoix.example/v1/users/${me}/kv/long`)
    }
    await world.get('/v1/users/@me/kv/long', { method: 'PUT', body: 'y'.repeat(1900), headers })
    expect((await inServer('.get long')).content).toContain('y'.repeat(1900))
  })

  test('says when there is no such key, and how it is used', async () => {
    const { content } = await inServer('.get nothing')
    expect(content).toBe('Key does not exist')
    expect((await inServer('.get')).content).toBe('Usage: `.get <key>`')
    expect((await inServer('.get a b')).content).toBe('Usage: `.get <key>`')
  })

  test('shows one’s own pairs only', async () => {
    await world.ask(other, '.set theirs x')
    expect((await inServer('.get theirs')).content).toBe('Key does not exist')
  })
})

describe('.del and .kv', () => {
  test('delete and list, in any case', async () => {
    await inServer('.mset\nb 1\na 2')
    expect((await inServer('.KV')).content).toMatch(/a, b/)
    await inServer('.Del  a')
    expect(await pairs()).toEqual({ b: '1' })
    const { content } = await inServer(`.del @everyone\``)
    expect(content).not.toContain('``')
    expect((await inServer('.del')).content).toBe('Usage: `.del <key>`')
  })

  test('pages of a long list hold every key once, and each fits into a message', async () => {
    const names = Array.from({ length: 512 }, (_, i) => `key_${i}_${'x'.repeat(i % 7 === 0 ? 200 : 3)}`)
    const headers = { authorization: await world.key(me) }
    const body = JSON.stringify(Object.fromEntries(names.map(name => [name, ''])))
    await world.get('/v1/users/@me/kv', { method: 'PATCH', body, headers })
    const shown: string[] = []
    const first = await inServer('.kv')
    const count = Number(/page 1 of (\d+)/.exec(first.content)?.[1])
    for (let page = 1; page <= count; page++) {
      const { content } = await inServer(`.kv ${page}`)
      expect(content.length).toBeLessThanOrEqual(2000)
      shown.push(...(content.split('```')[1] ?? '').trim().split(', '))
    }
    expect(shown.toSorted()).toEqual(names.toSorted())
  })
})

describe('.help', () => {
  test('lists every command', async () => {
    const [embed] = (await inServer('.help')).message.embeds as { description: string }[]
    const description = embed?.description ?? ''
    for (const name of ['me', 'set', 'add', 'mset', 'get', 'del', 'kv', 'apikey', 'token', 'github', 'privacy', 'help'])
      expect(description).toContain(`.${name}`)
    expect(description).toStartWith(`Page: <https://exoix.example/?user=${me}>`)
  })
})

describe('a message', () => {
  test('that is no command of the bot’s stays unanswered', async () => {
    const before = said()
    const bot = world.simulator.world.bot.id
    for (const content of [
      'hello',
      '.',
      '..',
      '...',
      '.unknown',
      '.5 litres',
      '. set a b',
      ' .set a b',
      'x.set a b',
      '!set a b',
      '/set a b',
      '.setup',
      '.kvx',
      `<@${bot}> hello`,
      `hello <@${bot}> set a b`,
      `<@${other}> set a b`,
      `<@&${bot}> set a b`,
      '',
    ])
      world.simulator.sendMessage({ authorId: me, guildId: world.guildId, content })
    await nothingSaid(before)
    expect(await pairs()).toEqual({})
  })

  test('of a bot, a webhook or Discord itself is ignored, and so is an edit', async () => {
    const before = said()
    const { simulator, guildId } = world
    const robot = world.joinOnline({ bot: true })
    simulator.sendMessage({ authorId: robot, guildId, content: '.set a b' })
    simulator.sendMessage({ authorId: me, guildId, content: '.set a b', webhook_id: '123456789012345678' })
    simulator.sendMessage({ authorId: me, guildId, content: '.set a b', type: 7 })
    simulator.editMessage(simulator.sendMessage({ authorId: me, guildId, content: 'x' }).id, { content: '.set a b' })
    await nothingSaid(before)
    await world.settled()
    expect([await pairs(), await pairs(robot)]).toEqual([{}, {}])
  })

  test.each(['<@BOT> set a b', '<@!BOT> set a b', '<@BOT>   SET a b', '<@BOT>\nset a b', '<@BOT>set a b'])(
    'may begin with a mention instead of the prefix: %j',
    async content => {
      await inServer(content.replace('BOT', world.simulator.world.bot.id))
      expect(await pairs()).toEqual({ a: 'b' })
    },
  )

  test('is answered as a reply, in the same place', async () => {
    const { guildId, simulator } = world
    const asked = simulator.sendMessage({ authorId: me, guildId, content: '.set a b' })
    const { body, guildId: where } = await simulator.nextMessage()
    expect(where).toBe(guildId)
    expect(body.message_reference).toMatchObject({ message_id: asked.id })
    expect((await inDm('.get a')).userId).toBe(me)
  })

  test('that comes while Discord asks to slow down is answered all the same', async () => {
    world.simulator.restFails({ kind: 'rate limited', path: /\/messages$/, retryAfter: 0.05 })
    expect((await inServer('.set a b')).content).toContain('a')
    expect(await pairs()).toEqual({ a: 'b' })
  })
})

describe('slash commands', () => {
  test('are registered at start: these and no other', async () => {
    const { commands } = world.simulator.recorder.all('commands').at(-1) as { commands: Record<string, unknown>[] }
    const lines = commands.flatMap(({ name, options }) => {
      const list = (options ?? []) as { type: number; name: string; options?: { name: string }[] }[]
      const subcommands = list.filter(({ type }) => type === 1)
      if (subcommands.length === 0) return [[name, ...list.map(option => option.name)].join(' ')]
      return subcommands.map(subcommand =>
        [name, subcommand.name, ...(subcommand.options ?? []).map(option => option.name)].join(' '),
      )
    })
    expect(lines.toSorted()).toEqual(
      [
        'kv set key value',
        'kv get key',
        'kv list page',
        'kv delete key',
        'kv edit key',
        'apikey',
        'github connect username',
        'github verify',
        'github disconnect',
        'history on',
        'history off',
        'history delete',
        'privacy hide',
        'privacy show',
        'privacy delete',
        'privacy export',
        'help',
        'me',
        'Presence',
      ].toSorted(),
    )
  })

  test('set, get, list and delete pairs, for nobody else to see', async () => {
    const outcome = await slash('kv set', { key: 'a', value: '  b\nc ' })
    expect([outcome.type, outcome.data.flags]).toEqual([4, 64])
    expect(await pairs()).toEqual({ a: '  b\nc ' })
    expect(await answer('kv get', { key: 'a' })).toContain('b\nc')
    expect(await answer('kv list')).toContain('a')
    await answer('kv delete', { key: 'a' })
    expect(await pairs()).toEqual({})
    expect(await answer('kv set', { key: 'a-b', value: 'x' })).toBe('key must be alphanumeric (a-zA-Z0-9_)')
    expect((await slash('help')).data.flags).toBe(64)
  })

  test.each(['kv set', 'kv get', 'kv delete', 'kv edit'])('/%s completes keys', async command => {
    await inDm('.mset\nsong 1\nmood 2\nlong_song 3')
    const options = { key: 'so', ...(command === 'kv set' && { value: '' }) }
    const { type, data } = await world.simulator.interact({
      kind: 'autocomplete',
      userId: me,
      guildId: world.guildId,
      command,
      options,
      focused: 'key',
    })
    expect([type, (data.choices as { value: string }[]).map(({ value }) => value)]).toEqual([8, ['song', 'long_song']])
  })

  test('/kv edit opens a form with the value and stores what is sent', async () => {
    await inDm('.set a one\ntwo')
    const modal = await slash('kv edit', { key: 'a' })
    expect(modal.type).toBe(9)
    expect(JSON.stringify(modal.data)).toContain('one\\ntwo')
    const sent = await world.simulator.interact({
      kind: 'modal',
      userId: me,
      modal,
      fields: { value: 'three\n\nfour ' },
    })
    expect((await sent.reply()).content).toContain('a')
    expect(await pairs()).toEqual({ a: 'three\n\nfour ' })
  })

  test('work in direct messages too', async () => {
    const outcome = await world.simulator.interact({
      kind: 'command',
      userId: me,
      command: 'kv set',
      options: { key: 'a', value: 'b' },
    })
    expect(outcome.data.flags).toBe(64)
    expect(await pairs()).toEqual({ a: 'b' })
  })
})

describe('privacy', () => {
  test('/privacy hide takes somebody out of REST, sockets and quicklinks at once, until /privacy show', async () => {
    const client = await world.socket()
    await client.follow({ subscribe_to_all: true })
    const count = async () => (await world.json('/')).data.monitored_user_count
    const before = await count()
    const headers = { authorization: await world.key(me) }
    await answer('privacy hide')
    for (const path of [`/v1/users/${me}`, `/v1/users/${me}/kv`, `/v1/users/${me}/kv/a`, `/${me}.png`, `/user/${me}`]) {
      const { error } = await world.json(path)
      expect([path, error]).toEqual([
        path,
        { code: 'user_not_monitored', message: 'User is not being monitored by Exoix' },
      ])
    }
    expect(await count()).toBe(before - 1)
    expect((await world.get('/v1/users/@me/kv/a', { method: 'PUT', body: 'x', headers })).status).toBe(204)
    world.simulator.world.setPresence(me, { status: 'dnd' })
    await world.settled()
    expect(await client.soFar()).toEqual([])
    expect((await client.follow({ subscribe_to_ids: [me] })).d).toEqual({})
    await answer('privacy show')
    expect(await pairs()).toEqual({ a: 'x' })
    expect((await client.soFar()).map(({ d }) => [d.user_id, d.discord_status])).toEqual([[me, 'dnd']])
    expect((await world.get(`/${me}.png`)).status).toBe(200)
    expect(await count()).toBe(before)
    client.close()
  })

  test('of somebody hidden lasts through leaving and coming back', async () => {
    await inServer('.privacy hide')
    world.simulator.world.removeMember(world.guildId, me)
    world.simulator.world.addMember(world.guildId, me)
    await world.settled()
    expect((await world.get(`/v1/users/${me}`)).status).toBe(404)
  })

  test('/privacy delete asks, and its button erases pairs and keys; a member is shown like a newcomer', async () => {
    await inDm('.set a b')
    const key = await world.key(me)
    const message = await (await slash('privacy delete')).reply()
    expect(await pairs()).toEqual({ a: 'b' })
    const [row] = message.components as { components: { custom_id: string }[] }[]
    const customId = row?.components[0]?.custom_id as string
    const client = await world.socket()
    await client.follow({ subscribe_to_id: me })
    await (await world.simulator.interact({ kind: 'component', userId: me, message, customId })).reply()
    expect(await pairs()).toEqual({})
    expect((await client.soFar()).map(({ d }) => d.kv)).toEqual([{}])
    expect((await world.get('/v1/users/@me', { headers: { authorization: key } })).status).toBe(401)
    client.close()
  })

  test('.privacy delete confirm does the same', async () => {
    await inDm('.set a b')
    const key = await world.key(me)
    await inServer('.privacy delete')
    expect(await pairs()).toEqual({ a: 'b' })
    await inServer('.privacy delete confirm')
    expect(await pairs()).toEqual({})
    expect((await world.get('/v1/users/@me', { headers: { authorization: key } })).status).toBe(401)
  })
})

describe('a bot with settings of its own', () => {
  test('listens to another prefix', async () => {
    await using own = await startReadyWorld({ config: { commandPrefix: 'ex!' } })
    const { ada } = own.people
    own.simulator.sendMessage({ authorId: ada, guildId: own.guildId, content: '.set a dot' })
    await own.ask(ada, 'ex!set a b')
    expect((await own.json(`/v1/users/${ada}`)).data.kv).toEqual({ a: 'b' })
    expect(own.simulator.recorder.all('message')).toHaveLength(1)
  })

  test('serves without the privilege to read messages, and says so in its log', async () => {
    const lines: string[] = []
    await using own = await startReadyWorld({
      simulator: {
        applicationFlags: ApplicationFlag.gatewayPresenceLimited | ApplicationFlag.gatewayGuildMembersLimited,
      },
      log: createLog({ level: 'info', format: 'text', write: line => lines.push(line) }),
    })
    const { ada } = own.people
    const bot = own.simulator.world.bot.id
    own.simulator.sendMessage({ authorId: ada, guildId: own.guildId, content: '.set a unread' })
    await own.ask(ada, `<@${bot}> set b mention`, own.guildId)
    await own.ask(ada, '.set c dm')
    const slashed = { kind: 'command', userId: ada, guildId: own.guildId, command: 'kv set' } as const
    await own.simulator.interact({ ...slashed, options: { key: 'd', value: 'slash' } })
    expect((await own.json(`/v1/users/${ada}`)).data).toMatchObject({
      discord_status: 'online',
      kv: { b: 'mention', c: 'dm', d: 'slash' },
    })
    expect(lines.join('')).toMatch(/Message Content Intent/)
  })

  test('leaves commands to another copy when the setting says so', async () => {
    const config = { idempotencyKey: 'WHO=me' }
    await using quiet = await startReadyWorldWithout({ config, env: { WHO: 'other' } })
    quiet.simulator.sendMessage({ authorId: quiet.people.ada, content: '.set a b' })
    quiet.simulator.world.setPresence(quiet.people.ada, { status: 'dnd' })
    const client = await quiet.socket()
    const { d } = await client.follow({ subscribe_to_id: quiet.people.ada })
    if (d.discord_status !== 'dnd') await client.next()
    expect(quiet.simulator.recorder.all('message')).toEqual([])
    client.close()
    await using chosen = await startReadyWorld({ config, env: { WHO: 'me' } })
    await chosen.ask(chosen.people.ada, '.set a b')
    expect((await chosen.json(`/v1/users/${chosen.people.ada}`)).data.kv).toEqual({ a: 'b' })
  })
})

/** Ready, without commands to wait for. */
async function startReadyWorldWithout(options: Parameters<typeof startReadyWorld>[0]): Promise<World> {
  const started = await startWorld(options)
  await started.ready()
  return started
}
