import { type Clock, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { GatewayInfoSource } from './gateway-info.ts'

export interface IdentifyQueueOptions {
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
