import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createManualClock } from '../discord/clocks.ts'
import {
  type Frame,
  inflateWhole,
  join,
  numbers,
  type RawClient,
  setNumber,
  startServer,
  type TestServer,
  upgradeHead,
  type WireFrame,
  wireFrame,
} from './support.ts'

setDefaultTimeout(30_000)

const ALICE = '94490510688792576'
const KILOBYTE = 1024
const MEGABYTE = 1024 * KILOBYTE
/** Milliseconds: what a periodic check would mend as well must work without it. */
const NEVER = 3_600_000

let server: TestServer
afterEach(() => server.stop())

/** Text that does not compress well. */
const noise = (length: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(length / 2))).toString('hex')

function joinMany(count: number, size: number): void {
  const details = noise(size + 2 * count)
  for (let i = 1; i <= count; i++) {
    const activity = { id: `a${i}`, type: 0, name: 'ü', details: details.slice(i, i + size) }
    join(server.presences, String(i), { status: 'online', activities: [activity] })
  }
}

function parse({ opcode, payload }: WireFrame): Frame {
  return JSON.parse(opcode === 2 ? inflateWhole(payload) : payload.toString())
}

/** A client that stops reading when it has its hello. */
async function unread(query = '', address = '127.0.0.1'): Promise<RawClient> {
  const raw = server.raw(upgradeHead([`x-address: ${address}`], `/socket${query}`))
  await raw.next()
  raw.tcp.pause()
  return raw
}

/** Reads a piece, lets the server work, reads the next. */
function readSlowly({ tcp }: RawClient): void {
  tcp.on('data', () => {
    tcp.pause()
    setImmediate(() => tcp.resume())
  })
  tcp.resume()
}

