import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createLog } from '../../src/lib/log.ts'
import { join, numbers, setNumber, startServer, type TestServer, upgradeHead } from './support.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const ALICE = '94490510688792576'
const BOB = '156114103033790464'

let server: TestServer
afterEach(() => server.stop())

const names = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => String(10n ** 17n + BigInt(from + at)))

describe('people who are followed by name', () => {
  test('count what they take: of who is shown ten times as much as of who is not', async () => {
    server = startServer()
    for (const id of names(0, 100)) join(server.presences, id)
    const client = await server.client()
    await client.follow({ subscribe_to_ids: names(100, 100) })
    const unknown = server.names.held
    await client.follow({ subscribe_to_ids: names(0, 100) })
    expect(server.names.held).toBe(11 * unknown)
    expect(server.metrics.render()).toContain('exoix_subscriptions{to="one_user"} 200\n')
  })

  test('count no more when they are not followed any more, in whatever way', async () => {
    server = startServer()
    for (const id of names(0, 10)) join(server.presences, id)
    const client = await server.client()
    const all = names(0, 20)
    await client.follow({ subscribe_to_ids: all })
    await client.follow({ subscribe_to_ids: all })
    client.send({ op: 4, d: { unsubscribe_from_ids: all } })
    await client.soFar()
    expect(server.names.held).toBe(0)
    for (const id of all) await client.follow({ subscribe_to_id: id })
    await client.follow({ subscribe_to_ids: all })
    client.send({ op: 4, d: { unsubscribe_from_all: true } })
    await client.soFar()
    expect(server.names.held).toBe(0)
    await client.follow({ subscribe_to_ids: all })
    await client.follow({ subscribe_to_all: true })
    expect(server.names.held).toBe(0)
    client.send({ op: 4, d: { unsubscribe_from_ids: all } })
    await client.soFar()
    expect(server.names.held).toBeGreaterThan(0)
    await client.follow({ subscribe_to_ids: all })
    expect(server.names.held).toBe(0)
    client.send({ op: 4, d: { unsubscribe_from_ids: all } })
    await client.soFar()
    client.close()
    await client.closed
    expect(server.names.held).toBe(0)
    expect(server.metrics.render()).toContain('exoix_subscriptions{to="one_user"} 0\n')
  })

  test('are unknown beyond what an address may hold, on all its sockets together; others may still name theirs', async () => {
    server = startServer({ names: { perAddress: 32 * 120 } })
    for (const id of [ALICE, BOB]) join(server.presences, id)
    const [first, second] = [0, 1].map(() => server.raw(upgradeHead(['x-address: 192.0.2.1'])))
    for (const raw of [first, second]) await raw?.next()
    const answer = async (raw: typeof first) => JSON.parse((await raw?.next())?.payload.toString() ?? '').d
    first?.send({ op: 2, d: { subscribe_to_ids: [...names(0, 200), ALICE] } })
    expect(await answer(first)).toEqual({})
    second?.send({ op: 2, d: { subscribe_to_ids: [BOB, ...names(0, 200), ALICE] } })
    expect(Object.keys(await answer(second))).toEqual([BOB])
    const other = server.raw(upgradeHead(['x-address: 192.0.2.2']))
    await other.next()
    other.send({ op: 2, d: { subscribe_to_ids: [...names(0, 60), ALICE] } })
    expect(Object.keys(await answer(other))).toEqual([ALICE])
    expect(server.names.heldBy('192.0.2.1')).toBeLessThan(32 * 120 + 32 * 50 + 320)
  })

  test('are unknown beyond what all may hold together, but for the first fifty of each socket', async () => {
    server = startServer({ names: { total: 32 * 200 } })
    for (const id of [ALICE, BOB]) join(server.presences, id)
    const greedy = await server.client()
    await greedy.follow({ subscribe_to_ids: names(0, 1000) })
    const modest = await server.client()
    expect(Object.keys((await modest.follow({ subscribe_to_ids: [ALICE, ...names(0, 49), BOB] })).d)).toEqual([ALICE])
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, BOB, 2)
    expect(numbers(await modest.soFar())).toEqual([1])
  })

  test('are told of when they come to be shown, under the form that was asked for', async () => {
    server = startServer()
    const ids = names(0, 300)
    const [one, many] = [await server.client(), await server.client('?compression=zlib_json')]
    await one.follow({ subscribe_to_id: ids[7] })
    await many.follow({ subscribe_to_ids: ids })
    for (const id of ids) join(server.presences, id)
    expect((await one.soFar()).map(({ d }) => [d.user_id, d.discord_user.id])).toEqual([[undefined, ids[7]]])
    expect((await many.soFar()).map(({ d }) => d.user_id)).toEqual(ids)
    setNumber(server.presences, ids[7] as string, 1)
    expect(numbers([...(await one.soFar()), ...(await many.soFar())])).toEqual([1, 1])
  })

  test('are not told of who were let go of before they came to be shown', async () => {
    server = startServer()
    const ids = names(0, 300)
    const client = await server.client()
    await client.follow({ subscribe_to_ids: ids })
    client.send({ op: 4, d: { unsubscribe_from_ids: ids.slice(1) } })
    await client.soFar()
    for (const id of ids) join(server.presences, id)
    expect((await client.soFar()).map(({ d }) => d.user_id)).toEqual(ids.slice(0, 1))
  })

  test('are never those whose id nobody can have', async () => {
    server = startServer()
    const client = await server.client()
    await client.follow({ subscribe_to_ids: ['0', '007', '18446744073709551616', '99999999999999999999'] })
    await client.follow({ subscribe_to_id: '000' })
    expect(server.names.held).toBe(0)
  })
})

