import { type API, MessageType } from '@discordjs/core/http-only'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Sender } from './sender.ts'

/** What matters of a MESSAGE_CREATE or MESSAGE_UPDATE, whose fields may be missing or anything. */
export interface Message {
  readonly id: string | null
  readonly channelId: string | null
  readonly guildId: string | null
  readonly authorId: string | null
  /** Written by a person: neither a bot, a webhook nor Discord itself. */
  readonly byPerson: boolean
  readonly content: string
  /** Everything in it that can be read: content, embeds, forwarded messages, attachments, polls, the title of its thread. */
  readonly text: string
}

const READABLE = ['content', 'embeds', 'message_snapshots', 'attachments', 'poll', 'components', 'thread'] as const
/** Deeper than any message Discord makes. */
const DEPTH = 12

/** Null when it is no message at all. Source: Discord docs, Message Object. */
export function readMessage(data: unknown): Message | null {
  if (!isObject(data)) return null
  const author = isObject(data.author) ? data.author : {}
  return {
    id: snowflake(data.id),
    channelId: snowflake(data.channel_id),
    guildId: snowflake(data.guild_id),
    authorId: snowflake(author.id),
    byPerson: isByPerson(data, author),
    content: typeof data.content === 'string' ? data.content : '',
    text: READABLE.flatMap(field => readTexts(data[field])).join('\n'),
  }
}

function isByPerson(message: JsonObject, author: JsonObject): boolean {
  const { type = MessageType.Default, webhook_id } = message
  const ordinary = type === MessageType.Default || type === MessageType.Reply
  return ordinary && !webhook_id && isSnowflake(author.id) && author.bot !== true && author.system !== true
}

/** All texts in a value. */
export function readTexts(value: unknown): readonly string[] {
  return [...texts(value, DEPTH)]
}

function* texts(value: unknown, depth: number): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null && depth > 0) {
    for (const part of Object.values(value)) yield* texts(part, depth - 1)
  }
}

const snowflake = (value: unknown) => (isSnowflake(value) ? value : null)

/** Who the bot is. READY tells; after a resumed session nobody does, so it is asked for when it matters. */
export class Identity {
  readonly #api: API
  readonly #sender: Pick<Sender, 'untilStopped'>
  readonly #log: Log
  #known: string | null = null
  #asking: Promise<string | null> | null = null

  constructor(api: API, sender: Pick<Sender, 'untilStopped'>, log: Log) {
    this.#api = api
    this.#sender = sender
    this.#log = log
  }

  /** The bot's user id, null while it is not known. */
  get id(): string | null {
    return this.#known
  }

  /** Takes it from READY. */
  learn(ready: unknown): void {
    if (isObject(ready) && isObject(ready.user) && isSnowflake(ready.user.id)) this.#known = ready.user.id
  }

  /** Asks Discord when it is not known; null when that fails. */
  find(): Promise<string | null> {
    if (this.#known !== null) return Promise.resolve(this.#known)
    this.#asking ??= this.#ask()
    return this.#asking
  }

  async #ask(): Promise<string | null> {
    try {
      this.#known ??= (await this.#sender.untilStopped(() => this.#api.users.getCurrent())).id
    } catch (error) {
      this.#log.warn("the bot's own id could not be read", { error: describeError(error) })
    }
    this.#asking = null
    return this.#known
  }
}
