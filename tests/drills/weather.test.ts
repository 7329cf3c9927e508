import { expect, test } from 'bun:test'
import { SHORT, weatherDrill } from './weather.ts'

test('in foul weather everybody stays served, nothing is lost or out of order, and all goes on by itself', async () => {
  const figures = await weatherDrill(SHORT)
  expect(figures).toContainKey('changes, all shown in order')
}, 60_000)
