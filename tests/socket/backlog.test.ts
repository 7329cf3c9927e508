import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createBacklogs } from '../../src/socket/backlogs.ts'
import { createSession, type Socket } from '../../src/socket/session.ts'
import {
  type Client,
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
async function unread(query = ''): Promise<RawClient> {
  const raw = server.raw(upgradeHead([], `/socket${query}`))
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

/** Everything sent to the server before is with it when something asked later is answered; that may take a few rounds. */
async function untilOneFollowsEverybody(asker: Client): Promise<void> {
  while (!server.metrics.render().includes('exoix_subscriptions{to="everybody"} 1\n')) await asker.soFar()
}

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
      await untilOneFollowsEverybody(watcher)
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
    const { ids } = server.presences
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

describe('while a large INIT_STATE is read', () => {
  test('the client may ping, and ask again: answers come in order, none is lost', async () => {
    server = startServer()
    joinMany(8_000, 1200)
    const reader = await unread()
    reader.send({ op: 2, d: { subscribe_to_all: true } })
    reader.write(wireFrame(9, 'ping'))
    reader.send({ op: 2, d: { subscribe_to_id: '5' } })
    reader.send({ op: 4, d: { unsubscribe_from_all: true } })
    reader.send({ op: 2, d: { subscribe_to_ids: ['6'] } })
    const other = await server.client()
    await untilOneFollowsEverybody(other)
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

  test('others like it wait for memory, small ones do not', async () => {
    server = startServer({ maxInitialBytes: MEGABYTE })
    joinMany(8_000, 1200)
    const first = await unread()
    first.send({ op: 2, d: { subscribe_to_all: true } })
    const small = await server.client()
    await untilOneFollowsEverybody(small)
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
    expect(Object.keys(state.d)).toHaveLength(8_000)
    expect(state.d['3'].kv.n).toBe('1') // made when it was sent, so without the update behind it
    setNumber(server.presences, '3', 2)
    expect(numbers(await second.soFar())).toEqual([2])
  })

  test('a client that goes away makes room for those who wait', async () => {
    server = startServer({ maxInitialBytes: MEGABYTE })
    joinMany(8_000, 1200)
    const first = await unread()
    first.send({ op: 2, d: { subscribe_to_all: true } })
    const second = await server.client()
    await untilOneFollowsEverybody(second)
    second.send({ op: 2, d: { subscribe_to_all: true } })
    first.close()
    expect(Object.keys((await second.next()).d)).toHaveLength(8_000)
  })
})

describe('the bounds of a queue', () => {
  /** Stands in for Bun's socket: only its queue and session are looked at. */
  function queues() {
    const closed: Socket[] = []
    const sockets = new Set<Socket>()
    const socket = (queued: number) => {
      const made = { queued, data: createSession(false, '', 0), getBufferedAmount: () => made.queued }
      sockets.add(made as unknown as Socket)
      return made as typeof made & Socket
    }
    const closeSlow = (ws: Socket) => {
      closed.push(ws)
      sockets.delete(ws)
      backlogs.forget(ws)
    }
    const backlogs = createBacklogs({ sockets, maxQueuedBytes: 1000, minReadRate: 10, closeSlow })
    return { closed, socket, backlogs }
  }

  test('are looked at after every quarter of the bound', () => {
    server = startServer()
    const { closed, socket, backlogs } = queues()
    const ws = socket(1001)
    backlogs.queued(249)
    expect(closed).toEqual([])
    backlogs.queued(1)
    expect(closed).toEqual([ws])
  })

  test('grow by what is left of the last initial state, and shrink as it is read', () => {
    server = startServer()
    const { closed, socket, backlogs } = queues()
    const ws = socket(50_000)
    backlogs.excuse(ws)
    ws.queued = 51_000
    backlogs.queued(1000)
    ws.queued = 20_000
    backlogs.drained(ws)
    ws.queued = 21_000
    backlogs.queued(1000)
    expect(closed).toEqual([])
    expect(backlogs.excess()).toBe(21_000)
    ws.queued = 21_001
    backlogs.queued(1000)
    expect(closed).toEqual([ws])
    expect(backlogs.excess()).toBe(0)
  })

  test('are no excuse to stop reading', () => {
    server = startServer()
    const { closed, socket, backlogs } = queues()
    const [stuck, moving, done] = [socket(50_000), socket(50_000), socket(50_000)]
    for (const ws of [stuck, moving, done]) backlogs.excuse(ws)
    const start = performance.now()
    backlogs.checkProgress(start + 9_000, false)
    expect(closed).toEqual([])
    stuck.queued -= 10
    moving.queued -= 1000
    done.queued = 0
    backlogs.checkProgress(start + 11_000, false)
    expect(closed).toEqual([stuck])
    moving.queued -= 1
    backlogs.checkProgress(start + 15_000, false)
    expect(closed).toEqual([stuck])
    backlogs.checkProgress(start + 22_000, false)
    expect(closed).toEqual([stuck, moving])
  })

  test('leave fifteen seconds when others wait for the memory', () => {
    server = startServer()
    const { closed, socket, backlogs } = queues()
    const ws = socket(50_000)
    backlogs.excuse(ws)
    const start = performance.now()
    ws.queued = 30_000
    backlogs.checkProgress(start + 14_000, true)
    ws.queued = 10_000
    backlogs.checkProgress(start + 16_000, false)
    expect(closed).toEqual([])
    backlogs.checkProgress(start + 16_000, true)
    expect(closed).toEqual([ws])
  })
})
