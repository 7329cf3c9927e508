import { afterEach, describe, expect, test } from 'bun:test'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey } from '../../src/domain/keys.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Store } from '../../src/store/sqlite.ts'
import { cleanUp, type House, openHouse } from './support.ts'

afterEach(cleanUp)

const EPHEMERAL = 64

/** What a command did to a person's data, and what it said, without what differs by way and person. */
async function effects(
  house: House,
  userId: string,
  said: { content: string; embeds?: unknown; components?: unknown },
) {
  await house.bot.idle()
  const text = JSON.stringify([said.content, said.embeds, said.components])
    .replaceAll(userId, '<id>')
    .replaceAll(/"title":"[a-z]+\\\\_[0-9a-f]+"/g, '<name>')
    .replaceAll(/exoix_[\w-]{43}/g, '<key>')
    .replaceAll(/\d{13}/g, '<time>')
    .replaceAll(/, or send `[^`]*`/g, '')
    .replaceAll(/[./](kv )?(set|get|privacy|apikey|github|history)/g, '<command> $2')
  const key = /exoix_[\w-]{43}/.exec(JSON.stringify(said))?.[0]
  return {
    pairs: Object.fromEntries(house.presences.kv(userId)),
    hidden: house.presences.isHidden(userId),
    validKey: key === undefined ? null : house.keys.ownerOf(hashKey(key)) === userId,
    text,
  }
}

describe('the same command typed and as a slash command', () => {
  const twins: [typed: string, slash: string, options?: Record<string, string | number>][] = [
    ['.set new some  text', 'kv set', { key: 'new', value: 'some  text' }],
    ['.add a 1', 'kv set', { key: 'a', value: '1' }],
    ['.set b-c 1', 'kv set', { key: 'b-c', value: '1' }],
    ['.get known', 'kv get', { key: 'known' }],
    ['.get unknown', 'kv get', { key: 'unknown' }],
    ['.get long', 'kv get', { key: 'long' }],
    ['.del known', 'kv delete', { key: 'known' }],
    ['.del unknown', 'kv delete', { key: 'unknown' }],
    ['.kv', 'kv list'],
    ['.kv 2', 'kv list', { page: 2 }],
    ['.apikey', 'apikey'],
    ['.github connect ada', 'github connect', { username: 'ada' }],
    ['.github connect @', 'github connect', { username: '@' }],
    ['.github verify', 'github verify'],
    ['.github disconnect', 'github disconnect'],
    ['.history on', 'history on'],
    ['.history off', 'history off'],
    ['.history delete', 'history delete'],
    ['.privacy hide', 'privacy hide'],
    ['.privacy show', 'privacy show'],
    ['.privacy delete', 'privacy delete'],
    ['.me', 'me'],
    ['.help', 'help'],
  ]
  for (const [typed, slash, options = {}] of twins) {
    test(`${typed} | /${slash} ${JSON.stringify(options)}`, async () => {
      const house = await openHouse()
      const [alice, bob] = house.people as [string, string]
      for (const id of [alice, bob]) await house.kv.merge(id, { known: '`value`', long: 'x'.repeat(5000) })
      const typedEffects = await effects(house, alice, (await house.ask(alice, typed, 'dm')).message)
      const outcome = await house.slash(bob, slash, options)
      expect(outcome).toMatchObject({ type: 4, data: { flags: EPHEMERAL, allowed_mentions: { parse: [] } } })
      expect(await effects(house, bob, await outcome.reply())).toEqual(typedEffects)
    })
  }

  test('is listed here for every command that has both forms', async () => {
    const house = await openHouse()
    const { commands } = await house.sim.next('commands')
    const paths = commands.flatMap(({ name, options }) => {
      const subcommands = ((options ?? []) as { type: number; name: string }[]).filter(({ type }) => type === 1)
      return subcommands.length === 0 ? [name] : subcommands.map(subcommand => `${name} ${subcommand.name}`)
    })
    // These have a way of their own to be answered: a form, a menu, a direct message.
    const both = paths.filter(path => !['kv edit', 'Presence', 'privacy export'].includes(String(path)))
    expect(new Set(twins.map(([, slash]) => slash))).toEqual(new Set(both as string[]))
  })
})

describe('registration', () => {
  test('happens once, and not again while nothing changed', async () => {
    const house = await openHouse()
    await house.bot.register(house.sim.account.applicationId)
    await house.bot.register(house.sim.account.applicationId)
    expect(house.sim.recorder.all('commands')).toHaveLength(1)
  })

  test('offers the commands in servers and in DMs with the bot, nowhere else', async () => {
    const house = await openHouse()
    const { commands } = await house.sim.next('commands')
    expect(commands.map(({ name }) => name)).toEqual([
      'me',
      'kv',
      'apikey',
      'github',
      'history',
      'privacy',
      'help',
      'Presence',
    ])
    for (const command of commands) expect(command).toMatchObject({ contexts: [0, 1], integration_types: [0] })
  })

  const changes: [what: string, change: (commands: Record<string, unknown>[]) => unknown][] = [
    ['a command is missing', commands => commands.pop()],
    ['there is one more', commands => commands.push({ name: 'old', description: 'Old', type: 1 })],
    ['a description differs', commands => Object.assign(commands[0] as object, { description: 'Other' })],
    ['an option is not completed any more', commands => delete firstOption(commands).autocomplete],
    ['an option has another limit', commands => Object.assign(firstOption(commands), { max_length: 3 })],
    ['a command is offered elsewhere', commands => Object.assign(commands[0] as object, { contexts: [0, 1, 2] })],
  ]
  for (const [what, change] of changes) {
    test(`happens when ${what}`, async () => {
      const house = await openHouse()
      const { applicationId } = house.sim.account
      const known = (await house.api.applicationCommands.getGlobalCommands(applicationId)) as never[]
      change(known)
      await house.api.applicationCommands.bulkOverwriteGlobalCommands(applicationId, known)
      await house.bot.register(applicationId)
      await house.bot.register(applicationId)
      expect(house.sim.recorder.all('commands')).toHaveLength(3)
    })
  }

  test('is tried again, ever more slowly, until Discord takes it', async () => {
    const waits: number[] = []
    const clock: Clock = {
      ...systemClock,
      after(ms, run) {
        waits.push(ms)
        return systemClock.after(0, run)
      },
    }
    const house = await openHouse({ register: false, bot: { clock } })
    house.sim.restFails({ kind: 500, times: 9, path: /\/commands$/ })
    await house.bot.register(house.sim.account.applicationId)
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 600, 600].map(seconds => seconds * 1000))
    expect(house.sim.recorder.all('commands')).toHaveLength(1)
    expect(house.logged.filter(line => line.includes('could not be registered'))).toHaveLength(9)
  })

  test.each([400, 403, 404])(
    'is not tried again once Discord refuses the commands (%i), and that is said once',
    async status => {
      const house = await openHouse({ register: false })
      house.sim.restFails({ kind: status, times: 9, path: /\/commands$/ })
      await house.bot.register(house.sim.account.applicationId)
      expect(house.sim.recorder.all('rest').filter(({ path }) => path.endsWith('/commands'))).toHaveLength(1)
      const said = house.logged.filter(line => line.includes('Discord refuses the slash commands'))
      expect(said).toHaveLength(1)
      expect(said[0]).toContain(`${status}: arranged by the test`)
    },
  )

  test('is given up when the bot stops', async () => {
    const stop = new AbortController()
    const house = await openHouse({ register: false, bot: { signal: stop.signal } })
    house.sim.restFails({ kind: 500, times: 100, path: /\/commands$/ })
    const registered = house.bot.register(house.sim.account.applicationId)
    await house.sim.next('rest', ({ path }) => path.endsWith('/commands'))
    stop.abort()
    await registered
    expect(house.sim.recorder.all('commands')).toEqual([])
  })
})

/** The first option of a command that is completed. */
function firstOption(commands: Record<string, unknown>[]): Record<string, unknown> {
  type Options = { options: Record<string, unknown>[]; name: string }[]
  const kv = commands.find(({ name }) => name === 'kv') as unknown as { options: Options }
  const subcommands = kv.options
  return subcommands.find(({ name }) => name === 'get')?.options[0] ?? {}
}

describe('completion', () => {
  async function offered(house: House, userId: string, typed: string, command = 'kv get') {
    const asked = { kind: 'autocomplete' as const, userId, guildId: house.guildId, command, focused: 'key' }
    const outcome = await house.sim.interact({ ...asked, options: { key: typed } })
    return (outcome.data.choices as { name: string; value: string }[]).map(({ value }) => value)
  }

  test('offers keys that start with what was typed, then those that contain it', async () => {
    const house = await openHouse()
    const [alice = '', bob = ''] = house.people
    await house.kv.merge(alice, { Song: '', song_2: '', my_song: '', other: '' })
    await house.kv.put(bob, 'song_of_bob', '')
    for (const command of ['kv get', 'kv delete', 'kv edit']) {
      expect(await offered(house, alice, 'so', command)).toEqual(['Song', 'song_2', 'my_song'])
    }
    expect(await offered(house, alice, '')).toEqual(['Song', 'my_song', 'other', 'song_2'])
    expect(await offered(house, alice, 'x'.repeat(6000))).toEqual([])
  })

  test('offers no more than Discord takes', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const names = Array.from({ length: 400 }, (_, index) => `key_${index}`)
    await house.kv.merge(alice, Object.fromEntries([...names, 'k'.repeat(101)].map(name => [name, '1'])))
    expect(await offered(house, alice, 'k')).toHaveLength(25)
    expect(await offered(house, alice, 'kk')).toEqual([])
  })

  test('that Discord does not take is no failed reply', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    house.sim.restFails({ kind: 500, path: /callback$/ })
    const asked = house.sim.interact({ kind: 'autocomplete', userId: alice, command: 'kv get', focused: 'key' })
    await house.sim.next('rest', ({ path }) => path.endsWith('/callback'))
    await house.bot.idle()
    expect(house.counter('bot_replies_failed_total')).toBe(0)
    asked.catch(() => {})
  })
})

describe('/kv edit', () => {
  test('opens a form with the value in it and stores what is sent', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    await house.kv.put(alice, 'text', 'old\nlines')
    const form = await house.slash(alice, 'kv edit', { key: 'text' })
    expect(form.type).toBe(9)
    expect(JSON.stringify(form.data)).toContain('old\\nlines')
    const value = `new\n\n${'l'.repeat(3990)} `
    const sent = await house.sim.interact({ kind: 'modal', userId: alice, modal: form, fields: { value } })
    expect(await sent.reply()).toMatchObject({ content: '`text` was set.', flags: EPHEMERAL })
    expect(house.presences.kv(alice).get('text')).toBe(value)
  })

  test('makes a new pair, and takes an empty value', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const form = await house.slash(alice, 'kv edit', { key: 'new' })
    await house.sim.interact({ kind: 'modal', userId: alice, modal: form, fields: { value: '' } })
    expect(house.presences.kv(alice).get('new')).toBe('')
  })

  test('says what to do with what no form can hold', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const long = 'k'.repeat(200)
    await house.kv.merge(alice, { big: 'v'.repeat(4001), [long]: '1' })
    const big = await (await house.slash(alice, 'kv edit', { key: 'big' })).reply()
    expect(big.content).toContain('4,001 characters')
    expect(big.content).toContain(`/v1/users/${alice}/kv/big`)
    const name = await (await house.slash(alice, 'kv edit', { key: long })).reply()
    expect(name.content).toContain('too long for a form')
    const wrong = await (await house.slash(alice, 'kv edit', { key: 'no:key' })).reply()
    expect(wrong.content).toBe('key must be alphanumeric (a-zA-Z0-9_)')
  })
})

/** A store whose writes wait for a signal. */
function slowStore() {
  const gate = Promise.withResolvers<void>()
  const wrapStore = (store: Store): Store => ({
    ...store,
    changePairs: async (...change) => {
      await gate.promise
      return store.changePairs(...change)
    },
    erase: async userId => {
      await gate.promise
      return store.erase(userId)
    },
  })
  return { open: gate.resolve, wrapStore }
}

describe('an answer that takes long', () => {
  test('is deferred and filled in', async () => {
    const { open, wrapStore } = slowStore()
    const house = await openHouse({ wrapStore, bot: { deferAfter: 1 } })
    const [alice = ''] = house.people
    const outcome = await house.slash(alice, 'kv set', { key: 'a', value: 'b' })
    expect(outcome).toMatchObject({ type: 5, data: { flags: EPHEMERAL } })
    open()
    expect((await outcome.reply()).content).toContain('`a` was set')
    expect(house.presences.kv(alice).get('a')).toBe('b')
  })

  test('under a button is deferred without a new message', async () => {
    const { open, wrapStore } = slowStore()
    const house = await openHouse({ wrapStore, bot: { deferAfter: 1 } })
    const [alice = ''] = house.people
    const asked = await house.slash(alice, 'privacy delete')
    const message = await asked.reply()
    const [row] = message.components as { components: { custom_id: string }[] }[]
    const customId = row?.components[0]?.custom_id as string
    const pressed = await house.sim.interact({ kind: 'component', userId: alice, message, customId })
    expect(pressed.type).toBe(6)
    open()
    expect(await pressed.reply()).toMatchObject({
      id: message.id,
      content: expect.stringContaining('Erased'),
      components: [],
    })
  })

  test('that comes too late for Discord is logged and counted, and what was asked is done', async () => {
    const { open, wrapStore } = slowStore()
    const house = await openHouse({ wrapStore, simulator: { interactionTimeoutMs: 1 } })
    const [alice = ''] = house.people
    const asked = house.slash(alice, 'kv set', { key: 'a', value: 'b' })
    await expect(asked).rejects.toThrow('did not respond')
    open()
    await house.settled()
    expect(house.presences.kv(alice).get('a')).toBe('b')
    expect(house.counter('bot_replies_failed_total')).toBe(1)
    expect(house.logged.join('')).toContain('Unknown interaction')
  })
})

describe('a slash command', () => {
  test('with more to say follows up', async () => {
    const house = await openHouse({
      wrapStore: store => ({ ...store, replaceKeys: () => Promise.reject(storageUnavailable()) }),
    })
    const [alice = ''] = house.people
    const outcome = await house.slash(alice, 'apikey')
    expect((await outcome.reply()).embeds).toHaveLength(1)
    const { content, message } = await outcome.nextFollowup()
    expect(content).toContain('could not be stored')
    expect(message.flags).toBe(EPHEMERAL)
  })

  test('says what is wrong in the words of the REST interface', async () => {
    const house = await openHouse({
      wrapStore: store => ({ ...store, changePairs: () => Promise.reject(storageUnavailable()) }),
    })
    const [alice = ''] = house.people
    const outcome = await house.slash(alice, 'kv set', { key: 'a', value: 'b' })
    expect((await outcome.reply()).content).toBe('The change could not be stored; nothing was changed')
  })

  test('that is not known any more is answered all the same', async () => {
    const house = await openHouse()
    const [alice = ''] = house.people
    const old = [{ name: 'old', description: 'Old' }]
    await house.api.applicationCommands.bulkOverwriteGlobalCommands(house.sim.account.applicationId, old)
    expect((await (await house.slash(alice, 'old')).reply()).content).toContain('/help')
  })

  test('of somebody who sends too many is ignored after one notice', async () => {
    const house = await openHouse({
      bot: { clock: { ...systemClock, monotonic: () => 0 } },
      simulator: { interactionTimeoutMs: 1000 },
    })
    const [alice = ''] = house.people
    for (let count = 0; count < 30; count++) await house.slash(alice, 'kv get', { key: 'a' })
    expect((await (await house.slash(alice, 'help')).reply()).content).toStartWith('Slow down')
    await expect(house.slash(alice, 'help')).rejects.toThrow('did not respond')
  })
})
