import { type Broadcast, createBroadcast } from './gateway/broadcast.ts'
import { type Acceptance, createFaults, type Faults } from './gateway/faults.ts'
import { createGateway } from './gateway/gateway.ts'
import { createMemberRequests } from './gateway/members.ts'
import { createGatewayOps } from './gateway/ops.ts'
import type { Session } from './gateway/session.ts'
import { createSessions, type Sessions } from './gateway/sessions.ts'
import { type Account, createAccount, readOptions, type SimulatorOptions } from './options.ts'
import { createWorld, type World } from './people/world.ts'
import { type Cdn, createCdn } from './pictures/cdn.ts'
import { type BotMessage, type BotRecorder, type BotRecords, createRecorder } from './recorder.ts'
import { applicationRoutes } from './rest/application-routes.ts'
import { createCommands } from './rest/commands.ts'
import { interactionRoutes } from './rest/interaction-routes.ts'
import { createInteractions, type Interactions } from './rest/interactions.ts'
import { createRestLimits, type RestFailure } from './rest/limits.ts'
import { messageRoutes } from './rest/message-routes.ts'
import { createMessages, type Messages } from './rest/messages.ts'
import { createRest } from './rest/rest.ts'
import { serve } from './server.ts'

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
  readonly faults: Faults
  /** Everything the bot did; see {@link BotRecords}. */
  readonly recorder: BotRecorder
  /** Gateway sessions, connected or resumable. */
  readonly sessions: Session[]
  /** What the bot does next (or did, and nobody took it yet): `await sim.next('identify')`. */
  next: BotRecorder['next']
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
 * that is dead down to TCP put a relay (relay.ts) before it, for people who move on their own use actors.ts.
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
 * sim.faults.dropTcp()                                      // the bot should resume: await sim.next('resumed')
 * expect(sim.recorder.all('violation')).toEqual([])           // mistakes Discord would forgive silently
 * await sim.stop()
 * ```
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = readOptions(options)
  const { now } = settings
  const recorder = createRecorder<BotRecords>()
  const account = createAccount(settings)
  const running: { sessions?: Sessions } = {}
  const world = createWorld({ ...settings, botId: account.applicationId, emit: event => running.sessions?.emit(event) })
  const shared = { ...settings, account, recorder, world }
  const sessions = createSessions(world, shared)
  running.sessions = sessions
  const { memberRequestIntervalMs: intervalMs, memberRequestLimit: limit } = settings
  const memberRequests = createMemberRequests({ ...shared, intervalMs, limit })
  const ops = createGatewayOps({ ...shared, sessions, memberRequests })
  const gateway = createGateway({ ...shared, sessions, ops })
  const messages = createMessages({ ...shared, emit: sessions.emit })
  const commands = createCommands(world, account, recorder)
  const interactions = createInteractions({ ...shared, commands, messages, emit: sessions.emit })
  const routes = [
    ...applicationRoutes(world, account, settings.identifyIntervalMs),
    ...messageRoutes(world, messages, recorder),
    ...commands.routes,
    ...interactionRoutes({ ...shared, interactions, messages }),
  ]
  const { restLimit, restWindowMs: windowMs, restGlobalLimit: globalLimit } = settings
  const limits = createRestLimits({ now, limit: restLimit, windowMs, globalLimit })
  const rest = createRest({ account, recorder, limits, routes })
  const cdn = createCdn(world, recorder)
  const acceptance: Acceptance = { refusing: false }
  const faults = createFaults(gateway, sessions, account, acceptance)

  const server = serve({ settings, rest, cdn, websocket: gateway.websocket, acceptance })
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
    faults,
    recorder,
    get sessions() {
      return sessions.all()
    },
    next: recorder.next,
    nextMessage: fits => recorder.next('message', fits),
    sendMessage: messages.sendMessage,
    editMessage: messages.editMessage,
    closeDms: messages.closeDms,
    interact: interactions.interact,
    ...createBroadcast(sessions, gateway),
    restFails: limits.fail,
    restRecovers: limits.recover,
    cdnFails: cdn.fail,
    async stop() {
      recorder.close()
      await server.stop(true)
    },
  }
}
