import { afterEach, describe, expect, test } from 'bun:test'
import { type Following, type FollowOptions, follow } from '../../src/client/client.ts'
import type { Presence } from '../../src/client/presence.ts'
import { startServer } from '../live/support.ts'

const ADA = '204255221017214977'
const BO = '204255221017214978'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function start() {
  const server = startServer()
  ends.push(() => server.stop())
  const host = server.url.replace('ws', 'http').replace('socket', '')
  const join = (id: string, status = 'online') =>
    server.presences.putMember('1', { user: { id, username: `user${id}` } }, { status })
  return { ...server, host, join }
}

/** Follows, and keeps what it hears as `id state` and `id status`; `heard(n)` resolves when so much has come. */
function listen(target: string | string[], options: FollowOptions) {
  const log: string[] = []
  const waiting = new Set<() => void>()
  const note = (line: string) => {
    log.push(line)
    for (const look of waiting) look()
  }
  const following = follow(target, {
    ...options,
    onPresence: (presence, id) => note(`${id} ${presence.discord_status}`),
    onState: (state, id) => note(`${id} ${state}`),
  })
  ends.push(() => following.close())
  const heard = (count: number) =>
    new Promise<string[]>(resolve => {
      const look = () => {
        if (log.length < count) return
        waiting.delete(look)
        resolve(log)
      }
      waiting.add(look)
      look()
    })
  return { following, heard }
}

async function next(following: Following): Promise<Presence | undefined> {
  for await (const presence of following) return presence
  return undefined
}

describe('follow', () => {
  test('tells how somebody is, and every change', async () => {
    const { host, join } = start()
    join(ADA)
    const { heard } = listen(ADA, { host })
    await heard(3)
    join(ADA, 'dnd')
    expect(await heard(4)).toEqual([`${ADA} connecting`, `${ADA} live`, `${ADA} online`, `${ADA} dnd`])
  })

  test('says of whom nothing is known that they are unknown, until they appear', async () => {
    const { host, join } = start()
    const { heard } = listen(ADA, { host: host.replace('http://', 'http://').replace(/\/$/, '') })
    await heard(2)
    join(ADA)
    expect(await heard(4)).toEqual([`${ADA} connecting`, `${ADA} unknown`, `${ADA} live`, `${ADA} online`])
  })

  test('follows several over one socket, and whoever comes later over the same', async () => {
    const { host, join, server } = start()
    for (const id of [ADA, BO]) join(id)
    const { heard } = listen([ADA, BO, ADA], { host })
    expect((await heard(6)).toSorted()).toEqual(
      [ADA, BO].flatMap(id => [`${id} connecting`, `${id} live`, `${id} online`]),
    )
    const second = listen(BO, { host })
    expect(await second.heard(3)).toEqual([`${BO} connecting`, `${BO} live`, `${BO} online`])
    expect(server.pendingWebSockets).toBe(1)
  })

  test('follows everybody with all, compressed when asked to', async () => {
    for (const compression of [undefined, 'zlib'] as const) {
      const { host, join } = start()
      join(ADA)
      const { heard } = listen('all', { host, compression })
      expect(await heard(3)).toEqual(['* connecting', '* live', `${ADA} online`])
      join(BO, 'idle')
      join(ADA, 'dnd')
      expect((await heard(5)).slice(3)).toEqual([`${BO} idle`, `${ADA} dnd`])
    }
  })

  test('can be read in a loop, which gives the newest of each that has not been read', async () => {
    const { host, join } = start()
    for (const id of [ADA, BO]) join(id)
    const { following, heard } = listen([ADA, BO], { host })
    await heard(6)
    for (const status of ['idle', 'dnd']) join(ADA, status)
    await heard(8)
    const statuses: string[] = []
    for await (const { discord_status } of following) {
      statuses.push(discord_status)
      if (statuses.length === 2) break
    }
    expect(statuses).toEqual(['online', 'dnd'])
  })

  test('ends with close, with the loop, and with its signal, and leaves no socket behind', async () => {
    const { host, join, server, listeners } = start()
    join(ADA)
    const closed = follow(ADA, { host })
    const read = next(closed)
    expect((await read)?.discord_user.id).toBe(ADA)
    expect(await next(closed)).toBeUndefined()
    const stop = new AbortController()
    const aborted = follow(ADA, { host, signal: stop.signal })
    await next(follow(ADA, { host }))
    const waiting = (async () => {
      for await (const _ of aborted) stop.abort()
    })()
    await waiting
    while (server.pendingWebSockets > 0) await new Promise(setImmediate)
    expect(await next(follow(ADA, { host, signal: AbortSignal.abort() }))).toBeUndefined()
    expect(server.pendingWebSockets).toBe(0)
    expect(listeners()).toBeLessThanOrEqual(1)
  })

  test('comes back by itself after the server was away', async () => {
    const first = start()
    first.join(ADA)
    const { heard } = listen(ADA, { host: first.host })
    await heard(3)
    await first.server.stop(true)
    await heard(4)
    const second = Bun.serve({
      port: first.port,
      hostname: '127.0.0.1',
      websocket: first.sockets.websocket,
      fetch: (request, server) => (first.sockets.upgrade(request, server, '1') ? undefined : new Response()),
    })
    ends.push(() => second.stop(true))
    first.join(ADA, 'idle')
    expect((await heard(6)).slice(3)).toEqual([`${ADA} lost`, `${ADA} live`, `${ADA} idle`])
  })

  test('asks for nobody with every heartbeat, and sends nothing else while nothing happens', async () => {
    const got: string[] = []
    const { promise: enough, resolve } = Promise.withResolvers<void>()
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response()),
      websocket: {
        open: socket => void socket.send(JSON.stringify({ op: 1, d: { heartbeat_interval: 5 } })),
        message(socket, message) {
          got.push(String(message))
          socket.send(JSON.stringify({ op: 0, seq: got.length, t: 'INIT_STATE', d: {} }))
          if (got.length === 4) resolve()
        },
      },
    })
    ends.push(() => server.stop(true))
    listen(ADA, { host: `127.0.0.1:${server.port}`.replace(/^/, 'http://') })
    await enough
    const empty = '{"op":2,"d":{"subscribe_to_ids":[]}}'
    expect(got).toEqual([`{"op":2,"d":{"subscribe_to_ids":["${ADA}"]}}`, empty, empty, empty])
  })

  test.each([
    ['text', undefined, 'what?'],
    ['nothing', undefined, 'null'],
    ['a greeting without an interval', undefined, '{"op":1}'],
    ['an answer without people', undefined, '{"op":0,"t":"INIT_STATE","d":null}'],
    ['bytes that are no zlib', 'zlib', Buffer.from('what?')],
  ] as const)('takes %s for a connection that is lost, and does not fail', async (_, compression, nonsense) => {
    const server = Bun.serve({
      port: 0,
      hostname: '127.0.0.1',
      fetch: (request, server) => (server.upgrade(request) ? undefined : new Response()),
      websocket: { message: socket => void socket.send(nonsense) },
    })
    ends.push(() => server.stop(true))
    const { heard } = listen(ADA, { host: `http://127.0.0.1:${server.port}`, compression })
    expect(await heard(2)).toEqual([`${ADA} connecting`, `${ADA} lost`])
  })
})
