import { afterAll, beforeAll, describe } from 'bun:test'
import type { RedisSettings } from '../../src/feed/link.ts'
import { type Served, servingContract, type Truth } from '../domain/serving-contract.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { startEdge, startHub } from './redis-support.ts'

const installed = hasRedis('what goes over it')
let redis: RedisServer
let count = 0
/** The hub of each truth, and where it tells of it. */
const hubs = new WeakMap<Truth, { settings: RedisSettings; hub: ReturnType<typeof startHub>; edges: number }>()

async function edgeOf(truth: Truth): Promise<Served> {
  const settings = hubs.get(truth)?.settings ?? { url: redis.url, prefix: `t${++count}` }
  const of = hubs.get(truth) ?? { settings, hub: startHub(settings, truth), edges: 0 }
  hubs.set(truth, of)
  of.edges++
  const { replica, tail } = startEdge(settings)
  await tail.whenWhole
  return {
    presences: replica,
    calls: tail.calls,
    async settled() {
      tail.calls.flushLooks()
      await of.hub.hub.confirm()
    },
    async [Symbol.asyncDispose]() {
      await tail.stop()
      if (--of.edges === 0) await of.hub.stop()
    },
  }
}

describe.skipIf(!installed)('over Redis', () => {
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.stop())
  servingContract('an edge', edgeOf)
})
