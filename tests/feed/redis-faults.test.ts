import { afterEach, describe, expect, test } from 'bun:test'
import { RedisClient } from 'bun'
import type { ApiError, FatalError } from '../../src/domain/errors.ts'
import { hashKey } from '../../src/domain/keys.ts'
import type { RedisSettings } from '../../src/feed/link.ts'
import { startTruth } from '../domain/serving-contract.ts'
import { issueKey } from '../support/keys.ts'
import { hasRedis, startRedis } from '../support/redis.ts'
import { TcpRelay } from '../support/tcp-relay.ts'
import { type HubOptions, startEdge, startHub } from './redis-support.ts'

const PEOPLE = Array.from({ length: 20 }, (_, index) => String(100_000_000_000_000_000n + BigInt(index)))
const ANN = PEOPLE[0] as string
const installed = hasRedis('what happens when it fails')

const open: (() => Promise<void> | void)[] = []
let count = 0

/** A hub and an edge, each with a way to Redis of its own; whatever the edge tells is noted. */
async function startPair({ staleAfter, hub = {} }: { staleAfter?: number; hub?: HubOptions } = {}) {
  const redis = await startRedis()
  const relays = { hub: new TcpRelay(redis.port), edge: new TcpRelay(redis.port) }
  const prefix = `t${++count}`
  const settings = (relay: TcpRelay): RedisSettings => ({ url: `redis://127.0.0.1:${relay.port}`, prefix })
  const truth = startTruth()
  truth.presences.setReadiness('ready')
  for (const id of PEOPLE) truth.presences.putMember('1', { user: { id, username: 'x' } }, { status: 'online' })
  const running = { hub: startHub(settings(relays.hub), truth, hub) }
  const edge = startEdge(settings(relays.edge), staleAfter)
  await edge.tail.whenWhole
  const told: string[] = []
  const versions = new Map<string, number>()
  edge.replica.onChange(({ id, kind }) => {
    const version = Number(JSON.parse(edge.replica.snapshot(id)?.json ?? '{"kv":{}}').kv.v ?? 0)
    const before = versions.get(id) ?? 0
    versions.set(id, version)
    if (kind === 'left') told.push(`left ${id}`)
    else if (version <= before) told.push(`${kind} ${id} again: ${before}, ${version}`)
  })
  open.push(async () => {
    await edge.tail.stop()
    await running.hub.stop()
    await truth[Symbol.asyncDispose]()
    for (const relay of Object.values(relays)) relay.stop()
    await redis.stop()
  })
  let version = 0
  return {
    redis,
    relays,
    settings,
    truth,
    edge,
    running,
    /** What should not have been told: somebody left, or an old or doubled version. */
    told,
    write(times = 1) {
      for (let time = 0; time < times; time++) {
        version++
        for (const id of PEOPLE) truth.presences.setKv(id, new Map([['v', String(version)]]))
      }
    },
    /** Resolves when the edge shows all that the truth shows. */
    async equal() {
      const { presences } = truth
      await until(
        () =>
          edge.replica.size === presences.size &&
          [...presences.ids()].every(id => edge.replica.snapshot(id)?.json === presences.snapshot(id)?.json),
      )
    },
  }
}

/** Resolves when it is so; the test's own time-out bounds it. */
async function until(so: () => boolean): Promise<void> {
  while (!so()) await Bun.sleep(2)
}

