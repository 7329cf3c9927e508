import { expect, test } from 'bun:test'
import { hasRedis } from '../support/redis.ts'
import { chaosDrill, SHORT } from './chaos.ts'
import { FROM_SOURCE } from './support/exoix-process.ts'

const TITLE =
  'whatever fails between a hub and its edges, nobody is shown older than before, and in the end all show the same'

test.skipIf(!hasRedis('chaos'))(
  TITLE,
  async () => {
    expect(await chaosDrill({ command: FROM_SOURCE, seed: 1, ...SHORT })).toMatchObject({ faults: 8, edges: 2 })
  },
  120_000,
)
