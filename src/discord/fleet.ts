import type { Config } from '../config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { botPresence } from './bot-presence.ts'
import type { GatewayInfoSource } from './gateway-info.ts'
import type { GatewayMetrics } from './gateway-metrics.ts'
import { createIdentifyQueue } from './identify-queue.ts'
import type { SessionStore } from './sessions.ts'
import { createShard, type Shard } from './shard.ts'
import type { GatewayTiming } from './timing.ts'

export interface FleetOptions {
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
