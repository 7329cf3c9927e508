import { expect, test } from 'bun:test'
import { stormDrill } from './storm.ts'

test('everybody is served while others reconnect and read without a pause', async () => {
  const figures = await stormDrill({ people: 100, changesPerSecond: 200, changes: 60, readers: 8 })
  expect(figures).toContainKey('beside one client that reconnects')
}, 60_000)
