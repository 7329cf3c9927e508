import { expect, test } from 'bun:test'
import { faultsDrill, SHORT } from './faults.ts'

test('in foul faults everybody stays served, nothing is lost or out of order, and all goes on by itself', async () => {
  const figures = await faultsDrill(SHORT)
  expect(figures).toContainKey('changes, all shown in order')
}, 60_000)
