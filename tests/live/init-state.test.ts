import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { type InitialState, InitialStates, type Making } from '../../src/live/init-state.ts'
import { Publisher } from '../../src/live/publisher.ts'
import { inflateWhole, join, setNumber } from './support.ts'

function start(people: number) {
  const presences = new PresenceStore()
  for (let id = 1; id <= people; id++) join(presences, String(id))
  const publisher = new Publisher({ presences })
  const states = new InitialStates(presences, publisher)
  presences.onChange(change => states.changed(change))
  return { presences, publisher, states }
}

const parse = ({ data }: InitialState) => JSON.parse(typeof data === 'string' ? data : inflateWhole(Buffer.from(data)))

const shown = (presences: PresenceStore, ids: Iterable<string>) =>
  Object.fromEntries(
    [...ids].flatMap(id => {
      const snapshot = presences.snapshot(id)
      return snapshot === undefined ? [] : [[id, JSON.parse(snapshot.json)]]
    }),
  )

/** Advances to the end, one part at a time; calls back between two. */
function finish(making: Making, between: () => void = () => {}): number {
  let parts = 1
  for (; !making.advance(0); parts++) between()
  return parts
}

const change = fc.record({
  kind: fc.constantFrom('write', 'leave', 'join', 'hide', 'show'),
  id: fc.integer({ min: 1, max: 120 }).map(String),
})

function apply(presences: PresenceStore, { kind, id }: { kind: string; id: string }, n: number): void {
  if (kind === 'write') setNumber(presences, id, n)
  if (kind === 'leave') presences.removeMember('1', id)
  if (kind === 'join') join(presences, id)
  if (kind === 'hide' || kind === 'show') presences.setHidden(id, kind === 'hide')
}

describe.each([
  ['plain', false],
  ['compressed', true],
])('a large INIT_STATE, %s,', (_, zlib) => {
  test('shows everybody as they are when it is given, whatever changes while it is made', () => {
    fc.assert(
      fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 12 }), rounds => {
        const { presences, states } = start(100)
        const making = states.begin(zlib, { kind: 'followAll' })
        let n = 0
        let round = 0
        finish(making, () => {
          for (const change of rounds[round++] ?? []) apply(presences, change, n++)
        })
        expect(parse(making.state(0)).d).toEqual(shown(presences, presences.ids()))
      }),
      { numRuns: 60 },
    )
  })

  test('shows those who were asked for and nobody else', () => {
    const { presences, states } = start(100)
    const ids = Array.from({ length: 60 }, (_, at) => String(2 * at + 2))
    const making = states.begin(zlib, { kind: 'followMany', ids })
    let n = 0
    finish(making, () => {
      setNumber(presences, '2', n++)
      join(presences, String(1000 + n))
      if (n === 2) presences.removeMember('1', '4')
    })
    const { d } = parse(making.state(0))
    expect(d).toEqual(shown(presences, ids))
    expect(Object.keys(d)).not.toContain('4')
  })

  test('is made a few people at a time, and only those anew who have changed', () => {
    const { presences, states } = start(160)
    const asked: string[] = []
    const snapshot = presences.snapshot.bind(presences)
    Object.assign(presences, {
      snapshot(id: string) {
        asked.push(id)
        return snapshot(id)
      },
    })
    const making = states.begin(zlib, { kind: 'followAll' })
    expect(finish(making)).toBe(10)
    expect(asked).toHaveLength(160)
    asked.length = 0
    setNumber(presences, '40', 1)
    setNumber(presences, '41', 1)
    expect(finish(making)).toBe(1)
    expect(asked).toHaveLength(16)
  })

  test('is shared until something changes, but not with a socket that has seen a larger number', () => {
    const { presences, publisher, states } = start(20)
    const making = states.begin(zlib, { kind: 'followAll' })
    expect(states.begin(zlib, { kind: 'followAll' })).toBe(making)
    finish(making)
    const first = making.state(0)
    expect(making.state(0)).toBe(first)
    const second = making.state(publisher.next())
    expect(second.seq).toBeGreaterThan(first.seq + 1)
    setNumber(presences, '3', 7)
    finish(making)
    expect(parse(making.state(0)).d['3'].kv).toEqual({ n: '7' })
    states.forget()
    expect(states.begin(zlib, { kind: 'followAll' })).not.toBe(making)
  })

  test('of nobody is an empty map', () => {
    const making = start(0).states.begin(zlib, { kind: 'followAll' })
    finish(making)
    expect(parse(making.state(0)).d).toEqual({})
  })
})
