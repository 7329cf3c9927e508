import { connect } from 'node:net'
import type { Simulator } from '../../src/simulator/simulator.ts'
import type { User } from '../../src/simulator/types.ts'
import { openBare, openClient, openRaw } from '../live/support.ts'
import { shown, startTestApp, type TestAppOptions } from '../support/app.ts'

export { type Client, closeOf, type Frame, inflateWhole, upgradeHead, wireFrame } from '../live/support.ts'

/** Nobody has this id. */
export const NOBODY = '999999999999999999'

/** What every presence has, in no particular order. */
export const PRESENCE_KEYS = [
  'active_on_discord_desktop',
  'active_on_discord_embedded',
  'active_on_discord_mobile',
  'active_on_discord_vr',
  'active_on_discord_web',
  'activities',
  'discord_status',
  'discord_user',
  'kv',
  'last_seen_at',
  'listening_to_spotify',
  'now_playing',
  'spotify',
]

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests check
export type Body = any

export interface Answer {
  readonly status: number
  /** Header lines as they came, names in lower case. */
  readonly lines: readonly string[]
  header(name: string): string | undefined
  readonly text: string
  readonly bytes: Buffer
  readonly json: Body
}

/** The whole app on a simulated Discord with a few people in one server. */
export async function startWorld(options: TestAppOptions = {}) {
  const names = ['ada', 'bob', 'cyd', 'dov', 'eve'] as const
  let guildId = ''
  const fast = { identifyIntervalMs: 0, restLimit: 1e6, restGlobalLimit: 1e6, ...options.simulator }
  const running = await startTestApp({
    ...options,
    // What Discord tells of profiles arrives at any moment: tests that are about them ask for them.
    config: { profiles: 'off', ...options.config },
    simulator: fast,
    world(simulator) {
      const members = names.map(username => ({
        user: { username, avatar: null, discriminator: '0', global_name: username.toUpperCase() },
        presence: { status: 'online' as const, activities: [], at: 1 },
      }))
      guildId = simulator.world.addGuild({ members }).id
      options.world?.(simulator)
    },
  })
  const { simulator, url } = running
  const clients: { close(): void }[] = []
  const socketUrl = `${url.replace('http', 'ws')}/socket`
  const track = <T extends { close(): void }>(client: T): T => {
    clients.push(client)
    return client
  }

  async function isShown(id: string): Promise<void> {
    await shown(running.app.presences, id)
    await running.app.presences.copies.confirm()
  }

  async function settled(): Promise<void> {
    const someone = simulator.world.guild(guildId).members.keys().toArray()[1] as string
    const asked = { command: 'kv get', options: { key: '' }, focused: 'key' }
    await simulator.interact({ kind: 'autocomplete', userId: someone, ...asked })
    await running.app.presences.copies.confirm()
  }

  return {
    ...running,
    guildId,
    port: Number(new URL(url).port),
    people: peopleByName(simulator, guildId, names),
    get: (path: string, init?: RequestInit) => fetch(url + path, { redirect: 'manual', ...init }),
    /** The JSON of an answer. */
    json: (path: string, init?: RequestInit): Promise<Body> => fetch(url + path, init).then(answer => answer.json()),
    /** The whole answer to one request, as bytes over TCP. */
    raw: (request: string | Buffer) => exchange(Number(new URL(url).port), request),
    /** Makes a key the way people do: `.apikey` in a direct message. */
    key: (userId: string) => askKey(simulator, userId),
    /** Says something, in a server or a direct message, and resolves with the bot's reply to it. */
    ask: async (authorId: string, content: string, place?: string) => {
      const { id } = simulator.sendMessage({ authorId, content, ...(place !== undefined && { guildId: place }) })
      const reply = await simulator.nextMessage(({ body }) => (body.message_reference as Body)?.message_id === id)
      // An edge shows it a moment later.
      await running.app.presences.copies.confirm()
      return reply
    },
    /** Resolves when everything Discord sent before has been taken in: an answer comes after all that. */
    settled,
    /** Somebody joins. Resolves with their id when they are shown: Discord has said how they appear. */
    join: async (user: string | Partial<User> = {}) => {
      const { id } = simulator.world.addMember(guildId, user)
      await settled()
      await isShown(id)
      return id
    },
    /** Somebody joins and does something at once, for all to see. Gives their id. */
    joinOnline: (user: Partial<User> = {}) => {
      const { id } = simulator.world.addMember(guildId, user)
      simulator.world.setPresence(id, { status: 'online' })
      return id
    },
    /** Resolves when somebody is shown. */
    shown: isShown,
    socketUrl,
    /** A WebSocket whose Hello was read. */
    socket: (query = '') => openClient(socketUrl + query).then(track),
    bareSocket: (query = '') => track(openBare(socketUrl + query)),
    /** A WebSocket as bytes over TCP. */
    rawSocket: (head?: string | Buffer) => track(openRaw(Number(new URL(url).port), head)),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.close()
      await running[Symbol.asyncDispose]()
    },
  }
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** The same, with every member list in and every slash command registered. */
export async function startReadyWorld(options: TestAppOptions = {}): Promise<World> {
  const world = await startWorld(options)
  await Promise.all([world.ready(), world.simulator.next('commands')])
  return world
}

