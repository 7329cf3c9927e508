import { REST } from '@discordjs/rest'
import type { SessionInfo, WebSocketManagerOptions } from '@discordjs/ws'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts'
import { BotSocket, loadBotLibrary } from '../support/bot-socket.ts'

const { CompressionMethod, WebSocketManager, WebSocketShardEvents } = await loadBotLibrary()

export const INTENTS = {
  guilds: 1 << 0,
  members: 1 << 1,
  presences: 1 << 8,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  messageContent: 1 << 15,
}
export const EVERYTHING = Object.values(INTENTS).reduce((all, intent) => all | intent, 0)

/** Everything started by a test, ended after it. */
const cleanups: (() => unknown)[] = []

export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
}

export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const sim = await startSimulator({ identifyIntervalMs: 0, ...options })
  cleanups.push(() => sim.stop())
  return sim
}

export function restFor(sim: Simulator, token = sim.token): REST {
  return new REST({ api: sim.apiUrl, retries: 0 }).setToken(token)
}

export interface Event {
  t: string
  // biome-ignore lint/suspicious/noExplicitAny: payloads are looked into by the tests
  d: Record<string, any>
  s: number
}

/** A stream of things one can wait for, each handed out once. */
export interface Inbox<T> {
  push(item: T): void
  next<S extends T>(fits: (item: T) => item is S): Promise<S>
  next(fits?: (item: T) => boolean): Promise<T>
  seen: T[]
}

export function createInbox<T>(): Inbox<T> {
  const fresh: T[] = []
  const seen: T[] = []
  const waiting: { fits: (item: T) => boolean; resolve: (item: T) => void }[] = []
  return {
    seen,
    push(item) {
      seen.push(item)
      const index = waiting.findIndex(waiter => waiter.fits(item))
      if (index < 0) fresh.push(item)
      else waiting.splice(index, 1)[0]?.resolve(item)
    },
    next(fits: (item: T) => boolean = () => true) {
      const index = fresh.findIndex(fits)
      if (index >= 0) return Promise.resolve(fresh.splice(index, 1)[0] as never)
      return new Promise<never>(resolve => waiting.push({ fits, resolve: resolve as never }))
    },
  }
}

/**
 * A bot as most are built: @discordjs/ws and @discordjs/rest. A test must not end while it is identifying: `destroy()` would
 * never return.
 */
export function startBot(sim: Simulator, options: Partial<WebSocketManagerOptions> & { zlib?: boolean } = {}) {
  const { zlib, ...rest } = options
  // The library's own store is one for all managers of a process: a second bot would resume the first one's session.
  const stored = new Map<number, SessionInfo | null>()
  const manager = new WebSocketManager({
    token: sim.token,
    intents: EVERYTHING,
    rest: restFor(sim),
    // The library's own throttler waits five seconds for each IDENTIFY.
    buildIdentifyThrottler: () => ({ waitForIdentify: async () => {} }),
    retrieveSessionInfo: shardId => stored.get(shardId) ?? null,
    updateSessionInfo: (shardId, session) => void stored.set(shardId, session),
    compression: zlib ? CompressionMethod.ZlibNative : null,
    ...rest,
  } as WebSocketManagerOptions)
  const events = createInbox<Event>()
  const closes = createInbox<number>()
  manager.on(WebSocketShardEvents.Dispatch, payload => events.push(payload as unknown as Event))
  manager.on(WebSocketShardEvents.Closed, code => closes.push(code))
  manager.on(WebSocketShardEvents.Error, () => {})
  cleanups.push(() => manager.destroy())
  const event = (t: string) => events.next(candidate => candidate.t === t)
  return { manager, events, closes, event }
}

/** A bare WebSocket on the gateway, for everything a library would not do. */
export async function openRaw(sim: Simulator, query = '?v=10&encoding=json', path = '') {
  const socket = new BotSocket(sim.account.gatewayUrl + path + query)
  cleanups.push(() => socket.close())
  // biome-ignore lint/suspicious/noExplicitAny: frames are looked into by the tests
  const frames = createInbox<any>()
  const closed = Promise.withResolvers<{ code: number; clean: boolean }>()
  socket.onmessage = ({ data }) => frames.push(JSON.parse(String(data)))
  socket.onclose = ({ code, wasClean }) => closed.resolve({ code, clean: wasClean })
  const opened = Promise.withResolvers<void>()
  socket.onopen = () => opened.resolve()
  socket.onerror = () => opened.resolve()
  await opened.promise
  const send = (op: number, d: unknown) => socket.send(JSON.stringify({ op, d }))
  const op = (code: number) => frames.next(frame => frame.op === code)
  const event = (t: string) => frames.next(frame => frame.t === t)
  const identify = (patch: Record<string, unknown> = {}) =>
    send(2, { token: sim.token, intents: EVERYTHING, properties: { os: 'x', browser: 'x', device: 'x' }, ...patch })
  return { socket, frames, closed: closed.promise, send, op, event, identify }
}
