import { describe, expect, test } from 'bun:test'
import { DiscordProfiles } from '../../src/discord/profiles.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Change } from '../../src/domain/presences.ts'
import type { ProfileStore, StoredProfile } from '../../src/domain/profiles.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { silent } from '../support/app.ts'
import { createManualClock } from './clocks.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const CAT = '100000000000000003'
const BANNER = '0123456789abcdef0123456789abcdef'
const HOUR = 3_600_000
const SHOWN = { banner: BANNER, accent_color: 0x336699 }
const NONE = { banner: null, accent_color: null }

type Told = object | null | Error

interface World {
  store?: Partial<ProfileStore>
  told?: (id: string) => Told | Promise<Told>
  /** What the wall clock says. */
  wall?: () => number
}

/** Ann, Ben and Cat, whose profiles Discord tells on a clock that stands still. */
function open({ store = {}, told = () => SHOWN, wall }: World = {}) {
  const manual = createManualClock()
  const clock = { ...manual, now: wall ?? manual.now }
  const presences = new PresenceStore(clock)
  for (const id of [ANN, BEN, CAT]) join(presences, id)
  const asked: string[] = []
  const stored: StoredProfile[] = []
  const rest = {
    async look(path: string, options?: { authorized?: boolean }) {
      const id = path.replace('/users/', '')
      asked.push(id)
      expect(options).toEqual({ authorized: true })
      const answer = await told(id)
      if (answer instanceof Error) throw answer
      if (answer === null) return { status: 404, body: { code: 10_013, message: 'Unknown User' } }
      return { status: 200, body: { id, username: 'x', ...answer } }
    },
  }
  const profileStore = { loadProfiles: () => [], storeProfile: async (one: StoredProfile) => void stored.push(one) }
  const profiles = new DiscordProfiles({
    rest,
    store: { ...profileStore, ...store },
    presences,
    metrics: createMetrics(),
    log: silent,
    clock,
  })
  const changes: Change[] = []
  presences.onChange(change => changes.push(change))
  return {
    clock,
    presences,
    profiles,
    asked,
    stored,
    changes,
    user: (id: string) => JSON.parse(presences.snapshot(id)?.json ?? 'null')?.discord_user as Record<string, unknown>,
    /** Lets time pass, and everything happen that follows from it. */
    async pass(ms: number) {
      for (let left = ms; left >= 0; left -= 1000) {
        for (let turn = 0; turn < 5; turn++) await Promise.resolve()
        clock.advance(Math.min(1000, left))
      }
      for (let turn = 0; turn < 5; turn++) await Promise.resolve()
    },
  }
}

function join(presences: PresenceStore, id: string, user: object = {}): void {
  presences.putMember('1', { user: { id, username: 'x', avatar: null, ...user } }, { status: 'online' })
}

