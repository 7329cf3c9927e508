import { afterEach, describe, expect, test } from 'bun:test'
import { hashKey } from '../../src/domain/keys.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { issueKey } from '../support/keys.ts'
import { cleanUp, openHouse } from './support.ts'

afterEach(cleanUp)

/** Nothing is waited for. */
const hasty: Clock = { ...systemClock, after: (_, run) => systemClock.after(0, run) }

async function stopping() {
  const stop = new AbortController()
  const house = await openHouse({ bot: { signal: stop.signal, clock: hasty, deferAfter: 60_000 } })
  const [alice, bob] = house.people as [string, string]
  return { house, alice, bob, stop }
}

describe('a bot that stops', () => {
  const waiting: [what: string, content: string, place: 'guild' | 'dm'][] = [
    ['a reply', '.set a b', 'guild'],
    ['an introduction', 'hello', 'dm'],
  ]
  for (const [what, content, place] of waiting) {
    test(`does not wait for ${what} that Discord lets wait for an hour`, async () => {
      const { house, alice, stop } = await stopping()
      house.sim.restFails({ kind: 'rate limited', path: /\/messages$/, retryAfter: 3600 })
      house.say(alice, content, place)
      await house.sim.next('rest', ({ path }) => path.endsWith('/messages'))
      stop.abort()
      await house.bot.idle()
      expect(house.written()).toEqual([])
      expect(house.counter('bot_replies_failed_total')).toBe(1)
    })
  }

  test('gives nobody a key that could not be delivered: the old one stays', async () => {
    const { house, alice, stop } = await stopping()
    const old = await issueKey(house.keys, alice)
    house.sim.restFails({ kind: 'rate limited', path: /\/messages$/, retryAfter: 3600 })
    house.say(alice, '.apikey', 'dm')
    await house.sim.next('rest', ({ path }) => path.endsWith('/messages'))
    expect(house.keys.ownerOf(hashKey(old))).toBeUndefined()
    stop.abort()
    await house.bot.idle()
    expect(house.keys.ownerOf(hashKey(old))).toBe(alice)
  })

  test('takes nothing on any more', async () => {
    const { house, alice, stop } = await stopping()
    stop.abort()
    house.say(alice, '.set a b')
    await house.settled()
    expect([house.written(), house.presences.kv(alice).size]).toEqual([[], 0])
  })
})
