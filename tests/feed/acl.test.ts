import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import { startTruth } from '../domain/serving-contract.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis.ts'
import { startEdge, startHub } from './redis-support.ts'

const PAGE = readFileSync(join(import.meta.dir, '../../docs/operating.md'), 'utf8')
const LINES = [...PAGE.matchAll(/^ACL (SETUSER exoix-(?:hub|edge) .+)$/gm)].map(([, line = '']) => line.split(' '))
const ANN = '100000000000000001'

describe.skipIf(!hasRedis('what users of Redis need'))('the users of the operator’s page', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
    const client = new RedisClient(redis.url)
    for (const line of LINES) await client.send('ACL', line)
    await client.send('ACL', ['SETUSER', 'default', 'off'])
    client.close()
  })
  afterAll(() => redis.stop())

  test('may do all that a hub and an edge do, and nothing needs more', async () => {
    expect(LINES).toHaveLength(2)
    const as = (user: string) => ({ url: `redis://exoix-${user}:password@127.0.0.1:${redis.port}`, prefix: 'exoix' })
    const truth = startTruth()
    const { hub, stop } = startHub(as('hub'), truth)
    const { tail, replica } = startEdge(as('edge'))
    await tail.whenWhole
    truth.presences.putMember('1', { user: { id: ANN, username: 'ann' } }, { status: 'online' })
    expect(await hub.confirm()).toBe(0)
    expect(replica.has(ANN)).toBe(true)
    expect(await tail.calls.ownerOf('nobody')).toBeUndefined()
    truth.presences.forget(ANN)
    expect(await hub.purge()).toBe(0)
    await tail.stop()
    await stop()
    const other = startHub(as('hub'), truth, { owner: 'another', term: 1 })
    const next = startEdge(as('edge'))
    await next.tail.whenWhole
    await next.tail.stop()
    await other.stop()
    await truth[Symbol.asyncDispose]()
  })
})
