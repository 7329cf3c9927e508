import { expect, test } from 'bun:test'
import { killDrill } from './kill.ts'

test('killed amid writes over HTTP, everything answered with 204 is there afterwards and no merge is half there', async () => {
  expect(await killDrill({ rounds: 3, seed: 1 })).toMatchObject({ kills: 3 })
}, 60_000)
