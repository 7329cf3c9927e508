import { expect, test } from 'bun:test'
import { weatherDrill } from './weather.ts'

test('in all the weather there is everybody stays served, nothing is lost or out of order, and all goes on by itself', async () => {
  const figures = await weatherDrill({ people: 60, changesPerSecond: 400, changes: 40, rounds: 1 })
  expect(figures).toContainKey('changes, all shown in order')
}, 60_000)
