import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { DEFAULTS } from '../../src/live/session.ts'
import {
  closeOf,
  inflateWhole,
  join,
  openBare,
  setNumber,
  startServer,
  type TestServer,
  upgradeHead,
  wireFrame,
} from './support.ts'

// Generous, because a machine may be busy with much else.
setDefaultTimeout(30_000)

const ALICE = '94490510688792576'
const HELLO = { op: 1, d: { heartbeat_interval: 30000 } }

let server: TestServer
beforeEach(() => {
  server = startServer()
  join(server.presences, ALICE)
})
afterEach(() => server.stop())

describe('hello', () => {
  test('is the first frame', async () => {
    for (const query of ['', '?compression=zlib_json']) {
      const client = openBare(server.url + query)
      expect(await client.next()).toEqual(HELLO as never)
      expect(await client.soFar()).toEqual([])
      client.close()
    }
  })

  test('comes a moment after the answer to the upgrade, in a packet of its own', async () => {
    let together = 0
    for (let round = 0; round < 20; round++) {
      const raw = server.raw()
      expect(JSON.parse((await raw.next()).payload.toString())).toEqual(HELLO)
      if (!raw.chunks[0]?.toString('latin1').endsWith('\r\n\r\n')) together++
      raw.close()
    }
    // A machine that stalls this process may make the client find both in its buffer now and then, but not every time.
    expect(together).toBeLessThan(10)
  })

  test('comes first even when the client speaks in the same breath as it connects', async () => {
    const early = wireFrame(1, '{"op":2,"d":{"subscribe_to_all":true}}')
    const raw = server.raw(Buffer.concat([Buffer.from(upgradeHead()), early]))
    expect(JSON.parse((await raw.next()).payload.toString())).toEqual(HELLO)
    expect(JSON.parse((await raw.next()).payload.toString())).toMatchObject({ t: 'INIT_STATE' })
  })

  test('comes before the close of a client that begins with nonsense', async () => {
    const raw = server.raw()
    raw.write(wireFrame(1, 'nonsense'))
    expect(JSON.parse((await raw.next()).payload.toString())).toEqual(HELLO)
    expect(closeOf(await raw.next()).code).toBe(4006)
  })
})

describe('compression', () => {
  test('zlib_json: every message is one complete zlib stream in a binary frame', async () => {
    const raw = server.raw(upgradeHead([], '/socket?compression=zlib_json'))
    const hello = await raw.next()
    raw.send({ op: 2, d: { subscribe_to_all: true } })
    const init = await raw.next()
    setNumber(server.presences, ALICE, 1)
    const update = await raw.next()
    for (const frame of [hello, init, update]) expect(frame.opcode).toBe(2)
    expect(JSON.parse(inflateWhole(hello.payload))).toEqual(HELLO)
    expect(JSON.parse(inflateWhole(init.payload)).t).toBe('INIT_STATE')
    expect(JSON.parse(inflateWhole(update.payload)).d.user_id).toBe(ALICE)
  })

  test.each([
    '',
    '?compression=',
    '?compression=zlib',
    '?compression=ZLIB_JSON',
    '?compression=zlib-stream',
    '?a=zlib_json',
  ])('any other value means plain text frames: "%s"', async query => {
    const raw = server.raw(upgradeHead([], `/socket${query}`))
    const hello = await raw.next()
    expect([hello.opcode, JSON.parse(hello.payload.toString())]).toEqual([1, HELLO])
  })

  test('permessage-deflate is not negotiated, nor used', async () => {
    const raw = server.raw(upgradeHead(['Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits']))
    expect((await raw.response).toLowerCase()).not.toContain('sec-websocket-extensions')
    raw.send({ op: 2, d: { subscribe_to_all: true } })
    expect((await raw.next()).rsv).toBe(0)
    expect((await raw.next()).rsv).toBe(0)
  })
})

describe('a client may', () => {
  test('send JSON in binary frames', async () => {
    const client = await server.client()
    client.socket.send(Buffer.from(JSON.stringify({ op: 2, d: { subscribe_to_ids: [ALICE] } })))
    expect((await client.next()).t).toBe('INIT_STATE')
  })

  test('send 64 KiB, and a frame in fragments', async () => {
    const raw = server.raw()
    await raw.next()
    const text = JSON.stringify({ op: 2, d: { subscribe_to_id: ALICE, filler: 'ü' } })
    const bytes = Buffer.from(text + ' '.repeat(65_536 - Buffer.byteLength(text)))
    const split = bytes.indexOf('ü') + 1 // in the middle of a character
    raw.write(wireFrame(1, bytes.subarray(0, split), false), wireFrame(0, bytes.subarray(split)))
    expect(JSON.parse((await raw.next()).payload.toString()).t).toBe('INIT_STATE')
  })

  test('ping, and gets the same bytes back', async () => {
    const raw = server.raw()
    await raw.next()
    raw.write(wireFrame(9, 'are you there'))
    const pong = await raw.next()
    expect([pong.opcode, pong.payload.toString()]).toEqual([10, 'are you there'])
  })

  test('send pongs nobody asked for', async () => {
    const raw = server.raw()
    await raw.next()
    raw.write(wireFrame(10, ''), wireFrame(10, 'x'))
    raw.send({ op: 2, d: { subscribe_to_id: ALICE } })
    expect((await raw.next()).opcode).toBe(1)
  })

  test('close, and is forgotten', async () => {
    const client = await server.client()
    await client.follow({ subscribe_to_all: true })
    const named = await server.client()
    await named.follow({ subscribe_to_ids: [ALICE, '1'] })
    expect(server.metrics.render()).toContain('exoix_subscriptions{to="one_user"} 2\n')
    for (const { socket, closed } of [client, named]) {
      socket.close(1000)
      expect((await closed).code).toBe(1000)
    }
    const rendered = server.metrics.render()
    expect(rendered).toContain('exoix_connected_sessions 0\n')
    expect(rendered).toContain('exoix_subscriptions{to="everybody"} 0\n')
    expect(rendered).toContain('exoix_subscriptions{to="one_user"} 0\n')
    expect(rendered).toContain('exoix_socket_closes_total{code="1000"} 2\n')
    expect(server.server.subscriberCount('all')).toBe(0)
  })
})

