import { GatewayOpcodes, type GatewayPresenceUpdateData } from '@discordjs/core/http-only'
import type { REST } from '@discordjs/rest'
import type { SessionStore } from '../domain/checkpoint.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { endsSession } from './close-codes.ts'
import { Connection, type Ending, GOING_AWAY } from './connection.ts'
import type { DropReason } from './frames.ts'
import type { IdentifyQueue } from './identify.ts'
import { type Backoff, backoffMs } from './retry.ts'
import { ShardSession } from './session.ts'
import type { Route, Timeouts } from './socket.ts'
import { WebSocketManager, WebSocketShardEvents } from './websocket-shim.ts'

export interface ShardOptions {
  id: number
  /** Of all shards. */
  count: number
  token: string
  intents: number
  presence: GatewayPresenceUpdateData
  /** Where sessions start; asked at every dial. */
  gatewayAddress: () => string
  /** The proxy on the way to a gateway, if any. */
  proxyFor: (address: string) => string | undefined
  queue: IdentifyQueue
  sessionStore: SessionStore | undefined
  clock: Clock
  log: Log
  timing: ShardTiming
  events: ShardEvents
}

/** All in milliseconds. */
export interface ShardTiming extends Timeouts {
  backoff: Backoff
  /** How long to wait with a new session after Discord has refused the old one: something between these. */
  refused: { leastMs: number; mostMs: number }
  /** How long a session must last to be worth an immediate reconnect. */
  stableMs: number
  /** From IDENTIFY to READY, and for silence after RESUME. */
  readyMs: number
}

export interface ShardEvents {
  dispatch(type: string, data: unknown): void
  /** READY or RESUMED was taken in. */
  connected(resumed: boolean): void
  /** The connection ended or could not be made; the shard goes on by itself unless the code is fatal. */
  disconnected(code: number): void
  dropped(reason: DropReason): void
  redialing(): void
  identified(): void
  /** Several attempts in a row have reached no gateway. */
  unreachable(): void
}

/** Members above which GUILD_CREATE leaves people who are offline out; the most Discord allows. */
const LARGE_THRESHOLD = 250
/** Failures after which the resume address is given up for the general one, which resumes as well. */
const RESUME_DIALS = 2
/** Attempts to resume after which a new session is started. */
const RESUME_TRIES = 3

/** One gateway session of the bot, kept up through every kind of weather. */
export class Shard {
  readonly #options: ShardOptions
  readonly #connection: Connection
  readonly #session: ShardSession
  readonly #manager: InstanceType<typeof WebSocketManager>
  #connected = false
  #connectedAt = 0
  #dials = 0
  #failures = 0
  #dialsUnanswered = 0
  #resumesUnanswered = 0
  /** The gateway has answered, and that it knows no such session. */
  #refused = false
  #eventsSeen = 0
  #latencySeconds = 0
  #stopping = false
  #cancelWatch = () => {}

