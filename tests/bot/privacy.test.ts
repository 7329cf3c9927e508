import { afterEach, describe, expect, test } from 'bun:test'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { hashKey } from '../../src/domain/keys.ts'
import { systemClock } from '../../src/lib/clock.ts'
import type { BotMessage } from '../../src/simulator/recorder.ts'
import { issueKey } from '../support/keys.ts'
import { buttons, cleanUp, type HouseOptions, openHouse } from './support.ts'

afterEach(cleanUp)

async function withData(options?: HouseOptions) {
  const house = await openHouse(options)
  const [alice, bob] = house.people as [string, string]
  await house.kv.merge(alice, { a: '1', b: '2' })
  await house.kv.put(bob, 'c', '3')
  return { house, alice, bob, key: await issueKey(house.keys, alice), bobs: await issueKey(house.keys, bob) }
}

describe('.privacy hide', () => {
  test('takes the person out of every answer until .privacy show', async () => {
    const { house, alice, bob } = await withData()
    expect((await house.ask(alice, '.privacy hide')).content).toContain('`.privacy show`')
    expect([house.presences.has(alice), house.presences.has(bob)]).toEqual([false, true])
    await house.ask(alice, '.Privacy  SHOW')
    expect(house.presences.snapshot(alice)?.json).toContain('"kv":{"a":"1","b":"2"}')
  })

  test('says to who shows themselves that nobody sees them yet, where they are nobody who is monitored', async () => {
    const { house, alice } = await withData({ members: 'unknown' })
    expect((await house.ask(alice, '.privacy show')).content).toStartWith('You are not hidden, but nobody sees you yet')
  })

  test('works while the database refuses, and says that it is still to be written down', async () => {
    const wrapStore: HouseOptions['wrapStore'] = store => ({
      ...store,
      storeHidden: () => Promise.reject(storageUnavailable()),
    })
    const { house, alice } = await withData({ wrapStore })
    expect((await house.ask(alice, '.privacy hide')).content).toMatch(/^You are hidden.*written down yet/)
    expect(house.presences.has(alice)).toBe(false)
  })

  test.each([
    [0, /undoes it\.$/],
    [1, /1 other server could not be reached; you stop being shown there within a minute or so\.$/],
    [3, /3 other servers could not be reached; you stop/],
    [Number.POSITIVE_INFINITY, /Other servers cannot be reached; they are told as soon as they can\.$/],
  ])('says where else the person may be shown for a while: %d', async (unreached, expected) => {
    const { house, alice } = await withData()
    house.presences.copies.add({ spread: async () => {}, confirm: async () => unreached })
    expect((await house.ask(alice, '.privacy hide')).content).toMatch(expected)
    expect(house.presences.has(alice)).toBe(false)
  })

  test('leaves the person all commands', async () => {
    const { house, alice } = await withData()
    await house.ask(alice, '.privacy hide')
    await house.ask(alice, '.set a 3')
    expect((await house.ask(alice, '.get a')).content).toContain('3')
    const answer = await house.ask(alice, '.apikey', 'dm')
    expect(answer.message.embeds).toHaveLength(1)
  })
})

describe('.privacy delete', () => {
  test('asks first, and erases nothing', async () => {
    const { house, alice, key } = await withData()
    const answer = await house.ask(alice, '.privacy delete')
    expect(answer.content).toContain('2 pairs')
    expect(answer.content).toContain('`.privacy delete confirm`')
    expect([house.presences.kv(alice).size, house.keys.ownerOf(hashKey(key))]).toEqual([2, alice])
  })

  for (const confirm of ['confirm', 'CONFIRM ']) {
    test(`${confirm} erases everything of that person and of nobody else, and says what`, async () => {
      const { house, alice, bob, key, bobs } = await withData()
      const answer = await house.ask(alice, `.privacy delete ${confirm}`)
      expect(answer.content).toStartWith('Erased: 2 pairs, your API keys')
      expect(answer.content).toContain('`.privacy hide`')
      expect([house.presences.kv(alice).size, house.keys.ownerOf(hashKey(key))]).toEqual([0, undefined])
      expect([house.presences.kv(bob).size, house.keys.ownerOf(hashKey(bobs))]).toEqual([1, bob])
      expect(house.presences.has(alice)).toBe(true)
    })
  }

  test('keeps a hidden person hidden', async () => {
    const { house, alice } = await withData()
    await house.ask(alice, '.privacy hide')
    expect((await house.ask(alice, '.privacy delete confirm')).content).toContain('You stay hidden')
    expect(house.presences.has(alice)).toBe(false)
  })
})

test('what somebody asks for while they are being erased waits until they are told that it is done', async () => {
  const erased = Promise.withResolvers<void>()
  const wrapStore: HouseOptions['wrapStore'] = store => ({
    ...store,
    erase: userId => erased.promise.then(() => store.erase(userId)),
  })
  const { house, alice, bob } = await withData({ wrapStore })
  house.say(alice, '.privacy delete confirm')
  for (const typed of ['.set x y', '.history on', '.apikey']) house.say(alice, typed, 'dm')
  expect((await house.ask(bob, '.set x y')).content).toContain('was set')
  expect([house.history.isOn(alice), [...house.presences.kv(alice).keys()]]).toEqual([false, ['a', 'b']])
  erased.resolve()
  expect((await house.sim.nextMessage()).content).toStartWith('Erased: 2 pairs')
  await house.settled()
  expect([house.history.isOn(alice), [...house.presences.kv(alice)], house.keys.count(alice)]).toEqual([
    true,
    [['x', 'y']],
    1,
  ])
})