/** Resolves when this holds; looks whenever the server has done something else. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>(resolve => setImmediate(resolve))
}

const followEverybody = (sockets: number) => () =>
  server.metrics.render().includes(`exoix_subscriptions{to="everybody"} ${sockets}\n`)

const count = (name: string) => Number(new RegExp(`^exoix_${name} (\\d+)$`, 'm').exec(server.metrics.render())?.[1])

describe('a client that does not read', () => {
  test.each(['', '?compression=zlib_json'])('is closed, and all others get everything in order: "%s"', async query => {
    server = startServer({ maxQueuedBytes: 256 * KILOBYTE })
    join(server.presences, ALICE)
    const slow = await unread(query)
    slow.send({ op: 2, d: { subscribe_to_all: true } })
    const reader = await server.client(query)
    await reader.follow({ subscribe_to_all: true })
    const filler = noise(30_000)
    let sent = 0
    const got: Frame[] = []
    while (count('slow_sockets_closed_total') === 0 && sent < 2000) {
      setNumber(server.presences, ALICE, sent++, filler)
      got.push(await reader.next())
    }
    expect(count('slow_sockets_closed_total')).toBe(1)
    expect(count('connected_sessions')).toBe(1)
    for (let i = 0; i < 10; i++) setNumber(server.presences, ALICE, sent++)
    got.push(...(await reader.soFar()))
    expect(numbers(got)).toEqual(Array.from({ length: sent }, (_, n) => n))
  })

  test('is closed too when it follows everybody but some', async () => {
    server = startServer({ maxQueuedBytes: 256 * KILOBYTE })
    join(server.presences, ALICE)
    const slow = await unread()
    slow.send({ op: 2, d: { subscribe_to_all: true } })
    slow.send({ op: 4, d: { unsubscribe_from_id: '1' } })
    const reader = await server.client()
    await reader.follow({ subscribe_to_id: ALICE })
    const filler = noise(30_000)
    for (let n = 0; count('slow_sockets_closed_total') === 0 && n < 2000; n++) {
      setNumber(server.presences, ALICE, n, filler)
      await reader.next()
    }
    expect(count('slow_sockets_closed_total')).toBe(1)
  })

  test('is not given answers without end: its op 2 waits, and too many that wait close it', async () => {
    server = startServer({ maxQueuedBytes: 64 * KILOBYTE })
    joinMany(400, 30_000)
    const greedy = await unread()
    const ids = Array.from({ length: 400 }, (_, i) => String(i + 1))
    for (let i = 0; i < 40; i++) greedy.send({ op: 2, d: { subscribe_to_ids: ids } })
    const other = await server.client()
    while (count('connected_sessions') === 2) await other.soFar()
    expect(count('messages_outbound')).toBeLessThan(20)
    expect(server.metrics.render()).toContain('exoix_socket_closes_total{code="4008"} 1\n')
  })
})

describe('a large INIT_STATE', () => {
  test.each(['', '?compression=zlib_json'])(
    'of 20,000 users is one message, and updates made while it is read follow in order: "%s"',
    async query => {
      server = startServer()
      joinMany(20_000, 1200)
      const reader = await unread(query)
      reader.send({ op: 2, d: { subscribe_to_all: true } })
      const watcher = await server.client()
      await watcher.follow({ subscribe_to_id: '1' })
      await until(followEverybody(1))
      readSlowly(reader)
      let n = 0
      const first = reader.next()
      let read = false
      void first.then(() => {
        read = true
      })
      while (!read || n < 50) {
        setNumber(server.presences, '1', n++)
        if ((await watcher.next()).d.kv.n !== String(n - 1)) throw new Error('the watcher missed an update')
      }
      const init = parse(await first)
      expect(init.t).toBe('INIT_STATE')
      expect(Object.keys(init.d)).toHaveLength(20_000)
      let next = Number(init.d['1'].kv.n ?? -1) + 1
      expect(next).toBe(0)
      for (; next < n; next++) expect(parse(await reader.next()).d.kv.n).toBe(String(next))
      expect(count('slow_sockets_closed_total')).toBe(0)
    },
  )

  test('is made once for all who ask at the same time', async () => {
    server = startServer()
    joinMany(3_000, 500)
    const ids = server.presences.ids.bind(server.presences)
    let made = 0
    Object.assign(server.presences, {
      ids() {
        made++
        return ids()
      },
    })
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.client()))
    for (const client of clients) client.send({ op: 2, d: { subscribe_to_all: true } })
    const states = await Promise.all(clients.map(client => client.next()))
    for (const state of states) expect(Object.keys(state.d)).toHaveLength(3_000)
    expect(made).toBeLessThan(10)
    setNumber(server.presences, '7', 7)
    for (const client of clients) expect(numbers([await client.next()])).toEqual([7])
  })
})

describe('what is large', () => {
  /** The most messages that went out in one turn of the event loop, until so many are out. */
  async function mostInATurn(messages: number): Promise<number> {
    let most = 0
    for (let last = count('messages_outbound'); last < messages; ) {
      await new Promise<void>(resolve => setImmediate(resolve))
      const now = count('messages_outbound')
      most = Math.max(most, now - last)
      last = now
    }
    return most
  }

  test.each(['', '?compression=zlib_json'])('goes out once a turn, however many ask at once: "%s"', async query => {
    server = startServer({ checkInterval: NEVER })
    joinMany(2_000, 5000)
    const clients = await Promise.all(Array.from({ length: 5 }, () => server.client(query)))
    const before = count('messages_outbound')
    for (const client of clients) client.send({ op: 2, d: { subscribe_to_all: true } })
    expect(await mostInATurn(before + 5)).toBe(1)
    const filler = noise(2 * MEGABYTE)
    setNumber(server.presences, '1', 1, filler)
    expect(await mostInATurn(before + 10)).toBe(1)
    for (const client of clients) expect(Object.keys((await client.next()).d)).toHaveLength(2_000)
    for (const client of clients) expect(numbers([await client.next()])).toEqual([1])
  })

  test('is kept for a second for others who ask, and not longer', async () => {
    const clock = createManualClock()
    server = startServer({ clock })
    joinMany(100, 100)
    let asked = 0
    const snapshot = server.presences.snapshot.bind(server.presences)
    Object.assign(server.presences, {
      snapshot(id: string) {
        asked++
        return snapshot(id)
      },
    })
    const client = await server.client()
    const askedFor = async () => {
      asked = 0
      await client.follow({ subscribe_to_all: true })
      return asked
    }
    expect([await askedFor(), await askedFor()]).toEqual([100, 0])
    clock.advance(999)
    expect(await askedFor()).toBe(0)
    clock.advance(1)
    expect(await askedFor()).toBe(100)
  })
})

