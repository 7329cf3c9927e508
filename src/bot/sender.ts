import { type API, CannotSendMessagesToThisUserErrorCodes, RESTJSONErrorCodes } from '@discordjs/core/http-only'
import { DiscordAPIError } from '@discordjs/rest'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { type Reply, renderReply } from './reply.ts'

/** Discord did not take a reply; logged and counted already. */
export class UndeliveredError extends Error {
  override readonly name = 'UndeliveredError'
  constructor(
    /** `closed`: that person takes no DMs from the bot. `forbidden`: the bot may not write there. */
    readonly reason: 'closed' | 'forbidden' | 'other',
  ) {
    super(`a reply was not delivered (${reason})`)
  }
}

const FORBIDDEN: readonly unknown[] = [
  RESTJSONErrorCodes.MissingAccess,
  RESTJSONErrorCodes.MissingPermissions,
  RESTJSONErrorCodes.UnknownChannel,
]
const NO_HISTORY: readonly unknown[] = [RESTJSONErrorCodes.CannotReplyWithoutPermissionToReadMessageHistory]
const CLOSED: readonly unknown[] = CannotSendMessagesToThisUserErrorCodes

/** How long a request that is under way when the bot stops may still take, milliseconds. */
const LAST_MOMENT = 500

interface SenderOptions {
  readonly metrics: Metrics
  readonly log: Log
  readonly clock: Clock
  /** Aborted when the bot stops: what waits for Discord's rate limits is given up then. */
  readonly signal: AbortSignal
  /** Told when a channel turns out to be one the bot may not write in. */
  readonly onForbidden: (channelId: string) => void
}

/** Everything the bot sends goes out here: nobody is pinged, everything is counted, nothing fails unseen. */
export class Sender {
  readonly #api: API
  readonly #options: SenderOptions
  readonly #sent: Counter
  readonly #failed: Counter
  /** Gives up what is under way, once the bot stops. */
  readonly #giveUp = new Set<(reason: Error) => void>()

  constructor(api: API, options: SenderOptions) {
    const { metrics, clock, signal } = options
    this.#api = api
    this.#options = options
    this.#sent = metrics.counter('discord_messages_sent', 'Messages and interaction replies the bot sent')
    this.#failed = metrics.counter('bot_replies_failed_total', 'Replies Discord did not take')
    signal.addEventListener('abort', () => clock.after(LAST_MOMENT, () => this.#giveEverythingUp()), { once: true })
  }

  /** Answers a message in its channel. Rejects with UndeliveredError. */
  answer(channelId: string, messageId: string, reply: Reply | string): Promise<void> {
    return this.send(() => this.#post(channelId, messageId, reply))
  }

  /** Says something in a channel. Rejects with UndeliveredError. */
  toChannel(channelId: string, reply: Reply | string): Promise<void> {
    return this.send(() => this.#api.channels.createMessage(channelId, renderReply(reply)))
  }

  /** Sends a DM. Rejects with UndeliveredError. */
  toPerson(userId: string, reply: Reply | string): Promise<void> {
    return this.send(async () => {
      const { id } = await this.#api.users.createDM(userId)
      await this.#api.channels.createMessage(id, renderReply(reply))
    })
  }

  /** Makes any other request that says something, with the same counting. Rejects with UndeliveredError. */
  async send(request: () => Promise<unknown>): Promise<void> {
    try {
      await this.untilStopped(request)
      this.#sent.inc()
    } catch (error) {
      this.#failed.inc()
      const reason = reasonOf(error)
      // Closed DMs and channels are people's choice, nothing an operator could mend.
      const write = reason === 'other' ? this.#options.log.warn : this.#options.log.debug
      write('a reply was not delivered', { error: describeError(error) })
      throw new UndeliveredError(reason)
    }
  }

  /** Makes a request to Discord, and gives it up when the bot stops: it may be waiting for a rate limit, for long. */
  untilStopped<T>(request: () => Promise<T>): Promise<T> {
    if (this.#options.signal.aborted) return Promise.reject(stopped())
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    this.#giveUp.add(reject)
    request().then(resolve, reject)
    return promise.finally(() => this.#giveUp.delete(reject))
  }

  #giveEverythingUp(): void {
    for (const reject of this.#giveUp) reject(stopped())
  }

  async #post(channelId: string, messageId: string, reply: Reply | string): Promise<void> {
    const body = renderReply(reply)
    const reference = { message_id: messageId, fail_if_not_exists: false }
    try {
      await this.#api.channels.createMessage(channelId, { ...body, message_reference: reference })
    } catch (error) {
      if (hasCode(error, FORBIDDEN)) this.#options.onForbidden(channelId)
      if (!hasCode(error, NO_HISTORY)) throw error
      await this.#api.channels.createMessage(channelId, body)
    }
  }
}

const stopped = () => new Error('the bot is stopping')

function reasonOf(error: unknown): UndeliveredError['reason'] {
  if (hasCode(error, CLOSED)) return 'closed'
  return hasCode(error, FORBIDDEN) ? 'forbidden' : 'other'
}

function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  return error instanceof DiscordAPIError && codes.includes(error.code)
}