describe('the confirm button', () => {
  for (const way of ['typed', 'slash'] as const) {
    test(`erases for the person who asked (${way})`, async () => {
      const { house, alice, key } = await withData()
      const message =
        way === 'typed'
          ? (await house.ask(alice, '.privacy delete')).message
          : await (await house.slash(alice, 'privacy delete')).reply()
      const customId = buttons(message)[0]?.custom_id as string
      const pressed = await house.sim.interact({ kind: 'component', userId: alice, message, customId })
      expect(await pressed.reply()).toMatchObject({
        id: message.id,
        content: expect.stringContaining('Erased: 2 pairs'),
        components: [],
      })
      expect([house.presences.kv(alice).size, house.keys.ownerOf(hashKey(key))]).toEqual([0, undefined])
    })
  }

  test('does nothing for anybody else', async () => {
    const { house, alice, bob } = await withData()
    const { message } = await house.ask(alice, '.privacy delete')
    const customId = buttons(message)[0]?.custom_id as string
    const pressed = await house.sim.interact({ kind: 'component', userId: bob, message, customId })
    expect(pressed).toMatchObject({ type: 4, data: { flags: 64, content: 'That is not yours to press.' } })
    expect([house.presences.kv(alice).size, house.presences.kv(bob).size]).toEqual([2, 1])
  })

  test('expires after five minutes', async () => {
    let now = Date.now()
    const { house, alice, key } = await withData({ bot: { clock: { ...systemClock, now: () => now } } })
    const { message } = await house.ask(alice, '.privacy delete')
    const customId = buttons(message)[0]?.custom_id as string
    now += 5 * 60_000 + 1
    const pressed = await house.sim.interact({ kind: 'component', userId: alice, message, customId })
    expect(await pressed.reply()).toMatchObject({ content: expect.stringContaining('expired'), components: [] })
    expect([house.presences.kv(alice).size, house.keys.ownerOf(hashKey(key))]).toEqual([2, alice])
  })
})

describe('.privacy export', () => {
  const fileIn = ({ body }: BotMessage) => {
    const [file] = body.files as { filename: string; text: string }[]
    return { name: file?.filename, kept: JSON.parse(file?.text ?? '') }
  }

  test('in a direct message answers with all that is kept, and with no key', async () => {
    const { house, alice, key } = await withData()
    house.presences.patchPresence({
      user: { id: alice },
      guild_id: house.guildId,
      status: 'dnd',
      activities: [{ type: 0, name: 'Chess' }],
    })
    const answer = await house.ask(alice, '.privacy export', 'dm')
    const { name, kept } = fileIn(answer)
    expect(name).toBe(`exoix-${alice}.json`)
    expect(kept).toMatchObject({
      user_id: alice,
      hidden: false,
      user: { id: alice },
      status: 'dnd',
      activities: [{ name: 'Chess' }],
      servers: [{ id: house.guildId, nickname: null }],
      api_keys: 1,
      github: null,
      kv: { a: '1', b: '2' },
    })
    expect(answer.content).toContain('2 key-value pairs')
    expect(JSON.stringify(answer.body)).not.toContain(key.slice(6))
  })

  test('elsewhere goes by direct message, and nothing of it is said there', async () => {
    const { house, alice } = await withData()
    house.say(alice, '.privacy export')
    const direct = await house.sim.nextMessage(({ userId }) => userId === alice)
    const said = await house.sim.nextMessage(({ guildId }) => guildId !== null)
    expect(fileIn(direct).kept.kv).toEqual({ a: '1', b: '2' })
    expect([said.content, said.body.files]).toEqual(['It is in your direct messages.', undefined])
    const outcome = await house.slash(alice, 'privacy export')
    expect((await outcome.reply()).content).toBe('It is in your direct messages.')
    expect(house.written()).toHaveLength(3)
  })

  test('with closed direct messages says so; a slash command is answered with it, for nobody else to see', async () => {
    const { house, alice } = await withData()
    house.sim.closeDms(alice)
    expect((await house.ask(alice, '.privacy export')).content).toContain('`/privacy export`')
    const outcome = await house.slash(alice, 'privacy export')
    expect(outcome.data.flags).toBe(64)
    expect((await outcome.reply()).content).toContain('all that is kept of you')
  })

  test('tells people who are hidden or gone what is kept of them, too', async () => {
    const { house, alice, bob } = await withData()
    await house.ask(alice, '.privacy hide', 'dm')
    expect(fileIn(await house.ask(alice, '.privacy export', 'dm')).kept).toMatchObject({
      hidden: true,
      user: { id: alice },
    })
    house.presences.removeMember(house.guildId, bob)
    expect(fileIn(await house.ask(bob, '.privacy export', 'dm')).kept).toMatchObject({
      user: null,
      servers: [],
      kv: { c: '3' },
    })
  })

  test('names the address of pairs that are too large for a file', async () => {
    const { house, alice } = await withData()
    for (let part = 0; part < 2; part++) {
      const large = Array.from({ length: 30 }, (_, at) => [`k${part}_${at}`, 'x'.repeat(30_000)])
      await house.kv.merge(alice, Object.fromEntries(large))
    }
    const answer = await house.ask(alice, '.privacy export', 'dm')
    expect(answer.content).toContain(`<https://exoix.example/v1/users/${alice}/kv>`)
    expect(fileIn(answer).kept.kv).toContain(`/v1/users/${alice}/kv`)
  })
})
