import { type Broadcast, createBroadcast } from './gateway/broadcast.ts'
import { type Acceptance, createFaults, type Faults } from './gateway/faults.ts'
import { GatewayServer } from './gateway/gateway.ts'
import { MemberRequests } from './gateway/members.ts'
import { GatewayOps } from './gateway/ops.ts'
import type { Session } from './gateway/session.ts'
import { Sessions } from './gateway/sessions.ts'
import { type Account, createAccount, readOptions, type SimulatorOptions } from './options.ts'
import { World } from './people/world.ts'
import { type Cdn, createCdn } from './pictures/cdn.ts'
import { type BotMessage, type BotRecorder, type BotRecords, createRecorder } from './recorder.ts'
import { applicationRoutes } from './rest/application-routes.ts'
import { createCommands } from './rest/commands.ts'
import { InteractionRoutes } from './rest/interaction-routes.ts'
import { Interactions } from './rest/interactions.ts'
import { createRestLimits, type RestFailure } from './rest/limits.ts'
import { messageRoutes } from './rest/message-routes.ts'
import { Messages } from './rest/messages.ts'
import { createRest } from './rest/rest.ts'
import { serve } from './server.ts'
import type { Dispatch } from './types.ts'

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
  const recorder = createRecorder<BotRecords>()
  const account = createAccount(settings)
  const running: { sessions?: Sessions } = {}
  const world = new World({ ...settings, botId: account.applicationId, emit: event => running.sessions?.emit(event) })
  const shared: Shared = { ...settings, account, recorder, world }
  const sessions = new Sessions(world, shared)
  running.sessions = sessions
  const gateway = createGateway(shared, sessions)
  const { rest, limits, messages, interactions } = createApi(shared, sessions)
  const cdn = createCdn(world, recorder)
  const acceptance: Acceptance = { refusing: false }
  const faults = createFaults(gateway, sessions, account, acceptance)

  const server = serve({ settings, rest, cdn, websocket: gateway.websocket, acceptance })
  const host = `${server.hostname}:${server.port}`
  account.gatewayUrl = `ws://${host}/gateway`

  return {
    ...addresses(host),
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
    sendMessage: init => messages.sendMessage(init),
    editMessage: (messageId, patch) => messages.editMessage(messageId, patch),
    closeDms: (userId, closed) => messages.closeDms(userId, closed),
    interact: init => interactions.interact(init),
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

/** What every part of the simulator is made with. */
type Shared = ReturnType<typeof readOptions> & { account: Account; recorder: BotRecorder; world: World }

function addresses(host: string) {
  const url = `http://${host}`
  return { url, apiUrl: `${url}/api`, cdnUrl: `${url}/cdn`, mediaUrl: `${url}/media`, spotifyUrl: `${url}/spotify` }
}

function createGateway(shared: Shared, sessions: Sessions): GatewayServer {
  const { memberRequestIntervalMs: intervalMs, memberRequestLimit: limit } = shared
  const memberRequests = new MemberRequests({ ...shared, intervalMs, limit })
  const ops = new GatewayOps({ ...shared, sessions, memberRequests })
  return new GatewayServer({ ...shared, sessions, ops })
}

function createApi(shared: Shared, sessions: Sessions) {
  const { account, recorder, world } = shared
  const emit = (event: Dispatch) => sessions.emit(event)
  const messages = new Messages({ ...shared, emit })
  const commands = createCommands(world, account, recorder)
  const interactions = new Interactions({ ...shared, commands, messages, emit })
  const routes = [
    ...applicationRoutes(world, account, shared.identifyIntervalMs),
    ...messageRoutes(world, messages, recorder),
    ...commands.routes,
    ...new InteractionRoutes({ ...shared, interactions, messages }).routes,
  ]
  const { now, restLimit: limit, restWindowMs: windowMs, restGlobalLimit: globalLimit } = shared
  const limits = createRestLimits({ now, limit, windowMs, globalLimit })
  return { rest: createRest({ account, recorder, limits, routes }), limits, messages, interactions }
}
