import { expect, test } from 'bun:test'
import { attackDrill } from './attack.ts'

test('the worst one address and one key can do is outlived with 1 GiB, and nobody else is refused', async () => {
  const figures = await attackDrill({ length: 1000, kinds: ['names', 'versions', 'unread'] })
  expect(Object.keys(figures)).toEqual(['names', 'versions', 'unread'])
}, 60_000)
