import { GatewayOpcodes, type GatewayPresenceUpdateData } from '@discordjs/core/http-only'
import type { REST } from '@discordjs/rest'
import type { SessionStore } from '../domain/checkpoint.ts'
import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { endsSession } from './close-codes.ts'
import { createLine, GOING_AWAY, WebSocketManager, WebSocketShardEvents } from './connection.ts'
import type { DropReason } from './frames.ts'
import type { IdentifyQueue } from './identify.ts'
import { type Backoff, backoffMs } from './retry.ts'
import { createShardSession } from './session.ts'
import type { Patience } from './socket.ts'

export interface ShardOptions {
  id: number
  /** Of all shards. */
  count: number
  token: string
  intents: number
  presence: GatewayPresenceUpdateData
  /** Where a session starts; asked at every dial. */
  gatewayAddress: () => string
  queue: IdentifyQueue
  sessionStore: SessionStore | undefined
  clock: Clock
  log: Log
  timing: ShardTiming
  events: ShardEvents
}

/** All in milliseconds. */
export interface ShardTiming extends Patience {
  backoff: Backoff
  /** How long a connection must last to be worth an immediate reconnect. */
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

/** One gateway session of the bot, kept up through every kind of weather. */
export interface Shard {
  readonly connected: boolean
  /** The last heartbeat's round trip, seconds; 0 before the first. */
  readonly latencySeconds: number
  connect(): void
  /** False when nothing was sent. */
  send(payload: JsonObject): boolean
  /** Whether another process could go on from this session. */
  setComplete(complete: boolean): void
  /** Leaves the session resumable. Resolves within so many milliseconds. */
  stop(withinMs: number): Promise<void>
}

/** Members above which GUILD_CREATE leaves people who are offline out; the most Discord allows. */
const LARGE_THRESHOLD = 250
/** Failures after which the resume address is given up for the general one, which resumes as well. */
const RESUME_DIALS = 2
/** Attempts to resume after which a new session is started. */
const RESUME_TRIES = 3

export function createShard(options: ShardOptions): Shard {
  const { id, count, clock, log, timing, events } = options
  let connected = false
  let connectedAt = 0
  let dials = 0
  let failures = 0
  let dialsUnanswered = 0
  let resumesUnanswered = 0
  let eventsSeen = 0
  let latencySeconds = 0
  let stopping = false
  let cancelWatch = () => {}

  const line = createLine(
    {
      address: () => session.address() ?? options.gatewayAddress(),
      delayMs: () => backoffMs(failures, timing.backoff),
      dialing() {
        if (dials++ > 0) events.redialing()
        if (++dialsUnanswered <= RESUME_DIALS) return
        session.locate(undefined)
        events.unreachable()
      },
      greeted() {
        dialsUnanswered = 0
      },
      invalidated,
      sent,
      dropped: events.dropped,
      closed,
    },
    timing,
    clock,
  )
  const session = createShardSession(id, count, line.address, options.sessionStore)
  const manager = createManager(options, line.address, session)
  manager.on(WebSocketShardEvents.Dispatch, payload => dispatch(payload as unknown as JsonObject))
  manager.on(WebSocketShardEvents.HeartbeatComplete, ({ latency }) => {
    // An acknowledgement of nothing is measured from the year 1970.
    if (latency >= 0 && latency < 600_000) latencySeconds = latency / 1000
  })
  manager.on(WebSocketShardEvents.Debug, message => log.debug('gateway', { shard: id, message }))
  // Fatal closes, told apart by their code in `closed`. Unheard, they would end the process.
  manager.on(WebSocketShardEvents.Error, error => log.debug('gateway', { shard: id, error: describeError(error) }))

  function dispatch({ t, d }: JsonObject): void {
    eventsSeen++
    if (typeof t !== 'string') return
    if (t === 'READY' && isObject(d)) session.locate(d.resume_gateway_url)
    events.dispatch(t, d)
    if (t === 'READY' || t === 'RESUMED') settle(t === 'RESUMED')
  }

  function settle(resumed: boolean): void {
    cancelWatch()
    connected = true
    connectedAt = clock.now()
    resumesUnanswered = 0
    log.info(resumed ? 'gateway session resumed' : 'gateway session started', { shard: id, shards: count })
    events.connected(resumed)
  }

  function invalidated(resumable: boolean): boolean {
    const again = resumable && resumesUnanswered < RESUME_TRIES
    log.info('Discord ended the gateway session', { shard: id, resumable })
    if (!again) dropSession()
    return again
  }

  function dropSession(): void {
    resumesUnanswered = 0
    session.drop()
  }

  function sent(opcode: number): void {
    if (opcode === GatewayOpcodes.Identify) events.identified()
    if (opcode !== GatewayOpcodes.Resume) return
    resumesUnanswered++
    watchResume(eventsSeen)
  }

  /** The library waits for RESUMED without an end. Replayed events are signs of life. */
  function watchResume(seen: number): void {
    cancelWatch()
    cancelWatch = clock.after(timing.readyMs, () =>
      eventsSeen > seen ? watchResume(eventsSeen) : line.drop('no answer to RESUME'),
    )
  }

  function closed(code: number, problem: string): void {
    cancelWatch()
    const lasted = connected && clock.now() - connectedAt >= timing.stableMs
    failures = lasted ? 0 : failures + 1
    if (endsSession(code) || resumesUnanswered >= RESUME_TRIES) dropSession()
    if (!stopping) logClose(code, problem)
    connected = false
    events.disconnected(code)
  }

  function logClose(code: number, problem: string): void {
    const details = { shard: id, code, problem, failures }
    if (connected && code === GOING_AWAY) log.info('gateway connection ended as Discord asked; reconnecting', details)
    else if (connected) log.warn('gateway connection lost; reconnecting', details)
    else if (dialsUnanswered === 0) log.warn('no gateway session came about; trying again', details)
    else log.warn('the gateway could not be reached; trying again', details)
  }

  return {
    get connected() {
      return connected
    },
    get latencySeconds() {
      return latencySeconds
    },
    connect() {
      manager.connect().catch(error => log.debug('gateway', { shard: id, error: describeError(error) }))
    },
    send: payload => connected && line.send(JSON.stringify(payload)),
    setComplete: session.setComplete,
    async stop(withinMs) {
      stopping = true
      const over = line.hangUp(withinMs)
      // Ends the library's heartbeats; its own goodbye comes too late to matter.
      void manager.destroy({ code: GOING_AWAY })
      await over
    },
  }
}

function createManager(options: ShardOptions, address: string, session: ReturnType<typeof createShardSession>) {
  // Limits are kept by the queue, which knows that resuming costs nothing; the library would refuse to start.
  const limits = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 }
  const gateway = { url: address, shards: options.count, session_start_limit: limits }
  return new WebSocketManager({
    token: options.token,
    intents: options.intents,
    rest: { get: async () => gateway } as unknown as REST,
    shardCount: options.count,
    shardIds: [options.id],
    compression: null,
    largeThreshold: LARGE_THRESHOLD,
    initialPresence: options.presence,
    identifyProperties: { browser: 'exoix', device: 'exoix', os: process.platform },
    // The line has its own.
    handshakeTimeout: null,
    helloTimeout: null,
    readyTimeout: options.timing.readyMs,
    buildIdentifyThrottler: () => options.queue,
    retrieveSessionInfo: session.forLibrary,
    updateSessionInfo: (_shard, info) => session.update(info),
  })
}