describe('while a large INIT_STATE is read', () => {
  test('the client may ping, and ask again: answers come in order, none is lost', async () => {
    server = startServer({ checkInterval: NEVER })
    joinMany(8_000, 1200)
    const reader = await unread()
    reader.send({ op: 2, d: { subscribe_to_all: true } })
    reader.write(wireFrame(9, 'ping'))
    reader.send({ op: 2, d: { subscribe_to_id: '5' } })
    reader.send({ op: 4, d: { unsubscribe_from_all: true } })
    reader.send({ op: 2, d: { subscribe_to_ids: ['6'] } })
    const other = await server.client()
    await until(followEverybody(1))
    await other.follow({ subscribe_to_id: '5' })
    setNumber(server.presences, '5', 1)
    await other.next()
    readSlowly(reader)
    const frames: WireFrame[] = []
    while (frames.length < 5) frames.push(await reader.next())
    expect(frames.filter(frame => frame.opcode === 10).map(frame => frame.payload.toString())).toEqual(['ping'])
    const [all, update, one, many] = frames.filter(frame => frame.opcode === 1).map(parse)
    expect(Object.keys(all?.d)).toHaveLength(8_000)
    expect([update?.t, update?.d.kv.n]).toEqual(['PRESENCE_UPDATE', '1'])
    expect([one?.d.discord_user.id, one?.d.kv.n]).toEqual(['5', '1'])
    expect(Object.keys(many?.d)).toEqual(['6'])
    setNumber(server.presences, '5', 2)
    setNumber(server.presences, '6', 3)
    expect(parse(await reader.next()).d.user_id).toBe('6')
  })

  test.each([
    ['many users', 8_000, 1200],
    ['few users with much to tell', 100, 100_000],
  ])('others of %s wait for memory, small ones do not', async (_, users, size) => {
    server = startServer({ unread: { total: MEGABYTE }, checkInterval: NEVER })
    joinMany(users, size)
    const first = await unread()
    first.send({ op: 2, d: { subscribe_to_all: true } })
    const small = await server.client()
    await until(followEverybody(1))
    const second = await server.client()
    second.send({ op: 2, d: { subscribe_to_all: true } })
    let served = false
    const answer = second.next().then(frame => {
      served = true
      return frame
    })
    for (let i = 0; i < 50; i++) expect((await small.follow({ subscribe_to_id: '3' })).d.discord_user.id).toBe('3')
    expect(served).toBe(false)
    setNumber(server.presences, '3', 1)
    expect(numbers(await small.soFar())).toEqual([1])
    first.tcp.resume()
    const state = await answer
    expect(Object.keys(state.d)).toHaveLength(users)
    expect(state.d['3'].kv.n).toBe('1') // made when it was sent, so without the update behind it
    setNumber(server.presences, '3', 2)
    expect(numbers(await second.soFar())).toEqual([2])
  })

  test('a client that goes away makes room for those who wait', async () => {
    server = startServer({ unread: { total: MEGABYTE }, checkInterval: NEVER })
    joinMany(8_000, 1200)
    const first = await unread()
    first.send({ op: 2, d: { subscribe_to_all: true } })
    const second = await server.client()
    await until(followEverybody(1))
    second.send({ op: 2, d: { subscribe_to_all: true } })
    first.close()
    expect(Object.keys((await second.next()).d)).toHaveLength(8_000)
  })
})

describe('of many who wait for a large INIT_STATE', () => {
  test('one address gets its next only when no other waits, however many sockets it has', async () => {
    server = startServer({ unread: { total: MEGABYTE }, checkInterval: NEVER })
    joinMany(8_000, 1200)
    const first = await unread('', 'greedy')
    first.send({ op: 2, d: { subscribe_to_all: true } })
    const watcher = await server.client()
    await until(followEverybody(1))
    for (let i = 0; i < 5; i++) (await unread('', 'greedy')).send({ op: 2, d: { subscribe_to_all: true } })
    await watcher.soFar()
    const other = await unread('', 'modest')
    other.send({ op: 2, d: { subscribe_to_all: true } })
    await watcher.soFar()
    other.tcp.resume()
    // Whoever of the greedy were next would keep the memory: they do not read.
    first.close()
    expect(Object.keys(parse(await other.next()).d)).toHaveLength(8_000)
  })
})

