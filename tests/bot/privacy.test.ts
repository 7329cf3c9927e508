import { afterEach, describe, expect, test } from 'bun:test'
import { hashKey } from '../../src/domain/keys.ts'
import { systemClock } from '../../src/lib/clock.ts'
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
