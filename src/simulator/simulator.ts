import type { Account } from './account.ts'
import { type Broadcast, createBroadcast } from './broadcast.ts'
import { type Cdn, createCdn } from './cdn.ts'
import { createCommands } from './commands.ts'
import { createGateway } from './gateway.ts'
import { createGatewayOps } from './gateway-ops.ts'
import { createInteractions, type Interactions } from './interactions.ts'
import { createJournal } from './journal.ts'
import { createMemberRequests } from './members.ts'
import { createMessages, type Messages } from './messages.ts'
import { createAccount, readOptions, type SimulatorOptions } from './options.ts'
import type { BotJournal, BotMessage, BotRecords } from './records.ts'
import { createRest } from './rest.ts'
import { applicationRoutes } from './rest-application.ts'
import { interactionRoutes } from './rest-interactions.ts'
import { createRestLimits, type RestFailure } from './rest-limits.ts'
import { messageRoutes } from './rest-messages.ts'
import { serve } from './server.ts'
import type { Session } from './session.ts'
import { createSessions, type Sessions } from './sessions.ts'
import { createWeather, type Door, type Weather } from './weather.ts'
import { createWorld, type World } from './world.ts'

export type { SimulatorOptions } from './options.ts'

export interface Simulator extends Broadcast, Pick<Interactions, 'interact'> {
  readonly url: string
  /** For `new REST({ api })`. */
  readonly apiUrl: string
  readonly cdnUrl: string
  /** Discord's proxy for pictures from elsewhere. */
  readonly mediaUrl: string
  /** Spotify's host of album covers. */
  readonly spotifyUrl: string
  readonly token: string
  /** What Discord's portal would show; assign to change it while running. */
  readonly account: Account
  /** People, guilds and presences; changing them sends the events. */
  readonly world: World
  readonly messages: Messages
  /** What goes wrong on the gateway. */
  readonly weather: Weather
  /** Everything the bot did; see {@link BotRecords}. */
  readonly journal: BotJournal
  /** Gateway sessions, connected or resumable. */
  readonly sessions: Session[]
  /** What the bot does next (or did, and nobody took it yet): `await sim.next('identify')`. */
  next: BotJournal['next']
  /** The bot's next channel or direct message; answers to interactions are `reply`s. */
  nextMessage(fits?: (message: BotMessage) => boolean): Promise<BotMessage>
  sendMessage: Messages['sendMessage']
  editMessage: Messages['editMessage']
  closeDms: Messages['closeDms']
  restFails(failure: RestFailure): void
  /** Ends every arranged failure of REST. */
  restRecovers(): void
  /** What goes wrong with pictures of all three hosts: `sim.cdnFails(404)`, `sim.cdnFails({ afterMs: 50 }, 2, /emojis/)`. */
  cdnFails: Cdn['fail']
  stop(): Promise<void>
}

/**
 * Discord on loopback: REST, gateway and CDN in one server, as strict as the real one where a bot can be wrong. For a peer
 * that is dead down to TCP put a relay (relay.ts) before it, for people who move on their own use lively.ts.
 *
 * ```ts
 * const sim = await startSimulator({ identifyIntervalMs: 0 })
 * const guild = sim.world.addGuild({ members: 3 })           // or members: [{ user: { username: 'ada' }, nick: 'A' }]
 * const [, ada] = [...guild.members.keys()]                  // the first member is the bot
 * startBot({ api: sim.apiUrl, token: sim.token })
 * await sim.next('ready')                                    // also: identify, resume, requestMembers, close, rest …
 * sim.world.setPresence(ada, { status: 'dnd' })              // PRESENCE_UPDATE, once for each shared guild
 * sim.sendMessage({ authorId: ada, guildId: guild.id, content: '.help' })   // without guildId: a DM
 * const answer = await sim.nextMessage()                     // { content, pings, userId, message … }
 * const outcome = await sim.interact({ kind: 'command', userId: ada, command: 'kv set', options: { key: 'a', value: 'b' } })
 * sim.weather.dropTcp()                                      // the bot should resume: await sim.next('resumed')
 * expect(sim.journal.all('violation')).toEqual([])           // mistakes Discord would forgive silently
 * await sim.stop()
 * ```
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = readOptions(options)
  const { now } = settings
  const journal = createJournal<BotRecords>()
  const account = createAccount(settings)
  const running: { sessions?: Sessions } = {}
  const world = createWorld({ ...settings, botId: account.applicationId, emit: event => running.sessions?.emit(event) })
  const shared = { ...settings, account, journal, world }
  const sessions = createSessions(world, shared)
  running.sessions = sessions
  const { memberRequestIntervalMs: intervalMs, memberRequestLimit: limit } = settings
  const memberRequests = createMemberRequests({ ...shared, intervalMs, limit })
  const ops = createGatewayOps({ ...shared, sessions, memberRequests })
  const gateway = createGateway({ ...shared, sessions, ops })
  const messages = createMessages({ ...shared, emit: sessions.emit })
  const commands = createCommands(world, account, journal)
  const interactions = createInteractions({ ...shared, commands, messages, emit: sessions.emit })
  const routes = [
    ...applicationRoutes(world, account, settings.identifyIntervalMs),
    ...messageRoutes(world, messages, journal),
    ...commands.routes,
    ...interactionRoutes({ ...shared, interactions, messages }),
  ]
  const { restLimit, restWindowMs: windowMs, restGlobalLimit: globalLimit } = settings
  const limits = createRestLimits({ now, limit: restLimit, windowMs, globalLimit })
  const rest = createRest({ account, journal, limits, routes })
  const cdn = createCdn(world, journal)
  const door: Door = { refusing: false }
  const weather = createWeather(gateway, sessions, account, door)

  const server = serve({ settings, rest, cdn, websocket: gateway.websocket, door })
  const host = `${server.hostname}:${server.port}`
  account.gatewayUrl = `ws://${host}/gateway`

  return {
    url: `http://${host}`,
    apiUrl: `http://${host}/api`,
    cdnUrl: `http://${host}/cdn`,
    mediaUrl: `http://${host}/media`,
    spotifyUrl: `http://${host}/spotify`,
    token: account.token,
    account,
    world,
    messages,
    weather,
    journal,
    get sessions() {
      return sessions.all()
    },
    next: journal.next,
    nextMessage: fits => journal.next('message', fits),
    sendMessage: messages.sendMessage,
    editMessage: messages.editMessage,
    closeDms: messages.closeDms,
    interact: interactions.interact,
    ...createBroadcast(sessions, gateway),
    restFails: limits.fail,
    restRecovers: limits.recover,
    cdnFails: cdn.fail,
    async stop() {
      journal.close()
      await server.stop(true)
    },
  }
}
