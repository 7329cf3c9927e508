import { Keys } from '../../src/domain/keys.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../support/app.ts'
import { temporaryFolder } from '../support/executable.ts'
import { issueKey } from '../support/keys.ts'
import { askAndWait, converse, drip, endings } from './support/clients.ts'
import { type Figures, hold, megabytes, runDrill, within } from './support/drill.ts'
import { settings } from './support/exoix-process.ts'
import { readGauges } from './support/metrics.ts'
import type { Holdings } from './support/soak-server.ts'
import { clientFrame } from './support/wire.ts'
import { startWorker, type Worker } from './support/worker.ts'

export interface LimitsOptions {
  /** Also those that take half a minute of real time. */
  readonly slow: boolean
}

interface Scene {
  readonly url: string
  readonly owner: string
  readonly key: string
}

const SOCKETS = 20
/** A minute, on the server's clock: few, so that a slow machine exceeds them too. */
const REQUESTS = 60
const TIMES_FASTER = 60
/** Real milliseconds; the server's minute is one second. */
const PATIENCE = 10_000
/** Addresses for whom all limits hold; loopback has none. */
const from = (address: string) => ({ 'X-Forwarded-For': address })

/** Every bound on what a client may take, seen from outside. */
export async function limitsDrill({ slow }: LimitsOptions): Promise<Figures> {
  using folder = temporaryFolder()
  const databasePath = `${folder.path}/exoix.db`
  const simulator = await startSimulator({
    identifyIntervalMs: 0,
    memberRequestIntervalMs: 0,
    heartbeatIntervalMs: 41_250 / TIMES_FASTER,
  })
  const [, owner = ''] = [...simulator.world.addGuild({ members: 5 }).members.keys()]
  const key = await newKey(databasePath, owner)
  await using server = startWorker('soak-server.ts', { TIMES_FASTER: String(TIMES_FASTER) })
  try {
    const limits = {
      TRUSTED_PROXIES: '127.0.0.1',
      MAX_SOCKETS_PER_ADDRESS: String(SOCKETS),
      RATE_LIMIT_PER_MINUTE: String(REQUESTS),
    }
    const url = await server.ask<string>('start', settings(simulator, { DATABASE_PATH: databasePath, ...limits }))
    const scene: Scene = { url, owner, key }
    return {
      ...(await socketsAnAddress(scene)),
      ...(await subscriptions(scene)),
      ...(await strangeFrames(scene)),
      ...(await silentSockets(scene)),
      ...(await bodies(scene)),
      ...(await tinyPairs(scene)),
      ...(await guessedKeys(scene)),
      ...(await unreadAnswers(scene, server)),
      ...(await unreadEvents(scene, server)),
      ...(await unreadVersions(scene, server)),
      ...(slow ? await slowClients(scene) : {}),
      'errors of the server': await serverErrors(url),
    }
  } finally {
    await simulator.stop()
  }
}

async function newKey(path: string, owner: string): Promise<string> {
  const store = openStore(path, { log: silent })
  const key = await issueKey(new Keys(store), owner)
  await store.close()
  return key
}

async function serverErrors(url: string): Promise<number> {
  const { exoix_5xx_responses: errors = Number.NaN } = await readGauges(url)
  hold(errors === 0, `${errors} answers were 5xx`)
  return errors
}

/** One more is refused, in words, until one has gone. */
async function socketsAnAddress({ url }: Scene): Promise<Figures> {
  const headers = from('203.0.113.1')
  const open = await Promise.all(Array.from({ length: SOCKETS }, () => connect(url, headers)))
  const upgrade = {
    ...headers,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'AAAA',
    'Sec-WebSocket-Version': '13',
  }
  const refused = await fetch(`${url}/socket`, { headers: upgrade })
  hold(refused.status === 429 && refused.headers.has('Retry-After'), `socket ${SOCKETS + 1} got ${refused.status}`)
  await close(await connect(url, from('203.0.113.2')))
  await Promise.all(open.map(close))
  await close(await connect(url, headers))
  return { 'sockets an address, as set': SOCKETS }
}

