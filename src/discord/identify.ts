import { isObject, type JsonObject } from '../domain/presence.ts'
import { type Clock, DAY, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import { isGatewayAddress } from './session.ts'

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
    resetAt: askedAt + whole(limit.reset_after, 5000, 0, DAY),
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

interface IdentifyQueueOptions {
  info: GatewayInfoSource
  clock: Clock
  log: Log
  /** Between two sessions of one bucket, milliseconds (docs: Gateway, "Rate Limiting": 5 s). */
  intervalMs: number
  /** How long an answer about the budget is believed, milliseconds. */
  freshMs: number
}

/** Lets shards start sessions no faster, and no more often, than Discord allows. */
export interface IdentifyQueue {
  /** Resolves when this shard may identify; rejects when the signal is aborted. */
  waitForIdentify(shard: number, signal: AbortSignal): Promise<void>
}

/**
 * One session a bucket and interval, and none once the day's budget is used up: Discord resets the token of a bot that
 * goes on, so then we wait until the budget is renewed.
 */
export function createIdentifyQueue(options: IdentifyQueueOptions): IdentifyQueue {
  const { info, clock, log, intervalMs, freshMs } = options
  const freeAt = new Map<number, number>()
  let startedSinceAsked = 0
  let asked = info.current().askedAt

  /** Takes one session off the budget and answers 0, or how many milliseconds there is none; asks Discord first unless the answer is fresh. */
  async function take(): Promise<number> {
    if (clock.now() - info.current().askedAt > freshMs || left() <= 0) {
      try {
        await info.refresh()
      } catch (error) {
        log.warn('Discord did not say how many sessions may be started', { error: describeError(error) })
      }
    }
    if (left() <= 0) return Math.max(1000, info.current().resetAt - clock.now())
    startedSinceAsked++
    return 0
  }

  function left(): number {
    const { askedAt, remaining } = info.current()
    if (asked !== askedAt) startedSinceAsked = 0
    asked = askedAt
    return remaining - startedSinceAsked
  }

  return {
    async waitForIdentify(shard, signal) {
      for (;;) {
        signal.throwIfAborted()
        const bucket = shard % info.current().maxConcurrency
        const turn = (freeAt.get(bucket) ?? 0) - clock.now()
        if (turn > 0) {
          await pause(clock, turn, signal)
          continue
        }
        freeAt.set(bucket, clock.now() + intervalMs)
        const wait = await take()
        if (wait === 0) {
          freeAt.set(bucket, clock.now() + intervalMs)
          return signal.throwIfAborted()
        }
        log.warn('no more gateway sessions may be started for now; waiting', { waitSeconds: Math.ceil(wait / 1000) })
        await pause(clock, wait, signal)
      }
    },
  }
}