describe('the profile of somebody who is looked at', () => {
  test('is asked for, shown and kept, and told as one change', async () => {
    const { profiles, pass, asked, user, changes, stored } = open()
    expect(user(ANN)).not.toHaveProperty('banner')
    profiles.looked(ANN)
    await pass(1000)
    expect(asked).toEqual([ANN])
    expect(user(ANN)).toMatchObject(SHOWN)
    expect(user(BEN)).not.toHaveProperty('banner')
    expect(changes).toEqual([expect.objectContaining({ id: ANN, kind: 'changed' })])
    expect(stored).toEqual([{ userId: ANN, ...SHOWN, checkedAt: expect.any(Number) }])
  })

  test('is asked for again after six hours, if somebody still looks', async () => {
    const { profiles, pass, asked } = open()
    profiles.looked(ANN)
    profiles.looked(BEN)
    for (let hours = 0; hours < 5.5; hours += 0.5) {
      await pass(HOUR / 2)
      profiles.looked(ANN)
    }
    expect(asked).toEqual([ANN, BEN])
    await pass(HOUR)
    expect(asked).toEqual([ANN, BEN, ANN])
  })

  test('is told of only when it is another', async () => {
    let profile: object = SHOWN
    const { profiles, pass, asked, user, changes } = open({ told: () => profile })
    for (let hours = 0; hours < 7; hours += 0.5) {
      profiles.looked(ANN)
      await pass(HOUR / 2)
    }
    expect([asked.length, changes.length]).toEqual([2, 1])
    profile = NONE
    for (let hours = 0; hours < 6; hours += 0.5) {
      profiles.looked(ANN)
      await pass(HOUR / 2)
    }
    expect(user(ANN)).toMatchObject(NONE)
    expect([asked.length, changes.length]).toEqual([3, 2])
  })

  test.each<[string, Told]>([
    ['there is nothing', NONE],
    ['what it says is no picture and no colour', { banner: '../x', accent_color: 2 ** 24 }],
    ['it is unknown', null],
  ])('is null where %s, which is no change that anybody is told of', async (_, told) => {
    const { profiles, pass, user, changes, presences } = open({ told: () => told })
    const details: unknown[] = []
    presences.onDetail(id => details.push(id))
    profiles.looked(ANN)
    await pass(1000)
    expect(user(ANN)).toMatchObject(NONE)
    expect(changes).toEqual([])
    // Copies elsewhere have to hear of it all the same.
    expect(details).toEqual([ANN])
  })

  test('is asked for in time when somebody sets the wall clock, back or forward', async () => {
    let wall = 10 * HOUR
    const loadProfiles = () => [{ userId: BEN, ...SHOWN, checkedAt: wall - HOUR }]
    const { profiles, pass, asked } = open({ wall: () => wall, store: { loadProfiles } })
    for (const set of [5 * HOUR, 100 * HOUR]) {
      wall = set
      profiles.looked(ANN)
      profiles.looked(BEN)
      await pass(HOUR / 2)
    }
    expect(asked).toEqual([ANN])
    for (let hours = 1; hours < 7; hours += 0.5) {
      for (const id of [ANN, BEN]) profiles.looked(id)
      await pass(HOUR / 2)
    }
    expect(asked).toEqual([ANN, BEN, ANN])
  })

  test('is asked for one person a second', async () => {
    const { profiles, pass, asked } = open()
    for (const id of [ANN, BEN, CAT]) profiles.looked(id)
    await pass(1999)
    expect(asked).toHaveLength(1)
    await pass(1)
    expect(asked).toHaveLength(2)
    await pass(1000)
    expect(new Set(asked)).toEqual(new Set([ANN, BEN, CAT]))
  })

  test('is asked for at once when they have another avatar, before others', async () => {
    const { profiles, pass, asked, presences, clock } = open()
    profiles.looked(ANN)
    await pass(2000)
    for (const id of [BEN, CAT]) profiles.looked(id)
    presences.patchPresence({ user: { id: ANN, avatar: BANNER } })
    await pass(1000)
    clock.advance(1000)
    await pass(1000)
    expect(asked.slice(0, 3)).toContain(ANN)
    expect(asked.filter(id => id === ANN)).toHaveLength(2)
  })

  test('is not asked for again within minutes when Discord fails, and others wait a while', async () => {
    const { profiles, pass, asked } = open({ told: () => new Error('no connection') })
    profiles.looked(ANN)
    await pass(1000)
    profiles.looked(BEN)
    await pass(9000)
    expect(asked).toEqual([ANN])
    await pass(2000)
    expect(asked).toEqual([ANN, BEN])
    await pass(4 * 60_000)
    expect(asked).toHaveLength(2)
  })

  test('outlives what the gateway tells of the user, which has none', async () => {
    const { profiles, pass, user, presences, changes } = open()
    profiles.looked(ANN)
    await pass(1000)
    join(presences, ANN)
    expect(changes).toHaveLength(1)
    presences.patchPresence({ user: { id: ANN, username: 'ann' } })
    join(presences, ANN, { username: 'anna' })
    expect(user(ANN)).toMatchObject({ username: 'anna', ...SHOWN })
    expect(changes).toHaveLength(3)
  })

  test('comes back with somebody who was away', async () => {
    const { profiles, pass, user, presences, asked } = open()
    profiles.looked(ANN)
    await pass(1000)
    presences.removeMember('1', ANN)
    join(presences, ANN)
    profiles.looked(ANN)
    expect(user(ANN)).toMatchObject(SHOWN)
    await pass(HOUR)
    expect(asked).toEqual([ANN])
  })
})

describe('nobody asks', () => {
  test('about people nobody looks at, unknown ones, and hidden ones', async () => {
    const { profiles, pass, asked, presences } = open()
    presences.setHidden(BEN, true)
    for (const id of [BEN, '999999999999999999', 'x']) profiles.looked(id)
    await pass(HOUR)
    expect(asked).toEqual([])
  })

  test('about somebody who hides before it is their turn, and what is told of them is not taken', async () => {
    const answer = Promise.withResolvers<Told>()
    const { profiles, pass, asked, presences, user, stored } = open({ told: () => answer.promise })
    profiles.looked(ANN)
    profiles.looked(BEN)
    await pass(1000)
    presences.setHidden(ANN, true)
    presences.setHidden(BEN, true)
    answer.resolve(SHOWN)
    await pass(5000)
    expect(asked).toEqual([ANN])
    presences.setHidden(ANN, false)
    expect(user(ANN)).not.toHaveProperty('banner')
    expect(stored).toEqual([])
  })

  test('after everything has stopped', async () => {
    const { profiles, asked, clock } = open()
    profiles.stop()
    profiles.looked(ANN)
    expect([asked, clock.pending()]).toEqual([[], 0])
  })
})

describe('what Discord told before', () => {
  const now = createManualClock().now()

  test('is there at once after a restart, and asked for when it is six hours old', async () => {
    const loadProfiles = () => [
      { userId: ANN, ...SHOWN, checkedAt: now - HOUR },
      { userId: BEN, ...SHOWN, checkedAt: now - 6 * HOUR },
    ]
    const { profiles, pass, asked, presences } = open({ store: { loadProfiles } })
    for (const id of [ANN, BEN]) profiles.looked(id)
    const shown = [ANN, BEN].map(id => JSON.parse(presences.snapshot(id)?.json ?? '').discord_user)
    expect(shown).toMatchObject([SHOWN, SHOWN])
    await pass(HOUR / 2)
    expect(asked).toEqual([BEN])
  })

  test('is forgotten with somebody who is erased', async () => {
    const { profiles, pass, presences, user, asked } = open()
    profiles.looked(ANN)
    await pass(1000)
    presences.forget(ANN)
    profiles.forget(ANN)
    expect(user(ANN)).not.toHaveProperty('banner')
    expect(user(ANN)).not.toHaveProperty('accent_color')
    profiles.looked(ANN)
    await pass(1000)
    expect(asked).toEqual([ANN, ANN])
  })
})
