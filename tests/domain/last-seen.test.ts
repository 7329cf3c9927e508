import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PresenceStore } from '../../src/domain/presence-store.ts'

const HOUR = 3_600_000

/** Ada, online in the guild `g` at 12 o'clock, and a clock whose hands the test turns. */
function setup() {
  const clock = { time: 12 * HOUR, now: () => clock.time }
  const store = new PresenceStore(clock)
  let changes = 0
  store.onChange(() => changes++)
  store.putMember('g', { user: { id: '1' } }, { status: 'online' })
  return {
    clock,
    store,
    changes: () => changes,
    tell: (status: unknown, more: object = {}) => store.patchPresence({ user: { id: '1' }, status, ...more }),
    seen: () => JSON.parse(store.snapshot('1')?.json ?? '{}').last_seen_at,
  }
}

describe('when somebody was last seen', () => {
  test('is the moment they went offline, and null while they are online', () => {
    const { clock, tell, seen } = setup()
    expect(seen()).toBeNull()
    clock.time += 5
    tell('offline')
    expect(seen()).toBe(12 * HOUR + 5)
    tell('idle')
    expect(seen()).toBeNull()
    clock.time += 5
    tell('invisible')
    expect(seen()).toBe(12 * HOUR + 10)
  })

  test('stays when they are told to be offline again, by whichever guild, and nobody hears of that', () => {
    const { clock, store, tell, seen, changes } = setup()
    store.putMember('h', { user: { id: '1' } })
    tell('offline', { guild_id: 'g' })
    const before = [seen(), changes()]
    store.drainDirty()
    clock.time += HOUR
    tell('offline', { guild_id: 'h' })
    tell('offline')
    store.putMember('g', { user: { id: '1' } }, 'offline')
    expect([seen(), changes()]).toEqual(before)
    expect(store.drainDirty().size).toBe(0)
  })

  test('survives other changes of them: their name, their pairs, a guild they leave', () => {
    const { clock, store, tell, seen } = setup()
    store.putMember('h', { user: { id: '1' } })
    tell('offline')
    clock.time += HOUR
    store.patchPresence({ user: { id: '1', username: 'countess' } })
    store.setKv('1', new Map([['a', 'b']]))
    store.removeMember('g', '1')
    expect(seen()).toBe(12 * HOUR)
  })

  test('is unknown of who joins offline, of who was found offline in a list, and of who came back', () => {
    const { store, tell, seen } = setup()
    store.putMember('g', { user: { id: '2' } })
    expect(store.person('2')?.lastSeenAt).toBeNull()
    store.putMember('g', { user: { id: '1' } }, 'offline')
    expect(seen()).toBeNull()
    tell('online')
    store.putMember('g', { user: { id: '1' } }, { status: 'offline' })
    expect(seen()).toBeNull()
    tell('online')
    tell('offline')
    store.removeMember('g', '1')
    store.putMember('g', { user: { id: '1' } })
    expect(seen()).toBeNull()
  })

  test('is what Discord says of an update that comes late, within what it can replay and never in the future', () => {
    const { clock, tell, seen } = setup()
    const offlineAt = (at: unknown) => {
      tell('online')
      tell('offline', { processed_at_timestamp: at })
      return seen()
    }
    const now = clock.time
    expect(offlineAt(now - 90_000.5)).toBe(now - 90_001)
    for (const at of [now + 1, now - HOUR - 1, 1, Number.NaN, Number.POSITIVE_INFINITY, -1e300, '5', null, {}])
      expect([at, offlineAt(at)]).toEqual([at, now])
  })

  test('is forgotten by who hides, and by no one noted while they are hidden', () => {
    const { clock, store, tell, seen } = setup()
    tell('offline')
    store.setHidden('1', true)
    store.setHidden('1', false)
    expect(seen()).toBeNull()
    tell('online')
    store.setHidden('1', true)
    tell('offline')
    store.setHidden('1', false)
    expect(seen()).toBeNull()
    tell('online')
    clock.time += 7
    tell('offline')
    expect(seen()).toBe(12 * HOUR + 7)
  })

  test('is not put back for somebody who is hidden, and what was saved of it is to be written over', () => {
    const { store, tell } = setup()
    tell('offline')
    const saved = structuredClone(store.person('1'))
    if (saved === undefined) throw new Error('nobody')
    const next = new PresenceStore()
    next.setHidden('1', true)
    next.restore(saved)
    expect(next.drainDirty().get('1')?.lastSeenAt).toBeNull()
    next.setHidden('1', false)
    expect(next.person('1')?.lastSeenAt).toBeNull()
  })

  test('goes with their pairs when they are erased, as one change', () => {
    const { store, tell, seen, changes } = setup()
    store.setKv('1', new Map([['a', 'b']]))
    tell('offline')
    const before = changes()
    store.forget('1')
    expect([seen(), store.kv('1').size, changes() - before]).toEqual([null, 0, 1])
  })

  test('is told exactly of those who are offline, whatever happens', () => {
    const event = fc.oneof(
      fc.record({
        status: fc.constantFrom('online', 'idle', 'offline', 'invisible', null, 7),
        at: fc.oneof(fc.integer(), fc.integer({ min: 10 * HOUR, max: 14 * HOUR })),
      }),
      fc.constantFrom('hide', 'show', 'list', 'leave', 'join', 'erase'),
    )
    fc.assert(
      fc.property(fc.array(event), events => {
        const { clock, store, tell, seen } = setup()
        for (const step of events) {
          clock.time += 10
          if (typeof step === 'object') tell(step.status, { processed_at_timestamp: step.at })
          else if (step === 'hide' || step === 'show') store.setHidden('1', step === 'hide')
          else if (step === 'leave') store.removeMember('g', '1')
          else if (step === 'erase') store.forget('1')
          else store.putMember('g', { user: { id: '1' } }, step === 'list' ? 'offline' : { status: 'dnd' })
          const person = store.person('1')
          if (person === undefined || seen() === null) continue
          expect(person.presence.status).toBe('offline')
          expect(seen()).toBeGreaterThan(11 * HOUR)
          expect(seen()).toBeLessThanOrEqual(clock.time)
        }
      }),
    )
  })
})