describe.skipIf(!installed)('an edge stays true', () => {
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })

  test('while nothing happens to it', async () => {
    const { write, equal, told } = await startPair()
    write(50)
    await equal()
    expect(told).toEqual([])
  })

  test.each(['hub', 'edge'] as const)('when the connection of the %s is cut and comes back', async side => {
    const { write, equal, told, relays, edge } = await startPair()
    write(3)
    await equal()
    relays[side].cut()
    write(20)
    relays[side].mend()
    await equal()
    write()
    await equal()
    expect([told, edge.metrics.render()]).toEqual([[], expect.stringContaining('exoix_feed_gaps_total 0\n')])
  })

  test.each(['hub', 'edge'] as const)('when the connection of the %s swallows everything', async side => {
    const { write, equal, told, relays } = await startPair()
    relays[side].swallow()
    write(20)
    await equal()
    expect(told).toEqual([])
  })

  test('when Redis dies and comes back with nothing in it', async () => {
    const { write, equal, told, redis } = await startPair()
    write(3)
    await redis.kill()
    write(20)
    await redis.restart()
    write()
    await equal()
    expect(told).toEqual([])
  })

  test('when everything in Redis is deleted', async () => {
    const { write, equal, told, redis } = await startPair()
    write(3)
    const client = new RedisClient(redis.url)
    await client.send('FLUSHALL', [])
    client.close()
    write(3)
    await equal()
    expect(told).toEqual([])
  })

  test('when it has missed more than the log holds', async () => {
    const { write, equal, told, redis, relays, settings, edge } = await startPair()
    relays.edge.cut()
    write(20)
    const client = new RedisClient(redis.url)
    await client.send('XTRIM', [`{${settings(relays.edge).prefix}}:log`, 'MAXLEN', '0'])
    client.close()
    write()
    relays.edge.mend()
    await equal()
    expect(told).toEqual([])
    await until(() => edge.metrics.render().includes('exoix_feed_resyncs_total 2\n'))
  })

  test('when the hub starts anew: who left meanwhile is gone, who is the same is not told of', async () => {
    const { write, equal, told, running, truth, settings, relays, edge } = await startPair()
    write(3)
    await equal()
    await running.hub.stop()
    truth.presences.removeMember('1', ANN)
    expect(edge.replica.has(ANN)).toBe(true)
    running.hub = startHub(settings(relays.hub), truth, { term: 1 })
    await equal()
    expect(told).toEqual([`left ${ANN}`])
    expect(edge.replica.readiness).toBe('ready')
  })

  test('and says that the hub is away, serving what it knows', async () => {
    const { running, edge } = await startPair()
    await running.hub.stop()
    await until(() => edge.replica.readiness === 'reconnecting')
    expect([edge.replica.size, edge.replica.whole]).toEqual([PEOPLE.length, true])
  })

  test('and shows nobody when Redis is away for too long; afterwards only what changed is told', async () => {
    const { write, equal, told, edge, relays, truth } = await startPair({ staleAfter: 600 })
    write()
    await equal()
    relays.edge.cut()
    truth.presences.setHidden(ANN, true)
    await until(() => edge.replica.withheld)
    expect([edge.replica.has(ANN), edge.replica.size, edge.replica.readiness]).toEqual([false, 0, 'starting'])
    relays.edge.mend()
    await until(() => !edge.replica.withheld)
    expect(edge.replica.has(ANN)).toBe(false)
    await equal()
    expect(told).toEqual([`left ${ANN}`])
  })

  test('and keeps no write waiting for ever, nor loses one that was acknowledged', async () => {
    const { edge, truth, relays } = await startPair()
    const key = hashKey(await issueKey(truth.keys, ANN))
    relays.hub.cut()
    const late = edge.tail.calls.put(key, ANN, 'a', '1')
    relays.hub.mend()
    await late
    expect(truth.presences.kv(ANN).get('a')).toBe('1')
    expect(JSON.parse(edge.replica.snapshot(ANN)?.json ?? '').kv.a).toBe('1')
    relays.hub.cut()
    const error: ApiError = await edge.tail.calls.put(key, ANN, 'a', '2').then(
      () => undefined,
      failure => failure,
    )
    expect([error.status, error.code]).toEqual([503, 'unreachable'])
    relays.hub.mend()
  })
})

describe.skipIf(!installed)('a hub', () => {
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close()
  })

  test('counts the edges that have not said that they hide somebody', async () => {
    const { running, relays, truth, edge } = await startPair()
    truth.presences.setHidden(ANN, true)
    expect(await running.hub.hub.confirm()).toBe(0)
    expect(edge.replica.has(ANN)).toBe(false)
    relays.edge.cut()
    expect(await running.hub.hub.confirm()).toBe(1)
    relays.edge.mend()
    relays.hub.cut()
    expect(await running.hub.hub.confirm()).toBe(1)
    relays.hub.mend()
  })

  test('leaves nothing of who was erased in Redis', async () => {
    const { running, redis, truth, equal } = await startPair()
    truth.presences.setKv(ANN, new Map([['secret', 'x'.repeat(2000)]]))
    await equal()
    truth.presences.forget(ANN)
    expect(await running.hub.hub.purge()).toBe(0)
    const client = new RedisClient(redis.url)
    const lengths = await Promise.all(['log', 'req'].map(name => client.send('XLEN', [`{t${count}}:${name}`])))
    client.close()
    // At most what was said in the moment since.
    for (const length of lengths) expect(Number(length)).toBeLessThanOrEqual(1)
  })

  test('that is not the hub any more says so and ends', async () => {
    const fatal = Promise.withResolvers<FatalError>()
    const { settings, relays, running } = await startPair({
      hub: { owner: 'old', leaseLasts: 1000, onFatal: fatal.resolve },
    })
    relays.hub.cut()
    const truth = startTruth()
    const heir = new TcpRelay(Number(new URL(settings(relays.edge).url).port))
    const next = startHub(settings(heir), truth, { owner: 'new', leaseLasts: 1000 })
    await until(() => next.metrics.render().includes('exoix_feed_term 1'))
    relays.hub.mend()
    expect((await fatal.promise).message).toContain('Another Exoix is the hub at this Redis')
    await next.stop()
    heir.stop()
    await truth[Symbol.asyncDispose]()
    await running.hub.stop()
  })
})
