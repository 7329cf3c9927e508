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

const presence = (id: string) => JSON.parse(server.presences.snapshot(id)?.json as string)

describe.each([
  ['a plain socket', ''],
  ['a compressed socket', '?compression=zlib_json'],
])('%s', (_, query) => {
  test('that names one id gets the bare presence, and updates without user_id', async () => {
    const client = await server.client(query)
    expect(await client.follow({ subscribe_to_id: ALICE })).toEqual({
      op: 0,
      seq: expect.any(Number),
      t: 'INIT_STATE',
      d: presence(ALICE),
    })
    setStatus(server.presences, BOB, 'dnd')
    setStatus(server.presences, ALICE, 'dnd')
    const update = await client.next()
    expect(update).toEqual({ op: 0, seq: expect.any(Number), t: 'PRESENCE_UPDATE', d: presence(ALICE) })
    expect(update.d).not.toHaveProperty('user_id')
  })

  test('that names several ids gets a map without the unknown, and updates with user_id', async () => {
    const client = await server.client(query)
    const init = await client.follow({ subscribe_to_ids: [ALICE, NOBODY, BOB, ALICE] })
    expect(init.d).toEqual({ [ALICE]: presence(ALICE), [BOB]: presence(BOB) })
    setStatus(server.presences, BOB, 'dnd')
    expect(await client.next()).toEqual({
      op: 0,
      seq: expect.any(Number),
      t: 'PRESENCE_UPDATE',
      d: { user_id: BOB, ...presence(BOB) },
    })
  })

  test('that follows everybody gets a map of all, and updates with user_id', async () => {
    const client = await server.client(query)
    const init = await client.follow({ subscribe_to_all: true })
    expect(init.d).toEqual({ [ALICE]: presence(ALICE), [BOB]: presence(BOB) })
    setStatus(server.presences, ALICE, 'dnd')
    expect((await client.next()).d).toEqual({ user_id: ALICE, ...presence(ALICE) })
  })

  test('gets every change of a burst as a frame of its own, in order', async () => {
    const client = await server.client(query)
    await client.follow({ subscribe_to_ids: [ALICE] })
    for (let n = 0; n < 2500; n++) setNumber(server.presences, ALICE, n)
    const frames = await client.soFar()
    expect(numbers(frames)).toEqual(Array.from({ length: 2500 }, (_, n) => n))
  })

  test('gets a burst of megabytes to its end without asking', async () => {
    const client = await server.client(query)
    await client.follow({ subscribe_to_all: true })
    const filler = 'x'.repeat(3000)
    for (let n = 0; n < 900; n++) setNumber(server.presences, ALICE, n, filler)
    for (let n = 0; n < 900; n++) expect(numbers([await client.next()])).toEqual([n])
  })

  test('sees each change exactly once when it subscribes in the midst of changes', async () => {
    const clients = await Promise.all(Array.from({ length: 12 }, () => server.client(query)))
    const asked = [{ subscribe_to_id: ALICE }, { subscribe_to_ids: [ALICE] }, { subscribe_to_all: true }]
    let n = 0
    let running = true
    const churn = () => {
      for (let i = 0; i < 3; i++) setNumber(server.presences, ALICE, ++n)
      if (running) setImmediate(churn)
    }
    churn()
    for (const [at, client] of clients.entries()) {
      const { d } = await client.follow(asked[at % 3] as object)
      const first = Number((at % 3 === 0 ? d : d[ALICE]).kv.n)
      const seen: number[] = []
      while (seen.length < 50) seen.push(Number((await client.next()).d.kv.n))
      expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => first + 1 + i))
    }
    running = false
  })

  test('has strictly rising sequence numbers over updates and initial states', async () => {
    const client = await server.client(query)
    const other = await server.client()
    const seqs: number[] = []
    for (let round = 0; round < 5; round++) {
      seqs.push((await client.follow({ subscribe_to_all: true })).seq)
      seqs.push((await client.follow({ subscribe_to_id: BOB })).seq)
      await other.follow({ subscribe_to_all: true })
      other.send({ op: 4, d: { unsubscribe_from_all: true } })
      seqs.push((await client.follow({ subscribe_to_all: true })).seq)
      for (let n = 0; n < 3; n++) setNumber(server.presences, n === 1 ? BOB : ALICE, n)
      seqs.push(...(await client.soFar()).map(frame => frame.seq))
      seqs.push((await client.follow({ subscribe_to_ids: [BOB] })).seq)
    }
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    expect(seqs).toHaveLength(35)
  })
})

