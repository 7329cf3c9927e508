import { expect, test } from 'bun:test'
import { restartDrill, SHORT } from './restart.ts'
import { FROM_SOURCE } from './support/exoix-process.ts'

const TITLE = 'restarted at any moment, everybody known is served at once and no change is lost or out of order'

test(TITLE, async () => {
  const figures = await restartDrill({ command: FROM_SOURCE, seed: 1, ...SHORT })
  expect(figures).toMatchObject({ restarts: SHORT.restarts, 'killed while starting': 1 })
}, 60_000)