  constructor(options: ShardOptions) {
    this.#options = options
    const { id, count, timing, clock, events } = options
    this.#connection = new Connection(
      {
        route: () => this.#route(),
        delayMs: () => this.#delayMs(),
        dialing: () => this.#dialing(),
        greeted: () => this.#greeted(),
        invalidated: resumable => this.#invalidated(resumable),
        sent: opcode => this.#sent(opcode),
        dropped: events.dropped,
        closed: (code, problem, ending) => this.#closed(code, problem, ending),
      },
      timing,
      clock,
    )
    this.#session = new ShardSession(id, count, this.#connection.address, options.sessionStore)
    this.#manager = this.#createManager()
  }

  get connected(): boolean {
    return this.#connected
  }

  /** The last heartbeat's round trip, seconds; 0 before the first. */
  get latencySeconds(): number {
    return this.#latencySeconds
  }

  connect(): void {
    this.#manager.connect().catch(error => this.#debug({ error: describeError(error) }))
  }

  /** False when nothing was sent. */
  send(payload: JsonObject): boolean {
    return this.#connected && this.#connection.send(JSON.stringify(payload))
  }

  /** Whether another process could go on from this session. */
  setComplete(complete: boolean): void {
    this.#session.setComplete(complete)
  }

  /** Leaves the session resumable. Resolves within so many milliseconds. */
  async stop(withinMs: number): Promise<void> {
    this.#stopping = true
    const over = this.#connection.close(withinMs)
    // Ends the library's heartbeats; its own goodbye comes too late to matter.
    void this.#manager.destroy({ code: GOING_AWAY })
    await over
  }

  #route(): Route {
    const address = this.#session.address() ?? this.#options.gatewayAddress()
    return { address, proxy: this.#options.proxyFor(address) }
  }

  #delayMs(): number {
    const { backoff, refused } = this.#options.timing
    if (this.#refused) return refused.leastMs + Math.random() * (refused.mostMs - refused.leastMs)
    return backoffMs(this.#failures, backoff)
  }

  #dialing(): void {
    this.#refused = false
    if (this.#dials++ > 0) this.#options.events.redialing()
    if (++this.#dialsUnanswered <= RESUME_DIALS) return
    this.#session.locate(undefined)
    this.#options.events.unreachable()
  }

  #greeted(): void {
    this.#dialsUnanswered = 0
  }

  #dispatch({ t, d }: JsonObject): void {
    this.#eventsSeen++
    if (typeof t !== 'string') return
    if (t === 'READY' && isObject(d)) this.#session.locate(d.resume_gateway_url)
    this.#options.events.dispatch(t, d)
    if (t === 'READY' || t === 'RESUMED') this.#settle(t === 'RESUMED')
  }

  #settle(resumed: boolean): void {
    const { id, count, log, clock, events } = this.#options
    this.#cancelWatch()
    this.#connected = true
    this.#connectedAt = clock.monotonic()
    this.#resumesUnanswered = 0
    log.info(resumed ? 'gateway session resumed' : 'gateway session started', { shard: id, shards: count })
    events.connected(resumed)
  }

  #invalidated(resumable: boolean): boolean {
    const again = resumable && this.#resumesUnanswered < RESUME_TRIES
    this.#options.log.info('Discord ended the gateway session', { shard: this.#options.id, resumable })
    if (again) return true
    // In answer to IDENTIFY it means that we are too fast.
    this.#refused = !resumable && (this.#connected || this.#resumesUnanswered > 0)
    this.#dropSession()
    return false
  }

  #dropSession(): void {
    this.#resumesUnanswered = 0
    this.#session.drop()
  }

  #sent(opcode: number): void {
    if (opcode === GatewayOpcodes.Identify) this.#options.events.identified()
    if (opcode !== GatewayOpcodes.Resume) return
    this.#resumesUnanswered++
    this.#watchResume(this.#eventsSeen)
  }

  /** The library waits for RESUMED without an end. Replayed events are signs of life. */
  #watchResume(seen: number): void {
    const { clock, timing } = this.#options
    this.#cancelWatch()
    this.#cancelWatch = clock.after(timing.readyMs, () => {
      if (this.#eventsSeen > seen) this.#watchResume(this.#eventsSeen)
      else this.#connection.drop('no answer to RESUME')
    })
  }

  #closed(code: number, problem: string, ending: Ending): void {
    this.#cancelWatch()
    this.#failures = this.#failuresNow()
    if (endsSession(code) || this.#resumesUnanswered >= RESUME_TRIES) this.#dropSession()
    if (!this.#stopping) this.#logClose(code, problem, ending)
    this.#connected = false
    this.#options.events.disconnected(code)
  }

  /** Whatever failed before a session came about is forgotten with it; one that ends at once is a failure itself. */
  #failuresNow(): number {
    const { clock, timing } = this.#options
    if (this.#connected) return clock.monotonic() - this.#connectedAt >= timing.stableMs ? 0 : 1
    return this.#refused ? 0 : this.#failures + 1
  }

  #logClose(code: number, problem: string, ending: Ending): void {
    const { id, log } = this.#options
    const details = { shard: id, code, problem, failures: this.#failures }
    if (this.#refused) log.info('Discord does not know the session any more; starting a new one', details)
    else if (ending === 'no heartbeat') log.warn('the gateway does not answer heartbeats; reconnecting', details)
    else if (ending === 'asked') log.info('gateway connection ended as Discord asked; reconnecting', details)
    else if (this.#connected) log.warn('gateway connection lost; reconnecting', details)
    else if (this.#dialsUnanswered === 0) log.warn('no gateway session came about; trying again', details)
    else log.warn('the gateway could not be reached; trying again', details)
  }

  #debug(details: JsonObject): void {
    this.#options.log.debug('gateway', { shard: this.#options.id, ...details })
  }

  #createManager() {
    const { id, count, token, intents, presence, queue, timing } = this.#options
    // Limits are kept by the queue, which knows that resuming costs nothing; the library would refuse to start.
    const limits = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 }
    const gateway = { url: this.#connection.address, shards: count, session_start_limit: limits }
    const manager = new WebSocketManager({
      token,
      intents,
      rest: { get: async () => gateway } as unknown as REST,
      shardCount: count,
      shardIds: [id],
      compression: null,
      largeThreshold: LARGE_THRESHOLD,
      initialPresence: presence,
      identifyProperties: { browser: 'exoix', device: 'exoix', os: process.platform },
      // The connection has its own.
      handshakeTimeout: null,
      helloTimeout: null,
      readyTimeout: timing.readyMs,
      buildIdentifyThrottler: () => queue,
      retrieveSessionInfo: () => this.#session.forLibrary(),
      updateSessionInfo: (_shard, info) => this.#session.update(info),
    })
    manager.on(WebSocketShardEvents.Dispatch, payload => this.#dispatch(payload as unknown as JsonObject))
    manager.on(WebSocketShardEvents.HeartbeatComplete, ({ latency }) => {
      // An acknowledgement of nothing is measured from the year 1970.
      if (latency >= 0 && latency < 600_000) this.#latencySeconds = latency / 1000
    })
    manager.on(WebSocketShardEvents.Debug, message => this.#debug({ message }))
    // Fatal closes, told apart by their code in `closed`. Unheard, they would end the process.
    manager.on(WebSocketShardEvents.Error, error => this.#debug({ error: describeError(error) }))
    return manager
  }
}
