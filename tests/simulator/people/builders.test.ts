import { describe, expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import {
  buildCustomStatus,
  buildGame,
  buildPresence,
  buildSpotify,
  buildUser,
  buildWatching,
} from '../../../src/simulator/people/builders.ts'
import { createRandom, createSnowflakes, shardKey } from '../../../src/simulator/random.ts'

const RECORDED = `${import.meta.dir}/../../../shared/fixtures/paicord`

/** The types of a value's fields, deep, so that two values of the same shape give the same. */
function shape(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    return Array.isArray(value) ? 'list' : typeof value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shape(inner)]))
}

describe.skipIf(!existsSync(RECORDED))('beside payloads recorded in 2026', () => {
  test('a user has every field, decorated ones the same inside', async () => {
    const recorded = await Bun.file(`${RECORDED}/member-user.2026-01.json`).json()
    const random = createRandom(1)
    const users = Array.from({ length: 200 }, (_, index) => buildUser(random, { id: `${index}` }))
    const { display_name: _, ...expected } = recorded
    for (const key of Object.keys(expected)) {
      const filled = users.find(user => user[key] !== null)
      expect({ [key]: shape(filled?.[key]) }).toEqual({ [key]: shape(recorded[key]) })
    }
  })

  test('a presence and its Spotify, game and browser activities have every field', async () => {
    const recorded = await Bun.file(`${RECORDED}/presence.2026-01.json`).json()
    const random = createRandom(1)
    const built = [buildSpotify(random, '1', 0), buildGame(random, 0), buildWatching(random, 0)]
    const presence: Record<string, unknown> = {
      user: { id: '1' },
      ...buildPresence({ status: 'dnd', activities: built }),
    }
    expect(Object.keys(presence).sort()).toEqual(Object.keys(recorded).sort())
    for (const [index, activity] of recorded.activities.entries()) {
      expect(shape(built[index])).toMatchObject(shape(activity) as object)
    }
    expect(shape(presence.game)).toEqual(shape(recorded.game))
  })
})

test('a song ends when it is over', () => {
  const activity = buildSpotify(createRandom(1), '5', 1000)
  const { start, end } = activity.timestamps as { start: number; end: number }
  expect(start).toBe(1000)
  expect(end).toBeGreaterThan(start + 60_000)
  expect(activity).toMatchObject({ id: 'spotify:1', party: { id: 'spotify:5' }, type: 2, flags: 48 })
})

test('somebody offline shows nothing', () => {
  const random = createRandom(1)
  const presence = buildPresence({ status: 'offline', activities: [buildCustomStatus(random, 0)] })
  expect(presence).toMatchObject({ status: 'offline', activities: [], client_status: {}, game: null })
})

test('the same seed gives the same numbers', () => {
  const draw = () => {
    const random = createRandom(42)
    return [random.next(), random.int(1, 6), random.hex(8), random.pick(['a', 'b', 'c'])]
  }
  expect(draw()).toEqual(draw())
})

test('ids grow, and spread over the shards', () => {
  const next = createSnowflakes(Date.UTC(2020, 0, 1))
  const ids = Array.from({ length: 4 }, () => next())
  expect(ids.map(id => shardKey(id) % 4).sort()).toEqual([0, 1, 2, 3])
  expect(BigInt(ids[3] as string) > BigInt(ids[0] as string)).toBe(true)
})
