import { expect, test } from 'bun:test'
import { diskDrill } from './disk.ts'

test('a disk that is full, a file that is moved away, a lock that is removed and a flipped byte cost nobody what was acknowledged', async () => {
  expect(await diskDrill({ rounds: 2, seed: 1 })).toMatchObject({ rounds: 2 })
}, 60_000)
