import { MINUTE } from '../lib/clock.ts'
import type { MembersTiming } from './member-requests.ts'
import type { ShardTiming } from './shard.ts'

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
  // Discord asks for one to five seconds; dialing takes its time, too.
  refused: { leastMs: 1000, mostMs: 4000 },
  stableMs: 1000,
  readyMs: 30_000,
  // Discord says 5 s; its clock and ours see them differently.
  identifyMs: 5250,
  budgetFreshMs: MINUTE,
  // Likewise, 30 s.
  listIntervalMs: 31_000,
  chunkMs: 15_000,
  gatherMs: 1000,
  againMs: MINUTE,
  joinGatherMs: 500,
  joinAnswerMs: 5000,
  quietMs: 15_000,
  stopMs: 800,
}
