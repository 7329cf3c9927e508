import { isObject, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import { isGatewayAddress } from './sessions.ts'

/** What Discord says about connecting (docs: Gateway, "Get Gateway Bot"). */
export interface GatewayInfo {
  readonly url: string
  readonly shards: number
  /** Sessions that may start at the same time. */
  readonly maxConcurrency: number
  /** Sessions that may still be started, and the clock's time at which the count is renewed. */
  readonly remaining: number
  readonly resetAt: number
  readonly askedAt: number
}

const DAY_MS = 86_400_000

/** Throws when the answer is of no use at all; odd limits are replaced by the most careful ones. */
export function readGatewayInfo(answer: unknown, clock: Clock): GatewayInfo {
  if (!isObject(answer) || !isGatewayAddress(answer.url)) throw new Error('GET /gateway/bot named no gateway')
  const limit: JsonObject = isObject(answer.session_start_limit) ? answer.session_start_limit : {}
  const askedAt = clock.now()
  return {
    url: answer.url,
    shards: whole(answer.shards, 1, 1, 100_000),
    maxConcurrency: whole(limit.max_concurrency, 1, 1, 100_000),
    remaining: whole(limit.remaining, 1, 0, 1_000_000),
    resetAt: askedAt + whole(limit.reset_after, 5000, 0, DAY_MS),
    askedAt,
  }
}

function whole(value: unknown, fallback: number, min: number, max: number): number {
  return Number.isInteger(value) ? Math.min(max, Math.max(min, value as number)) : fallback
}

/** The last answer, and a way to ask again. */
export interface GatewayInfoSource {
  current(): GatewayInfo
  /** Keeps the last answer when it rejects. */
  refresh(): Promise<void>
}

export function createGatewayInfoSource(first: GatewayInfo, ask: () => Promise<GatewayInfo>): GatewayInfoSource {
  let current = first
  return {
    current: () => current,
    async refresh() {
      current = await ask()
    },
  }
}
