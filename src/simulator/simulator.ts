import type { Account } from './account.ts'
import { createCdn } from './cdn.ts'
import { createCommands } from './commands.ts'
import { createGateway } from './gateway.ts'
import { createGatewayOps } from './gateway-ops.ts'
import { createInteractions, type Interactions } from './interactions.ts'
import { createJournal, type Journal } from './journal.ts'
import { createMemberRequests } from './members.ts'
import { createMessages, type Messages } from './messages.ts'
import type { BotMessage, BotRecords } from './records.ts'
import { createRest } from './rest.ts'
import { applicationRoutes } from './rest-application.ts'
import { interactionRoutes } from './rest-interactions.ts'
import { createRestLimits, type RestFailure } from './rest-limits.ts'
import { messageRoutes } from './rest-messages.ts'
import type { Session } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { ApplicationFlag } from './types.ts'
import { createWeather, type Door, type Weather } from './weather.ts'
import { type Connection, createConnection } from './wire.ts'
import { createWorld, type World } from './world.ts'

export interface SimulatorOptions {
  /** Default 0: any free port. */
  port?: number
  hostname?: string
  /** Same seed, same world. */
  seed?: number
  token?: string
  /** Which privileged intents are switched on; default all three. */
  applicationFlags?: number
  recommendedShards?: number
  maxConcurrency?: number
  sessionStartRemaining?: number
  heartbeatIntervalMs?: number
  identifyIntervalMs?: number
  /** Complete member lists: `memberRequestLimit` for each guild in this time. */
  memberRequestIntervalMs?: number
  memberRequestLimit?: number
  chunkSize?: number
  /** Dispatches a session remembers for a RESUME. */
  replayBufferSize?: number
  resumeWindowMs?: number
  /** REST requests for one route and channel within `restWindowMs`. */
  restLimit?: number
  restWindowMs?: number
  restGlobalLimit?: number
  /** How long the bot has to answer an interaction. */
  interactionTimeoutMs?: number
  now?: () => number
}

export interface Simulator {
  readonly url: string
  /** For `new REST({ api })`. */
  readonly apiUrl: string
  readonly cdnUrl: string
  readonly token: string
  /** What Discord's portal would show; assign to change it while running. */
  readonly account: Account
  readonly world: World
  readonly weather: Weather
  readonly journal: Journal<BotRecords>
  readonly sessions: Session[]
  readonly messages: Messages
  /** What the bot did next: `await sim.next('identify')`; see {@link BotRecords}. */
  next: Journal<BotRecords>['next']
  /** The bot's next channel or direct message. */
  nextMessage(fits?: (message: BotMessage) => boolean): Promise<BotMessage>
  /** A person writes; returns the message. */
  sendMessage: Messages['sendMessage']
  editMessage: Messages['editMessage']
  closeDms: Messages['closeDms']
  /** A person uses a command, a button or a modal; resolves with the bot's first answer. */
  interact: Interactions['interact']
  /** Sends a dispatch with any name and data to the connected sessions (or one), numbered as usual. */
  raw(t: string, d: unknown, session?: Session): void
  /** Sends a text as it is. */
  rawText(text: string, session?: Session): void
  /** Dispatches ready-made `d` texts as fast as the socket takes them; resolves when all are handed over. */
  blast(payloadTexts: readonly string[], options?: { t?: string; session?: Session }): Promise<void>
  restFails(failure: RestFailure): void
  cdnFails(status: number, times?: number): void
  stop(): Promise<void>
}

const DEFAULTS = {
  seed: 1,
  recommendedShards: 1,
  maxConcurrency: 1,
  sessionStartRemaining: 1000,
  heartbeatIntervalMs: 41_250,
  identifyIntervalMs: 5000,
  memberRequestIntervalMs: 30_000,
  memberRequestLimit: 1,
  chunkSize: 1000,
  replayBufferSize: 10_000,
  resumeWindowMs: 180_000,
  restLimit: 50,
  restWindowMs: 1000,
  restGlobalLimit: 50,
  interactionTimeoutMs: 3000,
  now: Date.now,
}

const BOT_ID = '712345678901234567'
const ALL_PRIVILEGED =
  ApplicationFlag.gatewayPresenceLimited |
  ApplicationFlag.gatewayGuildMembersLimited |
  ApplicationFlag.gatewayMessageContentLimited

/** Looks like a real token, so that leak guards and log filters have something to find. */
const TOKEN = `${btoa(BOT_ID)}.GsimUl.exoix-simulated-token-not-a-secret-0000`

