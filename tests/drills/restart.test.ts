import { expect, test } from 'bun:test'
import { restartDrill } from './restart.ts'
import { FROM_SOURCE } from './support/exoix-process.ts'

const TITLE = 'restarted at any moment, everybody known is served at once and no change is lost or out of order'

test(TITLE, async () => {
  const figures = await restartDrill({
    command: FROM_SOURCE,
    people: 200,
    changesPerSecond: 300,
    restarts: 5,
    longestLife: 200,
    seed: 1,
  })
  expect(figures).toMatchObject({ restarts: 5, 'killed while starting': 1 })
}, 60_000)
