import { describe, expect, test } from 'bun:test'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Publisher, type PublisherOptions, type Transport, type Update } from '../../src/live/publisher.ts'
import { createManualClock } from '../discord/clocks.ts'
import { join, setNumber } from './support.ts'

const ALICE = '94490510688792576'
const BOB = '156114103033790464'

/** A publisher on a clock whose hands the test turns, and a transport that everybody is followed over. */
function start(options: Partial<PublisherOptions> = {}) {
  const clock = createManualClock()
  const presences = new PresenceStore()
  for (const id of [ALICE, BOB]) join(presences, id)
  const publisher = new Publisher({ presences, clock, options })
  /** What each turn has sent; the last one is not over. */
  const turns: Update[][] = [[]]
  const long: string[] = []
  const cost = { milliseconds: 0, messages: 1 }
  const transport = {
    follows: () => true,
    publish(update: Update) {
      turns.at(-1)?.push(update)
      clock.advance(cost.milliseconds)
      return cost.messages
    },
    publishLong: (id: string) => void long.push(id),
    endTurn: () => void turns.push([]),
  } satisfies Transport
  publisher.add(transport)
  return {
    clock,
    presences,
    publisher,
    transport,
    cost,
    long,
    /** The numbers of the turns so far. */
    sent: () =>
      turns.slice(0, -1).map(updates => updates.map(({ snapshot }) => Number(JSON.parse(snapshot.json).kv.n))),
    updates: () => turns.flat(),
  }
}

/** Until the turn that was due is over, and what it took is known. */
async function turn(): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds++) await new Promise<void>(resolve => setImmediate(resolve))
}

describe('a change after quiet', () => {
  test('goes out at the end of its burst, with all of it', async () => {
    const { presences, sent } = start()
    for (let n = 0; n < 5; n++) setNumber(presences, ALICE, n)
    expect(sent()).toEqual([])
    await turn()
    expect(sent()).toEqual([[0, 1, 2, 3, 4]])
  })
})

describe('changes under load', () => {
  test('wait as long as the last took to send, and go out together', async () => {
    const { presences, clock, cost, sent } = start()
    cost.milliseconds = 12
    setNumber(presences, ALICE, 0)
    await turn()
    cost.milliseconds = 0
    for (let n = 1; n < 4; n++) {
      clock.advance(3)
      setNumber(presences, n === 2 ? BOB : ALICE, n)
      await turn()
    }
    expect(sent()).toEqual([[0]])
    clock.advance(3)
    await turn()
    expect(sent()).toEqual([[0], [1, 2, 3]])
    // That took no time, so there is quiet again.
    setNumber(presences, ALICE, 4)
    await turn()
    expect(sent()).toEqual([[0], [1, 2, 3], [4]])
  })

  test('wait for no more when they are fifty', async () => {
    const { presences, cost, sent } = start()
    cost.milliseconds = 1
    for (let n = 0; n < 50; n++) setNumber(presences, ALICE, n)
    await turn()
    for (let n = 0; n < 49; n++) setNumber(presences, ALICE, n)
    await turn()
    expect(sent()).toHaveLength(1)
    setNumber(presences, BOB, 49)
    await turn()
    expect(sent()[1]).toHaveLength(50)
  })

  test('wait 20 ms at most', async () => {
    const { presences, clock, cost, sent } = start()
    cost.milliseconds = 500
    setNumber(presences, ALICE, 0)
    await turn()
    setNumber(presences, ALICE, 1)
    await turn()
    clock.advance(19)
    await turn()
    expect(sent()).toEqual([[0]])
    clock.advance(1)
    await turn()
    expect(sent()).toEqual([[0], [1]])
  })

  test('go out at once when somebody who follows one of them asks how they are', async () => {
    const { presences, cost, publisher, sent } = start()
    cost.milliseconds = 500
    setNumber(presences, ALICE, 0)
    await turn()
    cost.milliseconds = 0
    setNumber(presences, ALICE, 1)
    setNumber(presences, ALICE, 2)
    expect(publisher.settle(id => id === BOB)).toBe(true)
    expect(sent()).toEqual([[0]])
    expect(publisher.settle(id => id === ALICE)).toBe(true)
    expect(sent()).toEqual([[0], [1, 2]])
  })
})

