import { expect, test } from 'bun:test'
import { SHORT, soakDrill } from './soak.ts'

test('after everybody has come and gone no socket, subscription or timer is left, and the process ends by itself', async () => {
  expect(await soakDrill(SHORT)).toMatchObject({ rounds: SHORT.rounds, 'sockets and subscriptions left': 0 })
}, 60_000)
