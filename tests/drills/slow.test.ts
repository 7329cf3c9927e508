import { expect, test } from 'bun:test'
import { SHORT, slowDrill } from './slow.ts'

test('clients that never read are thrown out, and the others get every change in order', async () => {
  expect(await slowDrill(SHORT)).toMatchObject({ 'clients that never read': SHORT.slow })
}, 60_000)
