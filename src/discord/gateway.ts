import type { API } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import type { SessionStore } from '../domain/checkpoint.ts'
import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import { isObject, isSnowflake } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import { type Clock, createStoppableClock, systemClock } from '../lib/clock.ts'
import { createComplaint, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { fatalClose } from './close-codes.ts'
import { createDispatch } from './dispatch.ts'
import { createGuildBook, shardOfGuild } from './guilds.ts'
import { createGatewayInfoSource, type GatewayInfo, readGatewayInfo } from './identify.ts'
import { chooseIntents } from './intents.ts'
import { createMembers } from './members.ts'
import { createGatewayMetrics } from './metrics.ts'
import { askApplication } from './rest.ts'
import { askUntilAnswered, isTokenRefused } from './retry.ts'
import type { Shard } from './shard.ts'
import { createFleet, type GatewayTiming, TIMING } from './shards.ts'

/** The bot's application, as far as it matters here. */
export interface Application {
  readonly id: string
  /** Whether the bot can read the text of messages in servers. */
  readonly messageContent: boolean
}

export interface GatewayDeps {
  config: Config
  api: API
  presences: PresenceStore
  metrics: Metrics
  log: Log
  /** Events that are no bookkeeping of members and presences, and READY. What it throws is counted and logged. */
  onEvent?: (type: string, data: unknown) => void
  /** Told once, after the start, when only the operator can go on. */
  onFatal: (error: FatalError) => void
  /** Where sessions outlive the process; without one they end with it. */
  sessions?: SessionStore
  options?: { clock?: Clock; timing?: Partial<GatewayTiming> }
}

/** The connection to Discord: what happens there goes into the presence store, what the bot needs to `onEvent`. */
export interface Gateway {
  /**
   * Resolves once the application is known and its shards are connecting, or when it was stopped before that. Rejects
   * with FatalError where only the operator can mend it; anything else is tried again for ever.
   */
  start(): Promise<void>
  /** Leaves the sessions resumable and nothing running, within a second. */
  stop(): Promise<void>
  /** Resolves when all members are known for the first time. */
  readonly whenLoaded: Promise<void>
  /** Undefined until Discord has told. */
  application(): Application | undefined
  /** The bot's own user; undefined until the first READY. */
  userId(): string | undefined
}

export function createGateway(deps: GatewayDeps): Gateway {
  const { config, api, presences, log, onEvent = () => {} } = deps
  const clock = createStoppableClock(deps.options?.clock ?? systemClock)
  const timing = { ...TIMING, ...deps.options?.timing }
  const metrics = createGatewayMetrics(deps.metrics)
  const { dropped } = metrics
  const stopped = new AbortController()
  const complain = createComplaint(log, clock)
  let shards: Shard[] = []
  /** Shards that have had a session. */
  const begun = new Set<number>()
  let application: Application | undefined
  let userId: string | undefined
  let loaded = false
  const firstLoad = Promise.withResolvers<void>()
  let failed = false

  const guilds = createGuildBook({ clock, quietMs: timing.quietMs, onComplete: setComplete })
  const members = createMembers({
    presences,
    clock,
    log,
    timing,
    dropped,
    send: (shard, payload) => shards[shard]?.send(payload) ?? false,
    onProgress: guilds.progress,
    onList: guilds.completed,
  })
  const dispatch = createDispatch({ presences, guilds, members, dropped, onOther })
  const connectedShards = () => shards.filter(shard => shard.connected).length
  metrics.watch({
    shards: () => shards.length,
    connectedShards,
    guilds: () => guilds.size,
    latencySeconds: () => Math.max(0, ...shards.map(shard => shard.latencySeconds)),
    loaded: () => loaded,
  })

  function onDispatch(type: string, data: unknown, shard: number): void {
    metrics.event(type)
    try {
      dispatch(type, data, shard)
    } catch (error) {
      dropped('handler_error')
      complain('an event from Discord could not be taken in', error)
    }
  }

  function onOther(type: string, data: unknown): void {
    if (type === 'READY') userId = readOwnId(data) ?? userId
    try {
      onEvent(type, data)
    } catch (error) {
      dropped('listener_error')
      complain('an event from Discord could not be answered', error)
    }
  }

  function onConnected(shard: number, resumed: boolean): void {
    if (resumed) metrics.resumes.inc()
    begun.add(shard)
    guilds.setConnected(shard, true)
    members.setConnected(shard, true)
    setComplete(shard, guilds.isComplete(shard))
    noteReadiness()
  }

  function onDisconnected(shard: number, code: number): void {
    metrics.closed(code)
    guilds.setConnected(shard, false)
    members.setConnected(shard, false)
    noteReadiness()
    const fatal = fatalClose(code)
    if (fatal !== undefined) fail(fatal)
  }

  function setComplete(shard: number, complete: boolean): void {
    shards[shard]?.setComplete(complete)
    if (loaded || begun.size < shards.length || !shards.every((_, id) => guilds.isComplete(id))) return
    loaded = true
    noteReadiness()
    firstLoad.resolve()
    log.info('all members are known', { guilds: guilds.size, users: presences.size })
    if (guilds.size === 0 && application !== undefined) log.warn(HINTS.noServers(application.id))
  }

  function noteReadiness(): void {
    if (loaded) presences.setReadiness(connectedShards() === shards.length ? 'ready' : 'reconnecting')
  }

  function fail(error: FatalError): void {
    if (failed || stopped.signal.aborted) return
    failed = true
    deps.onFatal(error)
  }

  const askGateway = async (): Promise<GatewayInfo> =>
    readGatewayInfo(await api.gateway.getBot({ signal: stopped.signal }), clock)

  async function askGatewayAgain(): Promise<GatewayInfo> {
    try {
      return await askGateway()
    } catch (error) {
      if (isTokenRefused(error)) fail(new FatalError(HINTS.tokenRefused))
      throw error
    }
  }

  async function connect(): Promise<void> {
    if (config.botToken === undefined) throw new FatalError(HINTS.tokenMissing)
    const persistence = { clock, backoff: timing.backoff, log, signal: stopped.signal }
    const getApplication = () => askApplication(api, stopped.signal)
    const { id, flags } = await askUntilAnswered('tell about the application', getApplication, persistence)
    const intents = chooseIntents(flags)
    application = { id, messageContent: intents.messageContent }
    if (!intents.messageContent) log.info(HINTS.messageContentOff)
    const info = createGatewayInfoSource(
      await askUntilAnswered('name its gateway', askGateway, persistence),
      askGatewayAgain,
    )
    const fleet = { config, intents: intents.bits, info, sessions: deps.sessions, clock, timing, metrics, log }
    shards = createFleet({ ...fleet, onDispatch, onConnected, onDisconnected })
    for (const id of presences.guildIds()) if (isSnowflake(id)) guilds.restore(shardOfGuild(id, shards.length), id)
    for (const shard of shards) shard.connect()
  }

  return {
    async start() {
      try {
        await connect()
      } catch (error) {
        if (!stopped.signal.aborted) throw error
      }
    },
    async stop() {
      if (stopped.signal.aborted) return
      stopped.abort(new Error('the gateway is stopping'))
      await Promise.all(shards.map(shard => shard.stop(timing.stopMs)))
      clock.stop()
    },
    whenLoaded: firstLoad.promise,
    application: () => application,
    userId: () => userId,
  }
}

function readOwnId(ready: unknown): string | undefined {
  const user = isObject(ready) ? ready.user : undefined
  return isObject(user) && isSnowflake(user.id) ? user.id : undefined
}
