import { type API, CannotSendMessagesToThisUserErrorCodes, RESTJSONErrorCodes } from '@discordjs/core/http-only'
import { DiscordAPIError } from '@discordjs/rest'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
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

/** Everything the bot sends goes out here: nobody is pinged, everything is counted, nothing fails unseen. */
export interface Outbox {
  /** Answers a message in its channel. Rejects with UndeliveredError. */
  answer(channelId: string, messageId: string, reply: Reply | string): Promise<void>
  /** Sends a DM. Rejects with UndeliveredError. */
  toPerson(userId: string, reply: Reply | string): Promise<void>
  /** Makes any other request that says something, with the same counting. Rejects with UndeliveredError. */
  send(request: () => Promise<unknown>): Promise<void>
}

const FORBIDDEN: readonly unknown[] = [
  RESTJSONErrorCodes.MissingAccess,
  RESTJSONErrorCodes.MissingPermissions,
  RESTJSONErrorCodes.UnknownChannel,
]
const NO_HISTORY: readonly unknown[] = [RESTJSONErrorCodes.CannotReplyWithoutPermissionToReadMessageHistory]
const CLOSED: readonly unknown[] = CannotSendMessagesToThisUserErrorCodes

export interface OutboxDeps {
  api: API
  metrics: Metrics
  log: Log
  /** Told when a channel turns out to be one the bot may not write in. */
  onForbidden: (channelId: string) => void
}

export function createOutbox({ api, metrics, log, onForbidden }: OutboxDeps): Outbox {
  const sent = metrics.counter('discord_messages_sent', 'Messages and interaction replies the bot sent')
  const failed = metrics.counter('bot_replies_failed_total', 'Replies Discord did not take')

  async function send(request: () => Promise<unknown>): Promise<void> {
    try {
      await request()
      sent.inc()
    } catch (error) {
      failed.inc()
      const reason = reasonOf(error)
      // Closed DMs and channels are people's choice, nothing an operator could mend.
      const write = reason === 'other' ? log.warn : log.debug
      write('a reply was not delivered', { error: describeError(error) })
      throw new UndeliveredError(reason)
    }
  }

  async function post(channelId: string, messageId: string, reply: Reply | string): Promise<void> {
    const body = renderReply(reply)
    const reference = { message_id: messageId, fail_if_not_exists: false }
    try {
      await api.channels.createMessage(channelId, { ...body, message_reference: reference })
    } catch (error) {
      if (hasCode(error, FORBIDDEN)) onForbidden(channelId)
      if (!hasCode(error, NO_HISTORY)) throw error
      await api.channels.createMessage(channelId, body)
    }
  }

  return {
    send,
    answer: (channelId, messageId, reply) => send(() => post(channelId, messageId, reply)),
    toPerson: (userId, reply) =>
      send(async () => {
        const { id } = await api.users.createDM(userId)
        await api.channels.createMessage(id, renderReply(reply))
      }),
  }
}

function reasonOf(error: unknown): UndeliveredError['reason'] {
  if (hasCode(error, CLOSED)) return 'closed'
  return hasCode(error, FORBIDDEN) ? 'forbidden' : 'other'
}

function hasCode(error: unknown, codes: readonly unknown[]): boolean {
  return error instanceof DiscordAPIError && codes.includes(error.code)
}