describe('what an op 2 asks for', () => {
  test.each([
    [{ subscribe_to_ids: [ALICE], subscribe_to_id: BOB, subscribe_to_all: true }, [ALICE]],
    [{ subscribe_to_ids: [], subscribe_to_id: BOB, subscribe_to_all: true }, []],
    [{ subscribe_to_all: true, subscribe_to_ids: [BOB, 7, null, '__proto__', 'constructor'] }, [BOB]],
  ])('is the ids before all else: %j', async (d, users) => {
    const client = await server.client()
    const init = await client.follow(d)
    expect(Object.keys(init.d)).toEqual(users)
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, BOB, 1)
    expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual(users)
  })

  test('is the single id before everybody', async () => {
    const client = await server.client()
    expect((await client.follow({ subscribe_to_id: BOB, subscribe_to_all: true })).d).toEqual(presence(BOB))
    setNumber(server.presences, ALICE, 1)
    expect(await client.soFar()).toEqual([])
  })

  test.each([[NOBODY], ['x'], [''], ['__proto__'], [Number(ALICE)], [null], [[ALICE]], [{}]])(
    'is an unknown id, answered by an empty object: %p',
    async id => {
      const client = await server.client()
      expect((await client.follow({ subscribe_to_id: id })).d).toEqual({})
      setNumber(server.presences, ALICE, 1)
      expect(await client.soFar()).toEqual([])
    },
  )

  test('adds up over repeated frames, and the same user twice is one message', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_ids: [ALICE] })
    await client.follow({ subscribe_to_ids: [ALICE] })
    expect(Object.keys((await client.follow({ subscribe_to_ids: [BOB] })).d)).toEqual([BOB])
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, BOB, 2)
    expect(numbers(await client.soFar())).toEqual([1, 2])
    await client.follow({ subscribe_to_all: true })
    await client.follow({ subscribe_to_all: true })
    await client.follow({ subscribe_to_ids: [ALICE] })
    await client.follow({ subscribe_to_id: ALICE })
    setNumber(server.presences, ALICE, 3)
    setNumber(server.presences, BOB, 4)
    expect(numbers(await client.soFar())).toEqual([3, 4])
  })

  test.each([
    ['alone, then among many', [{ subscribe_to_id: ALICE }, { subscribe_to_ids: [ALICE] }]],
    ['among many, then alone', [{ subscribe_to_ids: [ALICE] }, { subscribe_to_id: ALICE }]],
    ['alone, then with everybody', [{ subscribe_to_id: ALICE }, { subscribe_to_all: true }]],
    ['with everybody, then alone', [{ subscribe_to_all: true }, { subscribe_to_id: ALICE }]],
  ])('%s: one message an update, with user_id', async (_, asked) => {
    const client = await server.client()
    for (const d of asked) await client.follow(d)
    setNumber(server.presences, ALICE, 1)
    expect((await client.soFar()).map(frame => frame.d)).toEqual([{ user_id: ALICE, ...presence(ALICE) }])
  })

  test('of one id and of another: each alone, without user_id', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_id: ALICE })
    await client.follow({ subscribe_to_id: BOB })
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, BOB, 2)
    const frames = await client.soFar()
    expect(numbers(frames)).toEqual([1, 2])
    for (const frame of frames) expect(frame.d).not.toHaveProperty('user_id')
  })

  test('is answered however soon it is sent, behind the hello', async () => {
    const raw = server.raw()
    raw.send({ op: 2, d: { subscribe_to_id: ALICE } })
    expect(JSON.parse((await raw.next()).payload.toString()).op).toBe(1)
    expect(JSON.parse((await raw.next()).payload.toString()).t).toBe('INIT_STATE')
  })
})