describe('a turn', () => {
  test('sends a reader so many characters at most; the rest has turns of its own, one after the other', async () => {
    const { presences, publisher, sent } = start({ turnCharacters: 10_000 })
    for (let n = 0; n < 10; n++) setNumber(presences, ALICE, n, 'x'.repeat(3000))
    expect(publisher.settle(() => true)).toBe(false)
    expect(sent()).toEqual([[0, 1, 2]])
    while (sent().flat().length < 10) await turn()
    expect(sent()).toEqual([[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]])
    expect(publisher.settle(() => true)).toBe(true)
  })

  test('sends so many messages at most, over all readers', async () => {
    const { presences, cost, sent } = start({ turnMessages: 1000 })
    cost.messages = 400
    for (let n = 0; n < 5; n++) setNumber(presences, ALICE, n)
    while (sent().flat().length < 5) await turn()
    expect(sent()).toEqual([
      [0, 1, 2],
      [3, 4],
    ])
  })

  test('is no bound on what goes out at the end', () => {
    const { presences, publisher, sent } = start({ turnMessages: 1 })
    for (let n = 0; n < 5; n++) setNumber(presences, ALICE, n)
    publisher.close()
    expect(sent().flat()).toEqual([0, 1, 2, 3, 4])
    setNumber(presences, ALICE, 5)
    publisher.flush()
    expect(sent().flat()).toHaveLength(5)
  })
})

describe('numbers', () => {
  test('rise, and are the same on every transport', async () => {
    const { presences, publisher, transport, updates } = start()
    const other: Update[] = []
    publisher.add({ ...transport, publish: update => other.push(update), endTurn: () => {} })
    for (let n = 0; n < 3; n++) setNumber(presences, ALICE, n)
    await turn()
    const between = publisher.next()
    setNumber(presences, BOB, 3)
    await turn()
    const seqs = updates().map(({ seq }) => seq)
    expect(other.map(({ seq }) => seq)).toEqual(seqs)
    expect(seqs.toSpliced(3, 0, between)).toEqual(seqs.toSpliced(3, 0, between).toSorted((a, b) => a - b))
    expect(new Set(seqs).size).toBe(4)
  })
})

describe('a long presence', () => {
  const filler = 'x'.repeat(10_000)

  test('is told of once for changes that come together, and not made into text for it', async () => {
    const { presences, long, sent } = start({ long: 5000 })
    setNumber(presences, ALICE, 0, filler)
    setNumber(presences, ALICE, 1, filler)
    setNumber(presences, BOB, 2)
    await turn()
    expect([long, sent()]).toEqual([[ALICE], [[2]]])
    let made = 0
    const snapshot = presences.snapshot.bind(presences)
    Object.assign(presences, {
      snapshot(id: string) {
        made++
        return snapshot(id)
      },
    })
    for (let n = 3; n < 100; n++) setNumber(presences, ALICE, n, filler)
    expect(made).toBe(0)
    await turn()
    expect([long, made]).toEqual([[ALICE, ALICE], 0])
  })

  test('is one until its text was made and is short; then changes are updates like any other', async () => {
    const { presences, publisher, long, sent } = start({ long: 5000 })
    setNumber(presences, ALICE, 0, filler)
    setNumber(presences, ALICE, 1)
    await turn()
    const made = presences.snapshot(ALICE)
    if (made !== undefined) publisher.made(made)
    setNumber(presences, ALICE, 2)
    setNumber(presences, ALICE, 3)
    await turn()
    expect([long, sent()]).toEqual([[ALICE], [[], [2, 3]]])
  })

  test('is no update, whatever becomes of it', async () => {
    const { presences, sent } = start({ long: 5000 })
    setNumber(presences, ALICE, 0, filler)
    presences.removeMember('1', ALICE)
    await turn()
    expect(sent()).toEqual([[]])
  })
})