/**
 * Discord on loopback: REST, gateway and CDN in one server.
 *
 * ```ts
 * const sim = await startSimulator()
 * const guild = sim.world.addGuild({ members: 3 })
 * const bot = startBot({ api: sim.apiUrl, token: sim.token })
 * await sim.next('ready')
 * sim.world.setPresence([...guild.members.keys()][1], { status: 'dnd' })
 * ```
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = { ...DEFAULTS, ...options }
  const journal = createJournal<BotRecords>()
  let sessions: Sessions | null = null
  const world = createWorld({ ...settings, botId: BOT_ID, emit: event => sessions?.emit(event) })
  const account = createAccount(settings)
  const shared = { ...settings, account, journal }
  const running = createSessions(world, shared)
  sessions = running
  const memberRequests = createMemberRequests({
    ...shared,
    world,
    intervalMs: settings.memberRequestIntervalMs,
    limit: settings.memberRequestLimit,
  })
  const ops = createGatewayOps({ ...shared, world, sessions: running, memberRequests })
  const gateway = createGateway({ ...shared, sessions: running, ops })
  const limitOptions = {
    limit: settings.restLimit,
    globalLimit: settings.restGlobalLimit,
    windowMs: settings.restWindowMs,
  }
  const limits = createRestLimits({ ...limitOptions, now: settings.now })
  const messages = createMessages({ ...shared, world, emit: running.emit })
  const commands = createCommands(world, account, journal)
  const interactions = createInteractions({ ...shared, world, commands, messages, emit: running.emit })
  const routes = [
    ...applicationRoutes(world, account, settings.identifyIntervalMs),
    ...messageRoutes(world, messages, journal),
    ...commands.routes,
    ...interactionRoutes({ ...shared, interactions, messages }),
  ]
  const rest = createRest({ account, journal, limits, routes })
  const cdn = createCdn(world, journal)

  const door: Door = { refusing: false }
  const weather = createWeather(gateway, running, account, door)

  const server = Bun.serve({
    port: options.port ?? 0,
    hostname: options.hostname ?? '127.0.0.1',
    reusePort: false,
    development: false,
    websocket: gateway.websocket,
    async fetch(request, server) {
      const url = new URL(request.url)
      if (url.pathname.startsWith('/api/')) return rest.handle(request, url)
      if (url.pathname.startsWith('/cdn/')) return cdn.handle(request, url)
      if (/^\/gateway(\/resume)?\/?$/.test(url.pathname)) {
        if (door.refusing === true) return new Response('Service Unavailable', { status: 503 })
        if (door.refusing === 'hang') return hang(request, server)
        const query = Object.fromEntries(url.searchParams)
        const data = createConnection(url.pathname, query, settings.now())
        data.silent = door.refusing === 'silent'
        if (server.upgrade(request, { data })) return undefined
        return new Response('Upgrade Required', { status: 426 })
      }
      return new Response('Not Found', { status: 404 })
    },
  })
  const url = `http://${server.hostname}:${server.port}`
  account.gatewayUrl = `${url.replace('http', 'ws')}/gateway`

  const chosen = (session?: Session) => (session ? [session] : running.all().filter(candidate => candidate.connected))
  return {
    url,
    apiUrl: `${url}/api`,
    cdnUrl: `${url}/cdn`,
    token: account.token,
    account,
    world,
    weather,
    journal,
    get sessions() {
      return running.all()
    },
    messages,
    next: journal.next,
    nextMessage: fits => journal.next('message', fits),
    sendMessage: messages.sendMessage,
    editMessage: messages.editMessage,
    closeDms: messages.closeDms,
    interact: interactions.interact,
    raw(t, d, session) {
      for (const target of chosen(session)) target.dispatch(JSON.stringify(t).slice(1, -1), JSON.stringify(d) ?? 'null')
    },
    rawText(text, session) {
      for (const target of chosen(session)) target.sendText(text)
    },
    async blast(payloadTexts, { t = 'PRESENCE_UPDATE', session } = {}) {
      for (const target of chosen(session)) {
        for (const text of payloadTexts) {
          target.dispatch(t, text)
          if (target.backlog() > 8 << 20) await gateway.drained()
        }
      }
    },
    restFails: limits.fail,
    cdnFails: cdn.fail,
    async stop() {
      journal.close()
      await server.stop(true)
    },
  }
}

function createAccount(settings: typeof DEFAULTS & SimulatorOptions): Account {
  return {
    applicationId: BOT_ID,
    token: settings.token ?? TOKEN,
    applicationFlags: settings.applicationFlags ?? ALL_PRIVILEGED,
    recommendedShards: settings.recommendedShards,
    maxConcurrency: settings.maxConcurrency,
    sessionStartRemaining: settings.sessionStartRemaining,
    sessionStartTotal: 1000,
    gatewayUrl: '',
  }
}

/** Takes the connection and never answers. */
function hang(request: Request, server: Bun.Server<Connection>): Promise<Response> {
  server.timeout(request, 0)
  return new Promise(() => {})
}
