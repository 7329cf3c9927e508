import type { Journal } from './journal.ts'
import type { Session } from './session.ts'
import type { Json, Message } from './types.ts'

/** Everything the bot can do that a test may want to see or wait for. */
export interface BotRecords {
  /** A gateway connection was opened; `path` tells whether the resume URL was used. */
  connect: { path: string; query: Record<string, string> }
  identify: { session: Session | null; payload: Json }
  /** READY was sent. */
  ready: { session: Session }
  resume: { session: Session | null; payload: Json }
  /** RESUMED was sent. */
  resumed: { session: Session; replayed: number }
  heartbeat: { session: Session | null; sequence: number | null }
  requestMembers: { session: Session; payload: Json; outcome: 'chunks' | 'rate limited' | 'ignored'; chunks: number }
  /** Op 3. */
  presence: { session: Session; payload: Json }
  /** A gateway connection ended; by whom, with which code (1006: without a close frame). */
  close: { session: Session | null; code: number; by: 'bot' | 'simulator' }
  /** Any REST request and its answer's status (0: none was given). */
  rest: { method: string; path: string; status: number; body: unknown }
  /** A message the bot posted in a channel or DM. */
  message: BotMessage
  messageEdit: BotMessage
  messageDelete: { channelId: string; messageId: string }
  dmChannel: { userId: string; channelId: string }
  /** The first answer to an interaction, of any type. */
  callback: { interaction: Json; type: number; data: Json }
  /** A message that answers an interaction: at once, or when a deferred one is filled in. */
  reply: BotMessage
  replyEdit: BotMessage
  followup: BotMessage
  /** The application's commands were overwritten. */
  commands: { guildId: string | null; commands: Json[] }
  /** An avatar was asked for. */
  cdn: { path: string; status: number; ifNoneMatch: string | null }
  /** A mistake Discord would forgive silently; a correct bot makes none. */
  violation: { rule: string; detail: string }
}

/** A bot's message and whom it pinged: the mentions in it that `allowed_mentions` let through. */
export interface BotMessage {
  message: Message
  channelId: string
  guildId: string | null
  /** The recipient, when it went to a DM. */
  userId: string | null
  content: string
  pings: { users: string[]; roles: string[]; everyone: boolean }
  body: Json
}

export type BotJournal = Journal<BotRecords>
