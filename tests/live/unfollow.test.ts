import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { join, numbers, setNumber, setStatus, startServer, type TestServer } from './support.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const ALICE = '94490510688792576'
const BOB = '156114103033790464'
const NOBODY = '1'

let server: TestServer
beforeEach(() => {
  server = startServer()
  join(server.presences, ALICE)
  join(server.presences, BOB, { status: 'idle' })
})
afterEach(() => server.stop())

const statuses = (frames: { d: { discord_status: string } }[]) => frames.map(frame => frame.d.discord_status)

describe.each([
  ['a plain socket', ''],
  ['a compressed socket', '?compression=zlib_json'],
])('%s', (_, query) => {
  test('that silenced some gets the others, until it names the silenced again', async () => {
    const client = await server.client(query)
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_ids: [ALICE, NOBODY] } })
    await client.soFar()
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, BOB, 2)
    const heard = await client.soFar()
    expect(heard.map(frame => frame.d.user_id)).toEqual([BOB])

    expect(Object.keys((await client.follow({ subscribe_to_ids: [ALICE] })).d)).toEqual([ALICE])
    setNumber(server.presences, ALICE, 3)
    join(server.presences, NOBODY)
    setNumber(server.presences, BOB, 4)
    expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual([ALICE, BOB])
    await client.follow({ subscribe_to_id: NOBODY })
    setNumber(server.presences, NOBODY, 5)
    setNumber(server.presences, ALICE, 6)
    expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual([NOBODY, ALICE])
  })
})

describe('op 3 and op 4', () => {
  test('are never answered', async () => {
    const client = await server.client()
    client.send({ op: 3 })
    client.send({ op: 3, d: {} })
    client.send({ op: 4, d: { unsubscribe_from_id: ALICE } })
    client.send({ op: 4, d: { unsubscribe_from_all: true } })
    expect(await client.soFar()).toEqual([])
  })

  test.each([
    ['one id', { unsubscribe_from_id: ALICE }, [BOB]],
    ['several ids', { unsubscribe_from_ids: [ALICE, BOB, NOBODY] }, []],
    ['everybody', { unsubscribe_from_all: true }, []],
    ['nobody', { unsubscribe_from_ids: [] }, [ALICE, BOB]],
    ['an odd shape', { unsubscribe_from_ids: ALICE }, [ALICE, BOB]],
    ['another odd shape', { unsubscribe_from_id: [ALICE] }, [ALICE, BOB]],
    ['a false all', { unsubscribe_from_all: false }, [ALICE, BOB]],
    ['nothing', null, [ALICE, BOB]],
  ])('let go of %s', async (_, d, left) => {
    for (const asked of [{ subscribe_to_ids: [ALICE, BOB] }, { subscribe_to_all: true }]) {
      const client = await server.client()
      await client.follow(asked)
      client.send({ op: 4, d })
      await client.soFar()
      setNumber(server.presences, ALICE, 1)
      setNumber(server.presences, BOB, 1)
      expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual(left)
    }
  })

  test('let go of somebody followed alone', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_id: ALICE })
    await client.follow({ subscribe_to_ids: [ALICE] })
    client.send({ op: 4, d: { unsubscribe_from_id: ALICE } })
    await client.soFar()
    setNumber(server.presences, ALICE, 1)
    expect(await client.soFar()).toEqual([])
    await client.follow({ subscribe_to_id: ALICE })
    setNumber(server.presences, ALICE, 2)
    expect(numbers(await client.soFar())).toEqual([2])
  })

  test('unsubscribing from all also forgets who was silenced', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_id: ALICE } })
    client.send({ op: 4, d: { unsubscribe_from_all: true } })
    await client.soFar()
    setNumber(server.presences, BOB, 1)
    expect(await client.soFar()).toEqual([])
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_id: BOB } })
    await client.soFar()
    setNumber(server.presences, ALICE, 2)
    expect(numbers(await client.soFar())).toEqual([2])
  })

  test('following everybody again ends all silence', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    client.send({ op: 4, d: { unsubscribe_from_ids: [ALICE, BOB] } })
    await client.follow({ subscribe_to_all: true })
    setStatus(server.presences, ALICE, 'dnd')
    setStatus(server.presences, BOB, 'online')
    expect(statuses(await client.soFar())).toEqual(['dnd', 'online'])
  })
})
