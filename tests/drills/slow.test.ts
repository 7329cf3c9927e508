import { expect, test } from 'bun:test'
import { SHORT, slowDrill } from './slow.ts'

test('clients that never read are thrown out, and the others get every change in order', async () => {
  const figures = await slowDrill(SHORT)
  expect(Number(figures['thrown out, each comes back at once'])).toBeGreaterThanOrEqual(SHORT.slow)
}, 60_000)