describe('an update of megabytes', () => {
  const pairs = noise(6 * MEGABYTE)

  test('reaches readers whole, however often, and under numbers that rise', async () => {
    server = startServer()
    join(server.presences, ALICE)
    join(server.presences, '1')
    const clients = await Promise.all(['', '?compression=zlib_json'].map(query => server.client(query)))
    for (const client of clients) await client.follow({ subscribe_to_all: true })
    clients[0]?.send({ op: 4, d: { unsubscribe_from_id: '2' } })
    await clients[0]?.soFar()
    for (let n = 0; n < 3; n++) {
      setNumber(server.presences, '1', 10 * n)
      setNumber(server.presences, ALICE, 10 * n + 1, pairs)
      setNumber(server.presences, '1', 10 * n + 2)
      for (const client of clients) {
        const frames = [await client.next(), await client.next(), await client.next()]
        expect(numbers(frames).sort((a, b) => a - b)).toEqual([10 * n, 10 * n + 1, 10 * n + 2])
        expect(frames.find(frame => frame.d.user_id === ALICE)?.d.kv.filler).toBe(pairs)
        const seqs = frames.map(frame => frame.seq)
        expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
      }
    }
    expect(count('slow_sockets_closed_total')).toBe(0)
  })

  test('is without user_id for who follows that person alone', async () => {
    server = startServer()
    join(server.presences, ALICE)
    const clients = await Promise.all(['', '?compression=zlib_json'].map(query => server.client(query)))
    for (const client of clients) await client.follow({ subscribe_to_id: ALICE })
    setNumber(server.presences, ALICE, 1, pairs)
    for (const client of clients) {
      const { d } = await client.next()
      expect(d).toEqual(JSON.parse(server.presences.snapshot(ALICE)?.json ?? ''))
    }
  })

  test('is made and sent once for changes that come together: the newest', async () => {
    server = startServer()
    join(server.presences, ALICE)
    setNumber(server.presences, ALICE, 0, pairs)
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    setNumber(server.presences, ALICE, 1, pairs)
    expect(numbers([await client.next()])).toEqual([1])
    let made = 0
    const snapshot = server.presences.snapshot.bind(server.presences)
    Object.assign(server.presences, {
      snapshot(id: string) {
        made++
        return snapshot(id)
      },
    })
    for (let n = 2; n <= 500; n++) setNumber(server.presences, ALICE, n, pairs)
    expect(made).toBe(0)
    expect(numbers([await client.next()])).toEqual([500])
    expect(made).toBeLessThan(5)
    expect(await client.soFar()).toEqual([])
    expect(count('slow_sockets_closed_total')).toBe(0)
  })

  test('comes once, as one of usual size, when it has become one meanwhile', async () => {
    server = startServer()
    join(server.presences, ALICE)
    setNumber(server.presences, ALICE, 0, pairs)
    const reader = await unread()
    reader.send({ op: 2, d: { subscribe_to_all: true } })
    await until(followEverybody(1))
    // It waits for the reader, who has not taken the first.
    setNumber(server.presences, ALICE, 1, pairs)
    const other = await server.client()
    await other.follow({ subscribe_to_id: ALICE })
    setNumber(server.presences, ALICE, 2)
    expect(numbers([await other.next()])).toEqual([2])
    reader.tcp.resume()
    const frames = [await reader.next(), await reader.next()].map(parse)
    expect(frames.map(({ t, d }) => [t, (d.kv ?? d[ALICE].kv).n])).toEqual([
      ['INIT_STATE', '0'],
      ['PRESENCE_UPDATE', '2'],
    ])
    await other.soFar()
    setNumber(server.presences, ALICE, 3)
    expect(numbers([parse(await reader.next())])).toEqual([3])
  })

  test('is not sent again to who has it from an INIT_STATE', async () => {
    server = startServer()
    join(server.presences, ALICE)
    const client = await server.client()
    await client.follow({ subscribe_to_ids: [ALICE] })
    setNumber(server.presences, ALICE, 1, pairs)
    client.send({ op: 2, d: { subscribe_to_ids: [ALICE] } })
    const frames = [await client.next()]
    if (frames[0]?.t === 'PRESENCE_UPDATE') frames.push(await client.next())
    expect(await client.soFar()).toEqual([])
    expect(frames.at(-1)?.t).toBe('INIT_STATE')
  })

  test.each(['', '?compression=zlib_json'])(
    'takes bounded memory: those for whom there is none wait, and get the newest: "%s"',
    async query => {
      server = startServer({ unread: { total: MEGABYTE }, checkInterval: NEVER })
      join(server.presences, ALICE)
      const idle = await Promise.all(Array.from({ length: 10 }, () => unread(query)))
      for (const raw of idle) raw.send({ op: 2, d: { subscribe_to_all: true } })
      await until(followEverybody(10))
      const before = count('messages_outbound')
      for (let n = 0; n < 3; n++) {
        setNumber(server.presences, ALICE, n, pairs)
        await until(() => count('messages_outbound') > before)
      }
      const small = await server.client()
      await small.follow({ subscribe_to_id: '1' })
      expect(server.unread.held).toBeLessThan(7 * MEGABYTE)
      expect(count('connected_sessions')).toBe(11)
      for (const raw of idle) raw.tcp.resume()
      for (const raw of idle) {
        await raw.next()
        let frame = parse(await raw.next())
        while (frame.d.kv.n !== '2') frame = parse(await raw.next())
      }
      expect(count('slow_sockets_closed_total')).toBe(0)
    },
  )
})