function peopleByName<const Name extends string>(simulator: Simulator, guildId: string, names: readonly Name[]) {
  const ids = [...simulator.world.guild(guildId).members.keys()].slice(1)
  return Object.fromEntries(names.map((name, index) => [name, ids[index] as string])) as Record<Name, string>
}

export async function askKey(simulator: Simulator, userId: string): Promise<string> {
  simulator.sendMessage({ authorId: userId, content: '.apikey' })
  const { message } = await simulator.nextMessage(({ userId: recipient }) => recipient === userId)
  return keyIn(JSON.stringify(message.embeds))
}

export function keyIn(text: string): string {
  const [key] = /exoix_[\w-]{43}/.exec(text) ?? []
  if (key === undefined) throw new Error(`no key in ${text}`)
  return key
}

/** Sends bytes, half-closes nothing, and reads until the server closes: so ask it to. */
export function exchange(port: number, request: string | Buffer): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const tcp = connect(port, '127.0.0.1', () => tcp.write(request))
  const chunks: Buffer[] = []
  tcp.on('data', chunk => chunks.push(Buffer.from(chunk)))
  tcp.on('error', reject)
  tcp.on('close', () => resolve(readAnswer(Buffer.concat(chunks))))
  return promise
}

/** Reads one whole answer, chunked or not. */
export function readAnswer(bytes: Buffer): Answer {
  const end = bytes.indexOf('\r\n\r\n')
  const [status = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const header = (name: string) =>
    lines
      .find(line => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
      ?.slice(name.length + 1)
      .trim()
  const rest = bytes.subarray(end + 4)
  const body = header('transfer-encoding') === 'chunked' ? joinChunks(rest) : rest
  return {
    status: Number(status.split(' ')[1]),
    lines,
    header,
    bytes: body,
    get text() {
      return body.toString()
    },
    get json() {
      return JSON.parse(body.toString())
    },
  }
}

function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let rest = bytes; ; ) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.subarray(0, end).toString(), 16)
    if (!(size > 0)) return Buffer.concat(parts)
    parts.push(rest.subarray(end + 2, end + 2 + size))
    rest = rest.subarray(end + 4 + size)
  }
}

/** A request head that asks the server to close behind its answer. */
export function request(line: string, headers: readonly string[] = [], body: string | Buffer = ''): Buffer {
  const sized = body.length > 0 && !headers.some(header => /^(content-length|transfer-encoding):/i.test(header))
  const length = sized ? [`Content-Length: ${Buffer.byteLength(body)}`] : []
  const head = [`${line} HTTP/1.1`, 'Host: exoix.test', 'Connection: close', ...length, ...headers, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head), Buffer.from(body)])
}
