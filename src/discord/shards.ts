import { ActivityType, type GatewayPresenceUpdateData, PresenceUpdateStatus } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import type { SessionStore } from '../domain/checkpoint.ts'
import { type Clock, MINUTE } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { createIdentifyQueue, type GatewayInfoSource } from './identify.ts'
import type { MembersTiming } from './members.ts'
import type { GatewayMetrics } from './metrics.ts'
import { createShard, type Shard, type ShardTiming } from './shard.ts'

/**
 * The bot's own presence for IDENTIFY (docs: Gateway Events, "Update Presence"). A custom status carries its text in
 * `state`; streaming needs a Twitch or YouTube address, which nobody configures here, and shows as playing without one.
 */
export function botPresence(text: string, type: number): GatewayPresenceUpdateData {
  const activity =
    type === ActivityType.Custom
      ? { name: 'Custom Status', type, state: text }
      : { name: text, type: type === ActivityType.Streaming ? ActivityType.Playing : type }
  return { since: null, activities: [activity], status: PresenceUpdateStatus.Online, afk: false }
}

/** How patient the gateway is, all in milliseconds. */
export interface GatewayTiming extends ShardTiming, MembersTiming {
  /** Between two sessions of one bucket. */
  identifyMs: number
  /** How long an answer about the budget of sessions is believed. */
  budgetFreshMs: number
  /** Silence after which guilds that did not arrive are not waited for. */
  quietMs: number
  /** How long stopping may take. */
  stopMs: number
}

export const TIMING: GatewayTiming = {
  handshakeMs: 15_000,
  closeMs: 3000,
  backoff: { firstMs: 1000, longestMs: 30_000 },
  stableMs: 30_000,
  readyMs: 30_000,
  // Discord says 5 s; its clock and ours see them differently.
  identifyMs: 5250,
  budgetFreshMs: MINUTE,
  // Likewise, 30 s.
  listIntervalMs: 31_000,
  chunkMs: 15_000,
  gatherMs: 1000,
  againMs: MINUTE,
  quietMs: 15_000,
  stopMs: 800,
}

interface FleetOptions {
  config: Config
  intents: number
  info: GatewayInfoSource
  sessions: SessionStore | undefined
  clock: Clock
  timing: GatewayTiming
  metrics: GatewayMetrics
  log: Log
  onDispatch: (type: string, data: unknown, shard: number) => void
  onConnected: (shard: number, resumed: boolean) => void
  onDisconnected: (shard: number, code: number) => void
}

/** All the shards Discord recommends, one queue for them to identify in. They do not connect yet. */
export function createFleet(options: FleetOptions): Shard[] {
  const { config, info, clock, timing, metrics, log, onDispatch, onConnected, onDisconnected } = options
  const queue = createIdentifyQueue({ info, clock, log, intervalMs: timing.identifyMs, freshMs: timing.budgetFreshMs })

  /** The gateway may have moved. */
  function unreachable(): void {
    if (clock.now() - info.current().askedAt > timing.budgetFreshMs) info.refresh().catch(() => {})
  }

  const count = info.current().shards
  return Array.from({ length: count }, (_, id) =>
    createShard({
      id,
      count,
      token: config.botToken ?? '',
      intents: options.intents,
      presence: botPresence(config.botPresence, config.botPresenceType),
      gatewayAddress: () => info.current().url,
      queue,
      sessionStore: options.sessions,
      clock,
      log,
      timing,
      events: {
        dispatch: (type, data) => onDispatch(type, data, id),
        connected: resumed => onConnected(id, resumed),
        disconnected: code => onDisconnected(id, code),
        dropped: metrics.dropped,
        redialing: () => metrics.reconnects.inc(),
        identified: () => metrics.identifies.inc(),
        unreachable,
      },
    }),
  )
}
