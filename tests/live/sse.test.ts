import { describe, expect, test } from 'bun:test'
import { once } from 'node:events'
import { connect } from 'node:net'
import { ADA, codeOf, KEY, type Options, startServer } from '../http/harness.ts'
import { type EventClient, openEvents, type ServerEvent } from '../support/events.ts'

const PATH = `/v1/users/${ADA}/events`

/** The server of the other tests, and clients that are closed with it. */
function start(options: Options = {}) {
  const server = startServer(options)
  const clients: EventClient[] = []
  const port = server.port
  return {
    ...server,
    port,
    open(path = PATH, headers: readonly string[] = [], method = 'GET') {
      const client = openEvents(port, path, headers, method)
      clients.push(client)
      return client
    },
    status: (status: string) => void server.presences.patchPresence({ user: { id: ADA }, status }),
    kv: (text: string) => server.presences.setKv(ADA, new Map([['a', text]])),
    streams: () => Number(/exoix_event_streams (\d+)/.exec(server.metrics.render())?.[1]),
    slow: () => Number(/slow_event_streams_closed_total (\d+)/.exec(server.metrics.render())?.[1]),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await server.stop()
    },
  }
}

const statusOf = ({ data }: ServerEvent) => data.discord_status

/** Resolves when this holds; looks whenever the server has done something else. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>(resolve => setImmediate(resolve))
}

describe('events of a person', () => {
  test('begin with how they are and go on with every change, under numbers that rise', async () => {
    await using server = start()
    const client = server.open()
    const first = await client.next()
    expect(first.data).toEqual(JSON.parse(server.presences.snapshot(ADA)?.json ?? ''))
    server.status('dnd')
    const second = await client.next()
    server.kv('b')
    const third = await client.next()
    expect([statusOf(second), third.data.kv]).toEqual(['dnd', { a: 'b' }])
    expect(first.id).toBeLessThan(second.id)
    expect(second.id).toBeLessThan(third.id)
    expect(client.retry).toBeWithin(1000, 10_000)
  })

  test('come as a body that nothing on the way may gather or keep', async () => {
    await using server = start()
    const [status, ...lines] = await server.open(PATH, ['Accept-Encoding: gzip, zstd']).head()
    const headers = new Headers(
      lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    )
    expect(status).toBe('HTTP/1.1 200 OK')
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
    })
    expect(headers.has('content-encoding')).toBe(false)
  })

  test('all come, in order, out of a burst', async () => {
    await using server = start()
    const clients = [server.open(), server.open()]
    for (const client of clients) await client.next()
    for (let round = 0; round < 3; round++) {
      for (let at = 0; at < 100; at++) server.kv(`${round}:${at}`)
      for (const client of clients) {
        const events = await client.nextUntil(({ data }) => data.kv.a === `${round}:99`)
        expect(events.map(({ data }) => data.kv.a)).toEqual(Array.from({ length: 100 }, (_, at) => `${round}:${at}`))
        expect(events.every(({ id }, at) => at === 0 || id > (events[at - 1]?.id ?? id))).toBe(true)
      }
    }
  })

  test('begin with the newest for who comes in the middle of a burst, and nothing comes twice', async () => {
    await using server = start()
    const early = server.open()
    await early.next()
    server.kv('1')
    const late = server.open()
    await until(() => server.streams() === 2)
    server.kv('2')
    const events = await late.nextUntil(({ data }) => data.kv.a === '2')
    expect(events.map(({ data }) => data.kv.a)).toEqual(['1', '2'])
    expect((await early.nextUntil(({ data }) => data.kv.a === '2')).length).toBe(2)
  })

  test('do not come of who changes nothing, leaves or hides; and go on when they are back', async () => {
    await using server = start()
    const client = server.open()
    await client.next()
    server.status('online')
    server.presences.setHidden(ADA, true)
    server.status('dnd')
    server.kv('hidden')
    server.presences.setHidden(ADA, false)
    expect(await client.next()).toMatchObject({ data: { discord_status: 'dnd', kv: { a: 'hidden' } } })
    server.presences.removeGuild('1')
    server.presences.putMember('2', { user: { id: ADA, username: 'countess' } })
    expect((await client.next()).data.discord_user.username).toBe('countess')
  })

  test('begin anew with how they are now, whatever the client says it has heard last', async () => {
    await using server = start()
    const before = server.open()
    const { id } = await before.next()
    before.close()
    server.status('idle')
    const again = server.open(PATH, [`Last-Event-ID: ${id}`])
    const event = await again.next()
    expect(statusOf(event)).toBe('idle')
    expect(event.id).toBeGreaterThan(id)
    expect(statusOf(await server.open(PATH, ['Last-Event-ID: nonsense\u00ff']).next())).toBe('idle')
  })

  test('are those of its owner for a key at @me, and of nobody without one', async () => {
    await using server = start()
    for (const path of ['/v1/users/@me/events', '/v1/users/%40me/events', '//v1/users/@me/events/']) {
      const client = server.open(path, [`Authorization: ${KEY}`])
      expect((await client.next()).data.discord_user.id).toBe(ADA)
      expect((await server.get(path)).status).toBe(401)
    }
  })
})

describe('a stream', () => {
  test('is never begun for somebody who is not shown: the answer is the usual envelope', async () => {
    await using server = start()
    const told = async (path: string) => {
      const answer = await server.get(path)
      return [answer.status, await codeOf(answer)]
    }
    expect(await told('/v1/users/1/events')).toEqual([404, 'user_not_monitored'])
    server.presences.setReadiness('starting')
    expect(await told('/v1/users/1/events')).toEqual([503, 'starting'])
    server.presences.setHidden(ADA, true)
    expect(await told(PATH)).toEqual([503, 'starting'])
    expect(server.streams()).toBe(0)
  })

  test('is described by HEAD, which opens none', async () => {
    await using server = start()
    for (const path of [PATH, `/${PATH}/`]) {
      const answer = await server.get(path, {}, { method: 'HEAD' })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
      expect(answer.headers.has('content-length')).toBe(false)
    }
    expect((await server.get('/v1/users/1/events', {}, { method: 'HEAD' })).status).toBe(404)
    expect(server.streams()).toBe(0)
  })

  test('that says nothing for a while is kept alive by comments', async () => {
    await using server = start({ events: { keepAlive: 5, checkInterval: 1 } })
    const client = server.open()
    await client.until(() => client.comments.length >= 3)
    expect(new Set(client.comments)).toEqual(new Set([': keep-alive']))
    server.status('dnd')
    expect((await client.nextUntil(event => statusOf(event) === 'dnd')).length).toBe(2)
  })

  test('leaves nothing behind when its client goes, in whatever way', async () => {
    await using server = start({ events: { checkInterval: 1 } })
    const ways = [
      (client: EventClient) => client.close(),
      (client: EventClient) => client.tcp.resetAndDestroy(),
      (client: EventClient) => client.tcp.end(),
    ]
    for (const leave of ways) {
      const clients = [server.open(), server.open(`/${PATH}`), server.open()]
      for (const client of clients) await client.next()
      expect(server.streams()).toBe(3)
      for (const client of clients) leave(client)
      await until(() => server.streams() === 0)
    }
    const controller = new AbortController()
    await fetch(server.url + PATH, { signal: controller.signal })
    expect(server.streams()).toBe(1)
    controller.abort()
    await until(() => server.streams() === 0)
    server.status('idle')
    expect(statusOf(await server.open().next())).toBe('idle')
  })

  test('ends at once, and properly, when the server stops', async () => {
    const server = start({ grace: 60_000 })
    const client = server.open()
    await client.next()
    server.status('dnd')
    await server.stop()
    expect(statusOf(await client.next())).toBe('dnd')
    await client.closed
    expect([client.whole, server.streams()]).toEqual([true, 0])
  })
})

test('a stream that is asked for while the server stops begins and ends', async () => {
  const asked = Promise.withResolvers<void>()
  const written = Promise.withResolvers<void>()
  const put = () => {
    asked.resolve()
    return written.promise
  }
  const server = start({ kv: { put } })
  const writing = server.get('/v1/users/@me/kv/a', { Authorization: KEY }, { method: 'PUT', body: 'x' })
  await asked.promise
  const late = connect(server.port, '127.0.0.1')
  late.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  await once(late, 'data')
  late.write(`GET ${PATH} HTTP/1.1\r\n`)
  // The server has read it when it answers what was sent after it.
  await server.get('/health')
  const stopped = server.stop()
  let answer = ''
  late.on('data', chunk => {
    answer += chunk.toString()
  })
  late.write('Host: x\r\n\r\n')
  await once(late, 'close')
  expect(answer).toContain('\nid: ')
  expect(answer).toEndWith('\r\n0\r\n\r\n')
  expect(server.streams()).toBe(0)
  written.resolve()
  await Promise.all([writing, stopped])
})

describe('streams of one address', () => {
  test('count with its sockets towards the limit; closing one makes room', async () => {
    await using server = start({ config: { maxSocketsPerAddress: 2, trustedProxies: ['127.0.0.1'] } })
    const from = (address: string) => [`X-Forwarded-For: ${address}`]
    server.addresses.opened('192.0.2.1')
    const first = server.open(PATH, from('192.0.2.1'))
    await first.next()
    expect(server.addresses.admits('192.0.2.1')).toBe(false)
    for (const path of [PATH, `/${PATH}`]) {
      const refused = await server.get(path, { 'X-Forwarded-For': '192.0.2.1' })
      expect([refused.status, await codeOf(refused)]).toEqual([429, 'rate_limited'])
      expect(refused.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    }
    await server.open(PATH, from('192.0.2.2')).next()
    for (let at = 0; at < 3; at++) await server.open().next()
    first.close()
    await until(() => server.addresses.admits('192.0.2.1'))
    await server.open(PATH, from('192.0.2.1')).next()
  })
})

describe('a client that does not read', () => {
  /** More than a connection takes by itself, so that some of it has to wait in the server. */
  const large = (mark: string) => mark + 'x'.repeat(8_000_000)
  const markOf = ({ data }: ServerEvent) => data.kv.a?.[0]
  const rises = (events: readonly ServerEvent[]) =>
    events.every(({ id }, at) => at === 0 || id > (events[at - 1]?.id ?? id))

  async function stalled(server: ReturnType<typeof start>) {
    const client = server.open()
    await client.next()
    client.tcp.pause()
    return client
  }

  test('gets the newest when it reads again, holds one event at most, and keeps nobody else waiting', async () => {
    await using server = start()
    const [slow, other] = [await stalled(server), server.open()]
    await other.next()
    const marks = Array.from({ length: 80 }, (_, at) => String.fromCharCode(0x4e00 + at))
    for (const mark of marks) {
      server.kv(mark + 'x'.repeat(500_000))
      await other.nextUntil(event => markOf(event) === mark)
    }
    slow.tcp.resume()
    const events = await slow.nextUntil(event => markOf(event) === marks.at(-1))
    // What the system's own buffers take (some megabytes), one that waited, and the newest.
    expect(events.length).toBeLessThan(40)
    expect(rises(events)).toBe(true)
    server.kv('!')
    expect(markOf(await slow.next())).toBe('!')
  })

  test('is not told of somebody who hid meanwhile', async () => {
    await using server = start({ events: { keepAlive: 5, checkInterval: 1 } })
    const client = await stalled(server)
    server.kv(large('a'))
    await until(() => server.unread.held > 0)
    server.kv('secret')
    server.presences.setHidden(ADA, true)
    client.tcp.resume()
    await client.next()
    const { length } = client.comments
    await client.until(() => client.comments.length > length)
    server.kv('b')
    server.presences.setHidden(ADA, false)
    expect(markOf(await client.next())).toBe('b')
  })

  test('is closed when it has not read for long', async () => {
    await using server = start({ events: { patience: 1, checkInterval: 1 } })
    const client = await stalled(server)
    server.kv(large('a'))
    await until(() => server.slow() === 1)
    expect(server.streams()).toBe(0)
    client.tcp.resume()
    await client.closed
    expect(client.whole).toBe(false)
    server.kv('b')
    expect(markOf(await server.open().next())).toBe('b')
  })

  test('is not one that has read what it got while the process stood still', async () => {
    await using server = start({ events: { patience: 400, checkInterval: 10 } })
    const client = await stalled(server)
    server.kv(large('a'))
    await until(() => server.unread.held > 0)
    client.tcp.resume()
    Bun.sleepSync(500)
    expect(markOf(await client.next())).toBe('a')
    expect(server.slow()).toBe(0)
  })

  test('is told what waits in the order it happened, and once, when it has read just then', async () => {
    await using server = start()
    const states: [id: number, mark: string][] = []
    let read = () => {}
    const sink = {
      write(bytes: Uint8Array | string) {
        const [, id, mark] = /^id: (\d+)\n.*"a":"(\w)"/.exec(Buffer.from(bytes).toString()) ?? []
        if (mark !== undefined) states.push([Number(id), mark])
        return new Promise<number>(resolve => {
          read = () => resolve(0)
        })
      },
      flush: () => {},
      end: () => {},
    }
    server.kv('a')
    const { settled } = server.eventStreams.begin(ADA, '192.0.2.1', sink)
    settled.promise.catch(() => {})
    server.kv('b')
    for (let turn = 0; turn < 3; turn++) await new Promise<void>(resolve => setImmediate(resolve))
    // Noted and not told when it has read, so it is behind and there is news of it.
    server.kv('c')
    read()
    await until(() => states.length === 2)
    read()
    server.kv('d')
    await until(() => states.length === 3)
    expect(states.map(([, mark]) => mark)).toEqual(['a', 'c', 'd'])
    expect(states).toEqual(states.toSorted(([a], [b]) => a - b))
  })

  test('is cut off when the server stops, which waits for nobody', async () => {
    const server = start({ grace: 60_000 })
    const client = await stalled(server)
    server.kv(large('a'))
    await new Promise<void>(resolve => setImmediate(resolve))
    await server.stop()
    client.tcp.resume()
    await client.closed
    expect(client.whole).toBe(false)
  })

  test('shares the memory for long events with others like it: when one is gone, the next is told', async () => {
    await using server = start({ unread: { total: 5_000_000 }, events: { checkInterval: 1 } })
    const clients = [await stalled(server), await stalled(server), await stalled(server)]
    server.kv(large('a'))
    await until(() => server.unread.held > 0)
    server.kv(large('b'))
    const [first, second, third] = clients as [EventClient, EventClient, EventClient]
    // Only the first was begun; the others are told how things are when it is their turn.
    expect(server.unread.held).toBeLessThan(9_000_000)
    for (const client of clients) client.tcp.resume()
    expect((await first.nextUntil(event => markOf(event) === 'b')).map(markOf)).toEqual(['a', 'b'])
    for (const client of [second, third]) expect(markOf(await client.next())).toBe('b')
  })

  test('has to go sooner when others wait for the memory it holds', async () => {
    await using server = start({ unread: { total: 5_000_000 }, events: { crowdedPatience: 1, checkInterval: 1 } })
    const first = await stalled(server)
    const second = server.open()
    await second.next()
    server.kv(large('a'))
    expect(markOf(await second.next())).toBe('a')
    expect(server.slow()).toBe(1)
    first.tcp.resume()
    await first.closed
  })
})
