import type { Counter, Metrics } from '../lib/metrics.ts'
import { DROP_REASONS, type DropReason } from './frames.ts'

/** What the gauges read when somebody asks. */
export interface GatewayGauges {
  shards(): number
  connectedShards(): number
  guilds(): number
  latencySeconds(): number
  loaded(): boolean
}

export interface GatewayMetrics {
  event(type: string): void
  dropped(reason: DropReason, count?: number): void
  closed(code: number): void
  readonly reconnects: Counter
  readonly resumes: Counter
  readonly identifies: Counter
  watch(gauges: GatewayGauges): void
}

/** Labels come from Discord, so only these are counted by name. */
const EVENTS = [
  'PRESENCE_UPDATE',
  'READY',
  'RESUMED',
  'GUILD_CREATE',
  'GUILD_DELETE',
  'GUILD_MEMBERS_CHUNK',
  'GUILD_MEMBER_ADD',
  'GUILD_MEMBER_UPDATE',
  'GUILD_MEMBER_REMOVE',
  'RATE_LIMITED',
  'MESSAGE_CREATE',
  'MESSAGE_UPDATE',
  'INTERACTION_CREATE',
]
const CLOSE_CODES = [
  1000, 1001, 1006, 4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008, 4009, 4010, 4011, 4012, 4013, 4014, 4200,
].map(String)

export function createGatewayMetrics(metrics: Metrics): GatewayMetrics {
  const count = metrics.counter
  const family = (name: string, help: string, label: string, values: readonly string[]) =>
    new Map(values.map(value => [value, count(name, help, { [label]: value })]))

  const presenceUpdates = count('presence_updates', 'Presence updates received from Discord')
  const events = family('gateway_events_total', 'Events received from Discord', 'type', EVENTS)
  const otherEvents = count('gateway_events_total', 'Events received from Discord', { type: 'other' })
  const droppedHelp = 'Events, members and frames from Discord that could not be used'
  const drops = family('gateway_dropped_total', droppedHelp, 'reason', DROP_REASONS)
  const closes = family('gateway_closes_total', 'Gateway connections that ended', 'code', CLOSE_CODES)
  const otherCloses = count('gateway_closes_total', 'Gateway connections that ended', { code: 'other' })

  return {
    event(type) {
      if (type === 'PRESENCE_UPDATE') presenceUpdates.inc()
      const counter = events.get(type) ?? otherEvents
      counter.inc()
    },
    dropped: (reason, times = 1) => drops.get(reason)?.inc(times),
    closed: code => (closes.get(String(code)) ?? otherCloses).inc(),
    reconnects: count('gateway_reconnects_total', 'Gateway connections opened after the first of each shard'),
    resumes: count('gateway_resumes_total', 'Gateway sessions resumed'),
    identifies: count('gateway_identifies_total', 'Gateway sessions started'),
    watch({ shards, connectedShards, guilds, latencySeconds, loaded }) {
      metrics.gauge('gateway_shards', 'Shards of the bot', shards)
      metrics.gauge('gateway_connected_shards', 'Shards with a running session', connectedShards)
      metrics.gauge('guilds', 'Servers the bot is in', guilds)
      metrics.gauge('gateway_latency_seconds', 'Slowest heartbeat round trip over the shards', latencySeconds)
      metrics.gauge('members_loaded', 'Whether the first member lists are in', () => Number(loaded()))
    },
  }
}
