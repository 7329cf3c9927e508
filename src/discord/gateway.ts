import type { API } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import type { SessionStore } from '../domain/checkpoint.ts'
import { FatalError } from '../domain/errors.ts'
import { HINTS } from '../domain/operator.ts'
import { isSnowflake } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import { type Clock, createStoppableClock, systemClock } from '../lib/clock.ts'
import { Listeners } from '../lib/listeners.ts'
import { createComplaint, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { fatalClose } from './close-codes.ts'
import { Dispatch } from './dispatch.ts'
import type { DropReason } from './frames.ts'
import { GuildBook, shardOfGuild } from './guilds.ts'
import { botPresence, createGatewayInfoSource, type GatewayInfo, IdentifyQueue, readGatewayInfo } from './identify.ts'
import { type Application, chooseIntents } from './intents.ts'
import { logJoined } from './member-list.ts'
import { MemberRequests } from './member-requests.ts'
import { createGatewayMetrics } from './metrics.ts'
import { OfflineReports } from './offline-reports.ts'
import { askApplication } from './rest.ts'
import { askUntilAnswered, isTokenRefused } from './retry.ts'
import { Shard, type ShardEvents } from './shard.ts'
import { type GatewayTiming, TIMING } from './timing.ts'

export interface GatewayOptions {
  config: Config
  api: API
  presences: PresenceStore
  metrics: Metrics
  log: Log
  /** Told once, after the start, when only the operator can go on. */
  onFatal: (error: FatalError) => void
  /** Where sessions outlive the process; without one they end with it. */
  sessions?: SessionStore
  /** The proxy on the way to a `ws:` or `wss:` address, if any. */
  proxyFor?: (address: string) => string | undefined
  options?: { clock?: Clock; timing?: Partial<GatewayTiming> }
}

/** The connection to Discord: what happens there goes into the presence store, the rest to whoever listens. */
export class Gateway {
  readonly #options: GatewayOptions
  readonly #clock: ReturnType<typeof createStoppableClock>
  readonly #timing: GatewayTiming
  readonly #metrics: ReturnType<typeof createGatewayMetrics>
  readonly #complain: ReturnType<typeof createComplaint>
  readonly #stopped = new AbortController()
  readonly #guilds: GuildBook
  readonly #offline: OfflineReports
  readonly #requests: MemberRequests[] = []
  readonly #dispatch: Dispatch
  /** Shards that have had a session. */
  readonly #begun = new Set<number>()
  readonly #events = new Listeners<{ readonly type: string; readonly data: unknown }>()
  readonly #firstLoad = Promise.withResolvers<void>()
  #shards: readonly Shard[] = []
  #application: Application | undefined
  #loaded = false
  #failed = false

  /** Tells of every event, once it is taken in. What a listener throws is counted and logged. */
  readonly onEvent = this.#events.add.bind(this.#events)

  constructor(options: GatewayOptions) {
    const { presences, log } = options
    this.#options = options
    this.#clock = createStoppableClock(options.options?.clock ?? systemClock)
    this.#timing = { ...TIMING, ...options.options?.timing }
    this.#metrics = createGatewayMetrics(options.metrics)
    this.#complain = createComplaint(log, this.#clock)
    const onComplete = (shard: number, complete: boolean) => this.#setComplete(shard, complete)
    const onJoined = (guildId: string, name: string) => logJoined(log, presences, guildId, name)
    this.#guilds = new GuildBook({ clock: this.#clock, quietMs: this.#timing.quietMs, onComplete, onJoined })
    this.#offline = new OfflineReports(presences, this.#clock)
    this.#dispatch = new Dispatch({
      presences,
      guilds: this.#guilds,
      offline: this.#offline,
      requests: shard => this.#requestsOf(shard),
      dropped: this.#metrics.dropped,
      onEvent: (type, data) => this.#pass(type, data),
    })
    this.#metrics.watch({
      shards: () => this.#shards.length,
      connectedShards: () => this.#connectedShards(),
      guilds: () => this.#guilds.size,
      latencySeconds: () => Math.max(0, ...this.#shards.map(shard => shard.latencySeconds)),
      loaded: () => this.#loaded,
    })
  }

  /** Resolves when all members are known for the first time. */
  get whenLoaded(): Promise<void> {
    return this.#firstLoad.promise
  }

  /** Undefined until Discord has told. */
  application(): Application | undefined {
    return this.#application
  }

  /**
   * Resolves once the application is known and its shards are connecting, or when it was stopped before that. Rejects
   * with FatalError where only the operator can mend it; anything else is tried again for ever.
   */
  async start(): Promise<void> {
    try {
      await this.#connect()
    } catch (error) {
      if (!this.#stopped.signal.aborted) throw error
    }
  }

  /** Leaves the sessions resumable and nothing running, within a second. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    this.#stopped.abort(new Error('the gateway is stopping'))
    await Promise.all(this.#shards.map(shard => shard.stop(this.#timing.stopMs)))
    this.#offline.settle()
    this.#clock.stop()
  }

  async #connect(): Promise<void> {
    const { config, api, presences, log } = this.#options
    if (config.botToken === undefined) throw new FatalError(HINTS.tokenMissing)
    const { signal } = this.#stopped
    const persistence = { clock: this.#clock, backoff: this.#timing.backoff, log, signal }
    const getApplication = () => askApplication(api, signal)
    const { id, flags, ownerId } = await askUntilAnswered('tell about the application', getApplication, persistence)
    const intents = chooseIntents(flags)
    this.#application = { id, ownerId, messageContent: intents.messageContent }
    if (!intents.messageContent) log.info(HINTS.messageContentOff)
    const info = await askUntilAnswered('name its gateway', () => this.#askGateway(), persistence)
    this.#shards = this.#createShards(info, intents.bits)
    const count = this.#shards.length
    for (const guildId of presences.guildIds())
      if (isSnowflake(guildId)) this.#guilds.restore(shardOfGuild(guildId, count), guildId)
    for (const shard of this.#shards) shard.connect()
  }

  async #askGateway(): Promise<GatewayInfo> {
    return readGatewayInfo(await this.#options.api.gateway.getBot({ signal: this.#stopped.signal }), this.#clock)
  }

  async #askGatewayAgain(): Promise<GatewayInfo> {
    try {
      return await this.#askGateway()
    } catch (error) {
      if (isTokenRefused(error)) this.#fail(new FatalError(HINTS.tokenRefused))
      throw error
    }
  }

  /** All the shards Discord recommends, one queue for them to identify in. They do not connect yet. */
  #createShards(first: GatewayInfo, intents: number): readonly Shard[] {
    const { config, log, sessions, proxyFor = () => undefined } = this.#options
    const [clock, timing] = [this.#clock, this.#timing]
    const { identifyMs: intervalMs, budgetFreshMs: freshMs } = timing
    const info = createGatewayInfoSource(first, () => this.#askGatewayAgain())
    const queue = new IdentifyQueue({ info, clock, log, intervalMs, freshMs })
    /** The gateway may have moved. */
    const unreachable = () => {
      if (clock.monotonic() - info.current().askedAt > freshMs) info.refresh().catch(() => {})
    }
    const count = first.shards
    return Array.from({ length: count }, (_, id) => {
      const gatewayAddress = () => info.current().url
      const presence = botPresence(config.botPresence, config.botPresenceType)
      const shared = { token: config.botToken ?? '', presence, gatewayAddress, proxyFor, queue, clock, log, timing }
      const events = { ...this.#eventsOf(id), unreachable }
      return new Shard({ id, count, intents, sessionStore: sessions, ...shared, events })
    })
  }

  #eventsOf(id: number): Omit<ShardEvents, 'unreachable'> {
    const { dropped, reconnects, identifies } = this.#metrics
    return {
      dispatch: (type, data) => this.#take(type, data, id),
      connected: resumed => this.#onConnected(id, resumed),
      disconnected: code => this.#onDisconnected(id, code),
      dropped,
      redialing: () => reconnects.inc(),
      identified: () => identifies.inc(),
    }
  }

  #requestsOf(shard: number): MemberRequests {
    const { presences, log } = this.#options
    this.#requests[shard] ??= new MemberRequests({
      presences,
      clock: this.#clock,
      log,
      timing: this.#timing,
      dropped: this.#metrics.dropped,
      send: payload => this.#shards[shard]?.send(payload) ?? false,
      onProgress: guildId => this.#guilds.progress(guildId),
      onList: guildId => this.#guilds.completed(guildId),
    })
    return this.#requests[shard]
  }

  #take(type: string, data: unknown, shard: number): void {
    this.#metrics.event(type)
    this.#attempt('handler_error', 'taken in', () => this.#dispatch.take(type, data, shard))
  }

  #pass(type: string, data: unknown): void {
    this.#attempt('listener_error', 'answered', () => this.#events.tell({ type, data }))
  }

  /** One event that breaks what handles it must not take the connection along. */
  #attempt(reason: DropReason, what: string, handle: () => void): void {
    try {
      handle()
    } catch (error) {
      this.#metrics.dropped(reason)
      this.#complain(`an event from Discord could not be ${what}`, error)
    }
  }

  #onConnected(shard: number, resumed: boolean): void {
    if (resumed) this.#metrics.resumes.inc()
    if (!this.#begun.has(shard)) this.#askAboutAwaited(shard)
    this.#begun.add(shard)
    this.#guilds.setConnected(shard, true)
    this.#requestsOf(shard).setConnected(true)
    this.#setComplete(shard, this.#guilds.isComplete(shard))
    this.#noteReadiness()
  }

  /** Whoever joined just before the last process ended. */
  #askAboutAwaited(shard: number): void {
    for (const { id, memberships } of this.#options.presences.awaited()) {
      for (const { guildId } of memberships) {
        const isOurs = isSnowflake(guildId) && shardOfGuild(guildId, this.#shards.length) === shard
        if (isOurs) this.#requestsOf(shard).requestNewcomer(guildId, id)
      }
    }
  }

  #onDisconnected(shard: number, code: number): void {
    const fatal = fatalClose(code)
    this.#metrics.closed(code)
    this.#guilds.setConnected(shard, false)
    this.#requestsOf(shard).setConnected(false)
    this.#noteReadiness()
    if (fatal !== undefined) this.#fail(fatal)
  }

  #setComplete(shard: number, complete: boolean): void {
    const shards = this.#shards
    shards[shard]?.setComplete(complete)
    const isAllIn = this.#begun.size === shards.length && shards.every((_, id) => this.#guilds.isComplete(id))
    if (this.#loaded || !isAllIn) return
    this.#loaded = true
    this.#noteReadiness()
    this.#firstLoad.resolve()
    const { log, presences } = this.#options
    log.info('all members are known', { guilds: this.#guilds.size, users: presences.size })
    if (this.#guilds.size === 0 && this.#application !== undefined) log.warn(HINTS.noServers(this.#application.id))
  }

  #connectedShards(): number {
    return this.#shards.filter(shard => shard.connected).length
  }

  #noteReadiness(): void {
    if (!this.#loaded) return
    const isUp = this.#connectedShards() === this.#shards.length
    this.#options.presences.setReadiness(isUp ? 'ready' : 'reconnecting')
  }

  #fail(error: FatalError): void {
    if (this.#failed || this.#stopped.signal.aborted) return
    this.#failed = true
    this.#options.onFatal(error)
  }
}
