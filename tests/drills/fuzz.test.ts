import { expect, test } from 'bun:test'
import { fuzzDrill } from './fuzz.ts'

test('whatever comes in from anybody, nothing crashes, nothing answers 5xx and nothing is left behind', async () => {
  expect(await fuzzDrill({ cases: 5000, seed: 1 })).toMatchObject({ cases: 5000 })
}, 60_000)