describe('silence', () => {
  test('drops a client that is sent updates and says nothing, and keeps one that only pongs', async () => {
    const maxSilence = 400
    const impatient = startServer({ maxSilence, checkInterval: 20, frameBurst: Number.MAX_SAFE_INTEGER })
    join(impatient.presences, ALICE)
    const [silent, alive] = [impatient.raw(), impatient.raw()]
    for (const raw of [silent, alive]) {
      await raw.next()
      raw.send({ op: 2, d: { subscribe_to_all: true } })
      await raw.next()
    }
    const since = performance.now()
    let over = false
    void silent.closed.then(() => {
      over = true
    })
    for (let n = 0; !over; n++) {
      setNumber(impatient.presences, ALICE, n)
      await alive.next()
      alive.write(wireFrame(10, ''))
    }
    expect(performance.now() - since).toBeGreaterThan(maxSilence - 50)
    alive.write(wireFrame(9, 'still here'))
    let frame = await alive.next()
    while (frame.opcode !== 10) frame = await alive.next()
    expect(impatient.metrics.render()).toContain('exoix_silent_sockets_closed_total 1\n')
    await impatient.stop()
  })

  test('is not that of clients whose frames wait to be read because the process stood still', async () => {
    const maxSilence = 500
    const stopped = startServer({ maxSilence, checkInterval: 10 })
    const clients = Array.from({ length: 5 }, () => stopped.raw())
    const gone = Array.from({ length: 5 }, () => stopped.raw())
    for (const raw of [...clients, ...gone]) await raw.next()
    for (const raw of clients) raw.send({ op: 3 })
    // As if it were suspended: what clients send meanwhile arrives, and nothing is done about it.
    Bun.sleepSync(maxSilence + 100)
    await Promise.all(gone.map(raw => raw.closed))
    for (const raw of clients) {
      raw.send({ op: 2, d: { subscribe_to_id: ALICE } })
      expect(JSON.parse((await raw.next()).payload.toString()).t).toBe('INIT_STATE')
    }
    expect(stopped.metrics.render()).toContain('exoix_silent_sockets_closed_total 5\n')
    await stopped.stop()
  })

  test('is suffered for a minute at least', () => {
    expect(DEFAULTS.maxSilence).toBeGreaterThanOrEqual(60_000)
    expect(DEFAULTS.maxSilence + DEFAULTS.checkInterval).toBeLessThanOrEqual(64_000)
  })
})

describe('the number of sockets an address', () => {
  test('is limited before the upgrade, and closing one makes room', async () => {
    const small = startServer({ maxSocketsPerAddress: 2 })
    const head = (address: string) => upgradeHead([`X-Address: ${address}`])
    const first = small.raw(head('192.0.2.1'))
    await first.next()
    await small.raw(head('192.0.2.1')).next()
    expect(await small.raw(head('192.0.2.1')).response).toStartWith('HTTP/1.1 429')
    expect(await small.raw(head('192.0.2.2')).response).toStartWith('HTTP/1.1 101')
    first.write(wireFrame(8, Buffer.from([0x03, 0xe8])))
    expect(closeOf(await first.next()).code).toBe(1000)
    expect(await small.raw(head('192.0.2.1')).response).toStartWith('HTTP/1.1 101')
    await small.stop()
  })
})

describe('the end', () => {
  test('closes every socket with 1001 behind what was still to be sent, and lets go of the store', async () => {
    const clients = [await server.client(), await server.client('?compression=zlib_json')]
    for (const client of clients) await client.follow({ subscribe_to_all: true })
    setNumber(server.presences, ALICE, 1)
    server.close()
    for (const client of clients) {
      expect((await client.next()).d.kv).toEqual({ n: '1' })
      expect((await client.closed).code).toBe(1001)
    }
    expect(server.listeners()).toBe(0)
    expect(server.metrics.render()).toContain('exoix_connected_sessions 0\n')
    expect(await server.raw().response).toStartWith('HTTP/1.1 400')
  })
})

test('a request that is no upgrade is refused by upgrade()', async () => {
  const response = await fetch(`http://127.0.0.1:${server.port}/socket`)
  expect(response.status).toBe(400)
})

test('messages are counted, deliveries one by one', async () => {
  const clients = await Promise.all(['', '', '?compression=zlib_json'].map(query => server.client(query)))
  for (const client of clients) await client.follow({ subscribe_to_all: true })
  setNumber(server.presences, ALICE, 1)
  for (const client of clients) await client.next()
  const rendered = server.metrics.render()
  expect(rendered).toContain('exoix_messages_inbound 3\n')
  expect(rendered).toContain('exoix_messages_outbound 9\n') // three hellos, initial states and updates
})
