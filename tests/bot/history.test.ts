import { afterEach, describe, expect, test } from 'bun:test'
import { storageUnavailable } from '../../src/domain/errors.ts'
import { cleanUp, type House, type HouseOptions, openHouse } from './support.ts'

afterEach(cleanUp)

async function withAlice(options?: HouseOptions) {
  const house = await openHouse(options)
  const [alice, bob] = house.people as [string, string]
  return { house, alice, bob }
}

/** Somebody plays something, and stops. */
function play(house: House, userId: string, name: string): void {
  for (const activities of [[{ type: 0, name }], []])
    house.presences.patchPresence({ user: { id: userId }, guild_id: house.guildId, status: 'online', activities })
}

const played = (house: House, userId: string) =>
  JSON.parse(house.history.page(userId, { limit: 50, before: Number.POSITIVE_INFINITY })).activities.map(
    ({ name }: { name: string }) => name,
  )

describe('.history', () => {
  test('on keeps what that person does from then on, of nobody else, and says where it is', async () => {
    const { house, alice, bob } = await withAlice()
    play(house, alice, 'before')
    const { content } = await house.ask(alice, '.history on')
    expect(content).toStartWith('From now on what you hear and do is kept, for 30 days')
    expect(content).toContain(`<https://exoix.example/v1/users/${alice}/history>`)
    expect(content).toContain('`.history off`')
    play(house, alice, 'Chess')
    play(house, bob, 'Go')
    expect(played(house, alice)).toEqual(['Chess'])
    expect(house.history.isOn(bob)).toBe(false)
  })

  test('on goes on when it is on already', async () => {
    const { house, alice } = await withAlice()
    await house.ask(alice, '.history on')
    play(house, alice, 'Chess')
    expect((await house.ask(alice, '.history on')).content).toContain('kept already')
    expect(played(house, alice)).toEqual(['Chess'])
  })

  test('delete erases what there is and goes on', async () => {
    const { house, alice } = await withAlice()
    await house.ask(alice, '.history on')
    play(house, alice, 'Chess')
    expect((await house.ask(alice, '.history delete')).content).toContain('erased')
    play(house, alice, 'Go')
    expect(played(house, alice)).toEqual(['Go'])
  })

  test('off erases what there is and ends it', async () => {
    const { house, alice } = await withAlice()
    await house.ask(alice, '.history on')
    play(house, alice, 'Chess')
    expect((await house.ask(alice, '.history off')).content).toContain('erased')
    play(house, alice, 'Go')
    expect(house.history.isOn(alice)).toBe(false)
    await house.ask(alice, '.history on')
    expect(played(house, alice)).toEqual([])
  })

  for (const word of ['off', 'delete']) {
    test(`${word} says when there was none`, async () => {
      const { house, alice } = await withAlice()
      expect((await house.ask(alice, `.history ${word}`)).content).toBe('No history of yours was kept.')
      expect(house.history.isOn(alice)).toBe(false)
    })
  }

  test('that could not be stored changes nothing, and says so', async () => {
    const wrapStore: HouseOptions['wrapStore'] = store => ({
      ...store,
      storeConsent: () => Promise.reject(storageUnavailable()),
    })
    const { house, alice } = await withAlice({ wrapStore })
    expect((await house.ask(alice, '.history on')).content).toBe(storageUnavailable().message)
    expect(house.history.isOn(alice)).toBe(false)
  })

  test('is erased with everything else, and its consent ends', async () => {
    const { house, alice } = await withAlice()
    await house.ask(alice, '.history on')
    play(house, alice, 'Chess')
    await house.ask(alice, '.privacy delete confirm')
    expect(house.history.isOn(alice)).toBe(false)
    expect(house.store.loadPast(alice)).toEqual([])
  })

  test('is part of what is exported', async () => {
    const { house, alice } = await withAlice()
    await house.ask(alice, '.history on')
    play(house, alice, 'Chess')
    const { body } = await house.ask(alice, '.privacy export', 'dm')
    const [file] = body.files as { text: string }[]
    expect(JSON.stringify(JSON.parse(file?.text ?? '').history)).toContain('Chess')
  })
})
