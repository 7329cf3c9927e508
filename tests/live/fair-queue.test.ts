import { describe, expect, test } from 'bun:test'
import { Precedence, Turns } from '../../src/live/fair-queue.ts'
import { createSession, type Socket } from '../../src/live/session.ts'
import { createManualClock } from '../discord/clocks.ts'

describe('turns for what is large', () => {
  test('take half of the time at most: each is followed by a pause of its length', () => {
    const clock = createManualClock()
    const turns = new Turns(clock)
    let resumed = 0
    turns.onOpen(() => resumed++)
    expect(turns.open).toBe(true)
    const startedAt = clock.monotonic()
    clock.advance(300)
    turns.took(startedAt)
    clock.advance(299)
    expect([turns.open, resumed]).toEqual([false, 0])
    clock.advance(1)
    expect([turns.open, resumed]).toEqual([true, 1])
  })

  test('are one at a time: who takes one closes it for the others, who come first the next time', () => {
    const clock = createManualClock()
    const turns = new Turns(clock)
    const served: string[] = []
    for (const name of ['a', 'b', 'c']) {
      turns.onOpen(() => {
        if (!turns.open) return
        served.push(name)
        const startedAt = clock.monotonic()
        clock.advance(10)
        turns.took(startedAt)
      })
    }
    turns.took(clock.monotonic() - 10)
    for (let turn = 0; turn < 20; turn++) clock.advance(10)
    expect(served.slice(0, 6)).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  test('are over when everything stops', () => {
    const clock = createManualClock()
    const turns = new Turns(clock)
    let resumed = 0
    turns.onOpen(() => resumed++)
    turns.took(clock.monotonic() - 10)
    turns.stop()
    clock.advance(1000)
    expect(resumed).toBe(0)
  })
})

describe('who is next', () => {
  const socket = (address: string) => ({ data: createSession('', address, 0) }) as Socket
  const order = (precedence: Precedence, sockets: Socket[]) =>
    precedence.order(sockets.map(ws => [ws, null] as const)).map(([ws]) => ws)

  test('is the address that was served longest ago, or never; of one address who came first', () => {
    const precedence = new Precedence()
    const [a1, a2, b, c] = [socket('a'), socket('a'), socket('b'), socket('c')]
    precedence.served(b)
    precedence.served(a1)
    expect(order(precedence, [a1, a2, b, c])).toEqual([c, b, a1, a2])
    precedence.served(b)
    expect(order(precedence, [b, a2, a1])).toEqual([a2, a1, b])
  })

  test('is remembered of 10,000 addresses; those served longer ago count as never served', () => {
    const precedence = new Precedence()
    const sockets = Array.from({ length: 10_001 }, (_, at) => socket(String(at)))
    for (const ws of sockets) precedence.served(ws)
    const [oldest, second] = sockets as [Socket, Socket]
    const never = socket('never')
    expect(order(precedence, [second, never, oldest])).toEqual([never, oldest, second])
  })
})
