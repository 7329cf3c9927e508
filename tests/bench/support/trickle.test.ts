import { expect, test } from 'bun:test'
import { Delays, evenly } from './trickle.ts'

test('updates come in order, each when it is due and not before', async () => {
  const { timeOrigin } = performance
  const startAt = timeOrigin + performance.now() + 5
  const at: [update: number, early: boolean][] = []
  await evenly({ startAt, interval: 2, count: 5 }, update => {
    at.push([update, timeOrigin + performance.now() < startAt + 2 * update])
  })
  expect(at).toEqual([0, 1, 2, 3, 4].map(update => [update, false]))
})

test('delays are those of all clients, from when an update was due', () => {
  const delays = new Delays({ startAt: 1000, interval: 10, count: 50 })
  for (let client = 0; client < 2; client++) {
    for (let update = 0; update < 50; update++) delays.arrived(client, 1000 + 10 * update + (update === 49 ? 80 : 2))
  }
  expect(delays.read()).toEqual({ median: 2, p99: 80 })
})