describe('names in commands that wait for their turn', () => {
  test('are bounded like those that are followed: who has more waiting is closed with 4008', async () => {
    // Without memory for large answers, whoever names many waits for ever.
    server = startServer({ names: { total: 64 * 1500 }, unread: { total: 0 } })
    const client = await server.client()
    const ask = (from: number) => client.send({ op: 2, d: { subscribe_to_ids: names(from, 600) } })
    ask(0)
    ask(600)
    await (await server.client()).soFar()
    while (server.names.held < 64 * 1200) await new Promise<void>(resolve => setImmediate(resolve))
    ask(1200)
    expect(await client.closed).toEqual({ code: 4008, reason: 'rate_limited' })
    expect(server.names.held).toBe(0)
  })

  test('count no more once it is their turn', async () => {
    server = startServer({ unread: { total: 1 } })
    server.unread.add('192.0.2.1', 1)
    const client = await server.client()
    client.send({ op: 2, d: { subscribe_to_ids: names(0, 600) } })
    client.send({ op: 2, d: { subscribe_to_ids: names(600, 600) } })
    client.send({ op: 4, d: { unsubscribe_from_all: true } })
    while (server.names.held < 64 * 1200) await new Promise<void>(resolve => setImmediate(resolve))
    server.unread.add('192.0.2.1', -1)
    // Whatever goes away makes those who wait look again.
    ;(await server.client()).close()
    expect((await client.next()).d).toEqual({})
    expect((await client.next()).d).toEqual({})
    expect(await client.soFar()).toEqual([])
    expect(server.names.held).toBe(0)
  })
})

describe('who follows everybody but some', () => {
  test('holds what the names of those take, up to a bound', async () => {
    server = startServer({ names: { total: 32 * 80 } })
    join(server.presences, ALICE)
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_ids: names(0, 200) } })
    client.send({ op: 4, d: { unsubscribe_from_ids: [ALICE] } })
    await client.soFar()
    expect(server.names.held).toBe(32 * 80)
    setNumber(server.presences, ALICE, 1)
    expect(numbers(await client.soFar())).toEqual([1])
  })
})

describe('SUBSCRIBE_TO_ALL=off', () => {
  test('closes who wants to follow everybody with 4006, and nobody else', async () => {
    server = startServer({ subscribeToAll: false })
    join(server.presences, ALICE)
    const client = await server.client()
    expect(Object.keys((await client.follow({ subscribe_to_ids: [ALICE] })).d)).toEqual([ALICE])
    client.send({ op: 2, d: { subscribe_to_all: true } })
    expect(await client.closed).toEqual({ code: 4006, reason: 'invalid_payload' })
  })
})

describe('the log', () => {
  test('says once how to refuse it when somebody follows more than 50,000 people', async () => {
    const lines: string[] = []
    server = startServer({ log: createLog({ level: 'info', format: 'text', write: line => lines.push(line) }) })
    Object.defineProperty(server.presences, 'size', { get: () => size })
    let size = 50_000
    for (const count of [50_000, 50_001, 60_000]) {
      size = count
      const client = await server.client()
      await client.follow({ subscribe_to_all: true })
      expect(lines).toHaveLength(count > 50_000 ? 1 : 0)
    }
    expect(lines[0]).toContain('SUBSCRIBE_TO_ALL=off')
  })
})
