import { expect, test } from 'bun:test'
import { limitsDrill } from './limits.ts'

test('every bound on what a client may take holds, seen from outside', async () => {
  expect(await limitsDrill({ slow: false })).toMatchObject({ 'errors of the server': 0 })
}, 60_000)