describe('people who come and go', () => {
  test('reach sockets that follow everybody once when they join', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    join(server.presences, NOBODY)
    const frames = await client.soFar()
    expect(frames.map(frame => [frame.t, frame.d.user_id])).toEqual([['PRESENCE_UPDATE', NOBODY]])
    expect(frames[0]?.d).toEqual({ user_id: NOBODY, ...presence(NOBODY) })
  })

  test('reach sockets that named them before they joined', async () => {
    const [one, many] = [await server.client(), await server.client()]
    await one.follow({ subscribe_to_id: NOBODY })
    await many.follow({ subscribe_to_ids: [NOBODY] })
    join(server.presences, NOBODY)
    expect((await one.soFar()).map(frame => frame.d)).toEqual([presence(NOBODY)])
    expect((await many.soFar()).map(frame => frame.d.user_id)).toEqual([NOBODY])
  })

  test('leave without a frame, and are followed still when they come back', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_ids: [ALICE] })
    server.presences.removeMember('1', ALICE)
    expect(await client.soFar()).toEqual([])
    join(server.presences, ALICE)
    expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual([ALICE])
  })

  test('are shown nowhere while hidden', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    server.presences.setHidden(ALICE, true)
    setStatus(server.presences, ALICE, 'dnd')
    expect(await client.soFar()).toEqual([])
    expect((await client.follow({ subscribe_to_ids: [ALICE] })).d).toEqual({})
    expect(Object.keys((await client.follow({ subscribe_to_all: true })).d)).toEqual([BOB])
    server.presences.setHidden(ALICE, false)
    expect((await client.soFar()).map(frame => frame.d.user_id)).toEqual([ALICE])
  })

  test('whose presence does not change cause no frame, but every write of a pair does', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    setStatus(server.presences, ALICE, 'online')
    expect(await client.soFar()).toEqual([])
    setNumber(server.presences, ALICE, 1)
    setNumber(server.presences, ALICE, 1)
    expect(numbers(await client.soFar())).toEqual([1, 1])
  })
})

describe('limits of what one socket follows', () => {
  test('ids beyond it are left out of the initial state and not followed; known ones stay', async () => {
    const small = startServer({ maxSubscriptions: 2 })
    const ids = ['11', '12', '13', '14']
    for (const id of ids) join(small.presences, id)
    const client = await small.client()
    expect(Object.keys((await client.follow({ subscribe_to_ids: ['11', '12', '13'] })).d)).toEqual(['11', '12'])
    expect(Object.keys((await client.follow({ subscribe_to_ids: ['14', '12'] })).d)).toEqual(['12'])
    expect((await client.follow({ subscribe_to_id: '13' })).d).toEqual({})
    for (const id of ids) setNumber(small.presences, id, Number(id))
    expect(numbers(await client.soFar())).toEqual([11, 12])
    client.send({ op: 4, d: { unsubscribe_from_id: '11' } })
    expect(Object.keys((await client.follow({ subscribe_to_ids: ['13'] })).d)).toEqual(['13'])
    expect(Object.keys((await client.follow({ subscribe_to_all: true })).d)).toEqual(ids)
    expect(Object.keys((await client.follow({ subscribe_to_ids: ids })).d)).toEqual(ids)
    await small.stop()
  })
})

describe('more changes than fit in a turn', () => {
  test('come to the end before whoever asks in their midst is answered, and nobody misses or repeats one', async () => {
    const small = startServer({ publisher: { turnMessages: 3 } })
    join(small.presences, ALICE)
    const [follower, late] = [await small.client(), await small.client()]
    await follower.follow({ subscribe_to_all: true })
    const asked = late.follow({ subscribe_to_all: true })
    // Until the question has arrived, there is always more than a turn's worth.
    let n = 0
    let answered = false
    void asked.then(() => {
      answered = true
    })
    for (let round = 0; round < 50 || !answered; round++) {
      if (round < 50) for (let count = 0; count < 20; count++) setNumber(small.presences, ALICE, ++n)
      await new Promise<void>(resolve => setImmediate(resolve))
    }
    const first = Number((await asked).d[ALICE].kv.n ?? 0)
    const last = ++n
    setNumber(small.presences, ALICE, last)
    for (const [client, from] of [
      [follower, 1],
      [late, first + 1],
    ] as const) {
      for (let next = from; next <= last; next++) expect(numbers([await client.next()])).toEqual([next])
    }
    await small.stop()
  })
})

describe('what is not listened to', () => {
  test('is never made into text', async () => {
    const asked: string[] = []
    const snapshot = server.presences.snapshot.bind(server.presences)
    Object.assign(server.presences, {
      snapshot(id: string) {
        asked.push(id)
        return snapshot(id)
      },
    })
    const client = await server.client()
    setNumber(server.presences, ALICE, 1)
    await client.follow({ subscribe_to_id: BOB })
    setNumber(server.presences, ALICE, 2)
    await client.soFar()
    expect(asked).toEqual([BOB])
    const picky = await server.client()
    await picky.follow({ subscribe_to_all: true })
    picky.send({ op: 4, d: { unsubscribe_from_id: ALICE } })
    await picky.soFar()
    for (const gone of [client, picky]) {
      gone.close()
      await gone.closed
    }
    await server.client()
    asked.length = 0
    setNumber(server.presences, BOB, 3)
    expect(asked).toEqual([])
  })
})