async function connect(url: string, headers: Record<string, string> = {}): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket`, { headers })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.onopen = () => resolve()
  socket.onerror = () => reject(new Error('not let in'))
  await promise
  return socket
}

function close(socket: WebSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.onclose = () => resolve()
  socket.close()
  return promise
}

const PEOPLE_A_FRAME = 2500
const FRAMES = 10
const MAX_SUBSCRIPTIONS = 20_000

/** Ids beyond the limit are not followed; the socket goes on. */
async function subscriptions({ url }: Scene): Promise<Figures> {
  const socket = await connect(url)
  const { promise: answered, resolve } = Promise.withResolvers<void>()
  let answers = 0
  socket.onmessage = ({ data }) => void (data.includes('INIT_STATE') && ++answers === FRAMES && resolve())
  for (let frame = 0; frame < FRAMES; frame++) {
    const ids = Array.from({ length: PEOPLE_A_FRAME }, (_, at) =>
      String(10n ** 17n + BigInt(frame * PEOPLE_A_FRAME + at)),
    )
    socket.send(JSON.stringify({ op: 2, d: { subscribe_to_ids: ids } }))
  }
  await answered
  const { 'exoix_subscriptions{to="one_user"}': named = Number.NaN } = await readGauges(url)
  hold(named === MAX_SUBSCRIPTIONS, `${named} people are followed by one socket`)
  await close(socket)
  return { 'people one socket follows by name, of 25000 asked for': named }
}

const KIB = 1024
const HEARTBEAT = '{"op":3}'

/** What no WebSocket client sends, and what it is closed with. */
const FRAMES_AND_CLOSES: readonly (readonly [what: string, frames: Buffer, close: number])[] = [
  ['64 KiB and a byte in one frame', clientFrame(' '.repeat(64 * KIB + 1)), 1009],
  ['64 KiB and a byte in fragments', fragments(' '.repeat(64 * KIB + 1), 4096), 1009],
  [
    'a frame that announces 8 EiB',
    Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 32]),
    1009,
  ],
  ['a compressed frame', clientFrame(HEARTBEAT, 0xc1), 1002],
  ['reserved bits', clientFrame(HEARTBEAT, 0xb1), 1002],
  ['an unknown opcode', clientFrame(HEARTBEAT, 0x83), 1002],
  ['a continuation of nothing', clientFrame(HEARTBEAT, 0x80), 1002],
  ['a new message within another', Buffer.concat([clientFrame('{', 0x01), clientFrame(HEARTBEAT)]), 1002],
  ['a fragmented ping', clientFrame('', 0x09), 1002],
  ['a ping of 126 bytes', clientFrame('x'.repeat(126), 0x89), 1002],
  ['121 frames at once', Buffer.concat(Array.from({ length: 121 }, () => clientFrame(HEARTBEAT))), 4008],
]

function fragments(text: string, size: number): Buffer {
  const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))
  return Buffer.concat(
    parts.map((part, at) => clientFrame(part, (at === parts.length - 1 ? 0x80 : 0) | (at === 0 ? 1 : 0))),
  )
}

/** Each ends its own connection, as documented, and nobody else's; a message in a thousand pieces is a message. */
async function strangeFrames({ url }: Scene): Promise<Figures> {
  const bystander = await connect(url)
  for (const [what, frames, expected] of FRAMES_AND_CLOSES) {
    const code = await converse(url, frames)
    hold(code === expected, `${what}: closed with ${code}`)
    bystander.send(HEARTBEAT)
  }
  const pieces = await converse(url, Buffer.concat([fragments(HEARTBEAT.padEnd(1000), 1), clientFrame('', 0x88)]))
  hold(pieces === undefined || pieces === 1000 || pieces === 1005, `a message in a thousand pieces: ${pieces}`)
  hold(bystander.readyState === WebSocket.OPEN, 'somebody else was disconnected')
  await close(bystander)
  return { 'strange frames, each closed as documented': FRAMES_AND_CLOSES.length }
}

/** Whoever says nothing is dropped, whether they are there still or not. */
async function silentSockets({ url }: Scene): Promise<Figures> {
  await within(PATIENCE, endings(url, 100), 'silent sockets are kept')
  const { exoix_silent_sockets_closed_total: closed = 0 } = await readGauges(url)
  hold(closed >= 100, `${closed} sockets were closed as silent`)
  return { 'silent sockets dropped': closed }
}

/** Bodies beyond the limit are refused, by the length they announce or by what arrives. */
async function bodies({ url, key }: Scene): Promise<Figures> {
  const headers = { Authorization: key }
  const put = (body: string) => fetch(`${url}/v1/users/@me/kv/a`, { method: 'PUT', headers, body })
  const patch = (body: string) => fetch(`${url}/v1/users/@me/kv`, { method: 'PATCH', headers, body })
  const statuses = [
    (await put('x'.repeat(30_000))).status,
    (await put('x'.repeat(128 * KIB))).status,
    (await put('x'.repeat(128 * KIB + 1))).status,
    (await patch(' '.repeat(8 * KIB * KIB + 1))).status,
  ]
  hold(Bun.deepEquals(statuses, [204, 400, 413, 413]), `bodies got ${statuses}`)
  return { 'bodies: 30000 characters, 128 KiB, a byte more, 8 MiB and a byte': statuses.join(', ') }
}

const TINY_PAIRS = 830_000

/** A body of 8 MiB that names as many pairs as fit is refused by their number, before it costs anybody anything. */
async function tinyPairs({ url, key }: Scene): Promise<Figures> {
  const pairs = Array.from({ length: TINY_PAIRS }, (_, at) => `"${at.toString(36)}":""`)
  const init = { method: 'PATCH', headers: { Authorization: key }, body: `{${pairs.join(',')}}` }
  const ask = () => fetch(`${url}/v1/users/@me/kv`, init)
  await readGauges(url)
  const answers = await Promise.all([ask(), ask(), ask(), ask()])
  const bodies = await Promise.all(answers.map(answer => answer.text()))
  hold(
    answers.every(({ status }, at) => status === 400 && bodies[at]?.includes('kv_validation_failed')),
    `${TINY_PAIRS} pairs got ${answers.map(({ status }) => status)}`,
  )
  const { exoix_event_loop_lag_max_seconds: longest = Number.NaN } = await readGauges(url)
  hold(longest < 0.5, `${TINY_PAIRS} pairs hold up everybody for ${longest} s`)
  return { [`longest wait while 4 bodies of ${TINY_PAIRS} pairs arrive`]: `${Math.round(longest * 1000)} ms` }
}

const GUESSES = 1000

/** Guessing is refused like any other mistake, then slowed down; nothing is written and the owner is not in its way. */
async function guessedKeys({ url, owner, key }: Scene): Promise<Figures> {
  const write = (authorization: string, address: string) =>
    fetch(`${url}/v1/users/${owner}/kv/guessed`, {
      method: 'PUT',
      headers: { Authorization: authorization, ...from(address) },
      body: 'x',
    }).then(({ status }) => status)
  const counts: Record<number, number> = {}
  for (let guess = 0; guess < GUESSES; guess++) {
    const status = await write(`${key.slice(0, -4)}${String(guess).padStart(4, '0')}`, '203.0.113.3')
    counts[status] = (counts[status] ?? 0) + 1
  }
  hold(Object.keys(counts).join() === '401,429', `guesses got ${JSON.stringify(counts)}`)
  const rightful = await write(key, '203.0.113.4')
  hold(rightful === 204, `the owner got ${rightful}`)
  return { [`of ${GUESSES} guessed keys refused, and slowed down`]: `${counts[401]}, ${counts[429]}` }
}

const UNREAD = 40
/** What may be held for all of them together, beside what is sent. Bytes. */
const UNREAD_BOUND = 160 * KIB * KIB
/** The same for events, of which 256 MiB may wait. */
const UNREAD_EVENTS_BOUND = 448 * KIB * KIB

/** Somebody has as many pairs as there may be, and many ask for them without reading the answer. */
async function unreadAnswers({ url, owner, key }: Scene, server: Worker): Promise<Figures> {
  const pairs = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`large${at}`, 'x'.repeat(30_000)]))
  for (let at = 0; at < 500; at += 100) {
    const body = JSON.stringify(Object.fromEntries(Object.entries(pairs).slice(at, at + 100)))
    const { status } = await fetch(`${url}/v1/users/@me/kv`, { method: 'PATCH', headers: { Authorization: key }, body })
    hold(status === 204, `writing large pairs got ${status}`)
  }
  const before = await server.ask<Holdings>('measure')
  for (const path of [`/v1/users/${owner}`, `/v1/users/${owner}/kv`, `/user/${owner}`]) {
    const clients = await Promise.all(Array.from({ length: UNREAD }, () => askAndWait(url, path)))
    await (await fetch(url + path)).arrayBuffer()
    const { resident } = await server.ask<Holdings>('measure')
    for (const client of clients) client.terminate()
    const rise = resident - before.resident
    hold(rise < UNREAD_BOUND, `${UNREAD} clients that do not read ${path} make memory rise by ${megabytes(rise)}`)
  }
  return { [`memory for ${UNREAD} unread answers of 15 MB, at most`]: megabytes(UNREAD_BOUND) }
}

/** What may be held of versions nobody reads, beside as much again that is being made. */
const UNREAD_VERSIONS_BOUND = 768 * KIB * KIB

/** That person changes again and again, and of every version an answer is asked for and not read. */
async function unreadVersions({ url, owner, key }: Scene, server: Worker): Promise<Figures> {
  const before = await server.ask<Holdings>('measure')
  const clients: { terminate(): void }[] = []
  for (let version = 0; version < UNREAD; version++) {
    const init = { method: 'PUT', headers: { Authorization: key }, body: String(version) }
    const { status } = await fetch(`${url}/v1/users/@me/kv/changing`, init)
    hold(status === 204, `writing a pair got ${status}`)
    clients.push(await askAndWait(url, `/v1/users/${owner}`))
  }
  const { exoix_unread_answer_bytes: unread = Number.NaN } = await readGauges(url)
  const refused = await fetch(`${url}/v1/users/${owner}`)
  hold(refused.status === 429, `with ${megabytes(unread)} unread another answer of 15 MB got ${refused.status}`)
  const rise = (await server.ask<Holdings>('measure')).resident - before.resident
  hold(rise < UNREAD_VERSIONS_BOUND, `${UNREAD} versions that are not read make memory rise by ${megabytes(rise)}`)
  for (const client of clients) client.terminate()
  return { [`memory for ${UNREAD} versions of 15 MB, asked for and not read`]: megabytes(rise) }
}

/** Many follow that person and do not read, while pairs change. Somebody who reads is told all the same, in turn. */
async function unreadEvents({ url, owner, key }: Scene, server: Worker): Promise<Figures> {
  const path = `/v1/users/${owner}/events`
  const before = await server.ask<Holdings>('measure')
  const clients = await Promise.all(Array.from({ length: UNREAD }, () => askAndWait(url, path)))
  for (const body of ['1', '2', '3']) {
    const init = { method: 'PUT', headers: { Authorization: key }, body }
    const { status } = await fetch(`${url}/v1/users/@me/kv/changing`, init)
    hold(status === 204, `writing a pair got ${status}`)
  }
  const rise = (await server.ask<Holdings>('measure')).resident - before.resident
  hold(rise < UNREAD_EVENTS_BOUND, `${UNREAD} clients that do not read events make memory rise by ${megabytes(rise)}`)
  await within(PATIENCE, firstEvent(url + path), 'who reads events is not told any while others do not read theirs')
  for (const client of clients) client.terminate()
  return { [`memory for ${UNREAD} unread event streams of 15 MB, at most`]: megabytes(UNREAD_EVENTS_BOUND) }
}

/** Resolves when the first event is there whole. */
async function firstEvent(address: string): Promise<void> {
  const { body } = await fetch(address)
  let tail = ''
  for await (const chunk of body ?? []) {
    tail = (tail + Buffer.from(chunk).toString('latin1')).slice(-2)
    if (tail === '\n\n') return
  }
  throw new Error('it ended before')
}

/** Seconds after which whoever does not get on with a request is cut off, whether they send a byte a second or none. */
async function slowClients({ url, key }: Scene): Promise<Figures> {
  const body = `PUT /v1/users/@me/kv/a HTTP/1.1\r\nHost: x\r\nAuthorization: ${key}\r\nContent-Length: 1000\r\n\r\n`
  const clients = {
    'that says nothing': drip(url, '', ''),
    'with a byte of headers a second': drip(url, 'GET / HTTP/1.1\r\nHost: x\r\nX: ', 'x'),
    'with a byte of a body a second': drip(url, body, 'x'),
  }
  const crowd = Array.from({ length: 500 }, () => drip(url, 'GET / HTTP/1.1\r\n', 'x'))
  const answered = await fetch(`${url}/health`)
  hold(answered.status === 200, `beside 500 slow clients the server answers ${answered.status}`)
  const seconds = await Promise.all(
    Object.entries(clients).map(
      async ([who, ending]) => [`a connection ${who} is cut off after`, await ending] as const,
    ),
  )
  await Promise.all(crowd)
  for (const [what, after] of seconds) hold(after < 40, `${what} ${after} s`)
  return Object.fromEntries(seconds.map(([what, after]) => [what, `${after.toFixed(0)} s`]))
}

if (import.meta.main) await runDrill('limits', ({ long }) => limitsDrill({ slow: long }))
