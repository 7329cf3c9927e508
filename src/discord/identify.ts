import { ActivityType, type GatewayPresenceUpdateData, PresenceUpdateStatus } from '@discordjs/core/http-only'
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
  const askedAt = clock.monotonic()
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

/**
 * One session a bucket and interval, and none once the day's budget is used up: Discord resets the token of a bot that
 * goes on, so then we wait until the budget is renewed.
 */
export class IdentifyQueue {
  readonly #info: GatewayInfoSource
  readonly #clock: Clock
  readonly #log: Log
  readonly #intervalMs: number
  readonly #freshMs: number
  readonly #freeAt = new Map<number, number>()
  #startedSinceAsked = 0
  #asked: number

  constructor(options: IdentifyQueueOptions) {
    this.#info = options.info
    this.#clock = options.clock
    this.#log = options.log
    this.#intervalMs = options.intervalMs
    this.#freshMs = options.freshMs
    this.#asked = this.#info.current().askedAt
  }

  /** Resolves when this shard may identify; rejects when the signal is aborted. */
  async waitForIdentify(shard: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const bucket = shard % this.#info.current().maxConcurrency
      const turn = (this.#freeAt.get(bucket) ?? 0) - this.#clock.monotonic()
      if (turn > 0) {
        await pause(this.#clock, turn, signal)
        continue
      }
      this.#freeAt.set(bucket, this.#clock.monotonic() + this.#intervalMs)
      const wait = await this.#take()
      if (wait === 0) {
        this.#freeAt.set(bucket, this.#clock.monotonic() + this.#intervalMs)
        return signal.throwIfAborted()
      }
      this.#log.warn('no more gateway sessions may be started for now; waiting', {
        waitSeconds: Math.ceil(wait / 1000),
      })
      await pause(this.#clock, wait, signal)
    }
  }

  /** Takes one session off the budget and answers 0, or how many milliseconds there is none; asks Discord first unless the answer is fresh. */
  async #take(): Promise<number> {
    if (this.#clock.monotonic() - this.#info.current().askedAt > this.#freshMs || this.#left() <= 0) {
      try {
        await this.#info.refresh()
      } catch (error) {
        this.#log.warn('Discord did not say how many sessions may be started', { error: describeError(error) })
      }
    }
    if (this.#left() <= 0) return Math.max(1000, this.#info.current().resetAt - this.#clock.monotonic())
    this.#startedSinceAsked++
    return 0
  }

  #left(): number {
    const { askedAt, remaining } = this.#info.current()
    if (this.#asked !== askedAt) this.#startedSinceAsked = 0
    this.#asked = askedAt
    return remaining - this.#startedSinceAsked
  }
}

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
