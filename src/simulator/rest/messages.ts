import { isObject } from '../gateway/identify.ts'
import { buildTimestamp } from '../people/builders.ts'
import type { World } from '../people/world.ts'
import type { BotMessage } from '../recorder.ts'
import { type Channel, type Dispatch, Intent, type Json, type Message, type User, type Viewer } from '../types.ts'
import { findPings, MessageFlag, mentionedUsers } from './message-rules.ts'

/** A message of a person: in a guild (its first channel unless `channelId` says another) or, without `guildId`, a DM to the bot. */
export interface MessageInit extends Json {
  authorId: string
  guildId?: string
  channelId?: string
  content?: string
  /** Id of the message it replies to; its author is mentioned, as Discord does by default. */
  replyTo?: string
  attachments?: Json[]
  embeds?: Json[]
}

export interface MessagesOptions {
  world: World
  now: () => number
  emit: (event: Dispatch) => void
}

/** Messages kept; a demo may run for days. */
const KEPT = 20_000

/** Channels' messages, people's and the bot's, and the events they cause (docs: Resources, Message; Gateway Events, "Messages"). */
export class Messages {
  readonly #world: World
  readonly #now: () => number
  readonly #emit: (event: Dispatch) => void
  readonly #messages = new Map<string, Message>()
  readonly #closedDms = new Set<string>()
  readonly #forbiddenChannels = new Set<string>()
  readonly #dmChannels = new Map<string, Channel>()

  constructor(options: MessagesOptions) {
    this.#world = options.world
    this.#now = options.now
    this.#emit = options.emit
  }

  dmChannel(userId: string): Channel {
    const known = this.#dmChannels.get(userId)
    if (known) return known
    const recipients = [this.#world.user(userId)]
    const channel = this.#world.addChannel({
      id: this.#world.snowflake(),
      type: 1,
      last_message_id: null,
      flags: 0,
      recipients,
      user_id: userId,
    })
    this.#dmChannels.set(userId, channel)
    return channel
  }

  sendMessage(init: MessageInit): Message {
    const { authorId, guildId, channelId, replyTo, ...fields } = init
    if (!this.#world.user(authorId)) throw new Error(`there is no simulated user ${authorId}`)
    if ([...(fields.content ?? '')].length > 4000) throw new Error('nobody can send more than 4000 characters')
    const channel = guildId === undefined ? this.dmChannel(authorId) : this.#guildChannel(guildId, authorId, channelId)
    const message = this.#build(channel, authorId, fields, replyTo)
    this.#keep(message)
    this.#announce('MESSAGE_CREATE', message)
    return message
  }

  editMessage(messageId: string, patch: Json): Message {
    const message = this.#messages.get(messageId)
    if (!message) throw new Error(`there is no message ${messageId}`)
    const content = typeof patch.content === 'string' ? patch.content : message.content
    const mentions = mentionedUsers(content).flatMap(id => this.#world.user(id) ?? [])
    const edited: Message = { ...message, mentions, ...patch, edited_timestamp: buildTimestamp(this.#now()) }
    this.#messages.set(messageId, edited)
    if (!isEphemeral(edited)) this.#announce('MESSAGE_UPDATE', edited)
    return edited
  }

  deleteMessage(messageId: string): void {
    const message = this.#messages.get(messageId)
    if (!message) throw new Error(`there is no message ${messageId}`)
    this.remove(message)
  }

  remove(message: Message): void {
    this.#messages.delete(message.id)
    const { id, channel_id, guild_id } = message
    const intents = guild_id === undefined ? Intent.directMessages : Intent.guildMessages
    if (isEphemeral(message)) return
    this.#emit({ t: 'MESSAGE_DELETE', guildId: guild_id ?? null, intents, d: { id, channel_id, guild_id } })
  }

  /** A message of the bot, from a REST body that was found valid. Ephemeral ones reach no gateway. */
  post(channel: Channel, body: Json, extra: Json = {}): BotMessage {
    const { message_reference: reference, allowed_mentions: _, nonce, enforce_nonce: __, files, ...fields } = body
    const replyTo = isObject(reference) ? String(reference.message_id) : undefined
    const attachments = Array.isArray(files) ? files.map((file, id) => ({ id: String(id), ...(file as Json) })) : []
    const message = this.#build(
      channel,
      this.#world.bot.id,
      { attachments, ...fields, ...(nonce ? { nonce } : {}), ...extra },
      replyTo,
    )
    this.#keep(message)
    if (!isEphemeral(message)) this.#announce('MESSAGE_CREATE', message)
    return this.#describe(message, body)
  }

  patch(message: Message, body: Json): BotMessage {
    const { allowed_mentions: _, files: __, ...fields } = body
    if (fields.content === null) fields.content = ''
    return this.#describe(this.editMessage(message.id, fields), body)
  }

  /** From now on (or no longer) this person takes no DMs: the bot gets 50007. */
  closeDms(userId: string, closed = true): void {
    toggle(this.#closedDms, userId, closed)
  }

  /** Takes from the bot (or gives back) the permission to write in a channel. */
  forbidChannel(channelId: string, forbidden = true): void {
    toggle(this.#forbiddenChannels, channelId, forbidden)
  }

  mayWrite(channelId: string): boolean {
    return !this.#forbiddenChannels.has(channelId)
  }

  takesDms(userId: string): boolean {
    return !this.#closedDms.has(userId)
  }

  find(messageId: string): Message | undefined {
    return this.#messages.get(messageId)
  }

  /** All that is still kept of a channel, oldest first. */
  inChannel(channelId: string): Message[] {
    return [...this.#messages.values()].filter(message => message.channel_id === channelId)
  }

  #guildChannel(guildId: string, authorId: string, channelId: string | undefined): Channel {
    const guild = this.#world.guild(guildId)
    if (!guild.members.has(authorId)) throw new Error(`user ${authorId} is no member of guild ${guildId}`)
    const channel = channelId === undefined ? guild.channels[0] : guild.channels.find(({ id }) => id === channelId)
    if (!channel) throw new Error(`guild ${guildId} has no such channel`)
    return channel
  }

  #build(channel: Channel, authorId: string, fields: Json, replyTo?: string): Message {
    const replied = replyTo === undefined ? undefined : this.#messages.get(replyTo)
    const content = typeof fields.content === 'string' ? fields.content : ''
    const mentioned = new Set(mentionedUsers(content))
    if (replied) mentioned.add(replied.author.id)
    const { guild_id: guildId } = channel
    const author = this.#world.user(authorId) as Message['author']
    return {
      type: replied ? 19 : 0,
      id: this.#world.snowflake(this.#now()),
      channel_id: channel.id,
      channel_type: channel.type,
      timestamp: buildTimestamp(this.#now()),
      edited_timestamp: null,
      tts: false,
      pinned: false,
      flags: 0,
      mention_everyone: false,
      mention_roles: [],
      mentions: [...mentioned].flatMap(id => this.#world.user(id) ?? []),
      attachments: [],
      embeds: [],
      components: [],
      author,
      ...(guildId === undefined ? {} : { guild_id: guildId, member: this.#world.guild(guildId).members.get(authorId) }),
      ...(replied
        ? { referenced_message: replied, message_reference: { message_id: replied.id, channel_id: channel.id } }
        : {}),
      ...fields,
      content,
    }
  }

  #keep(message: Message): void {
    this.#messages.set(message.id, message)
    const [oldest] = this.#messages.keys()
    if (this.#messages.size > KEPT && oldest !== undefined) this.#messages.delete(oldest)
  }

  #announce(t: 'MESSAGE_CREATE' | 'MESSAGE_UPDATE', message: Message): void {
    const guildId = message.guild_id ?? null
    const intents = guildId === null ? Intent.directMessages : Intent.guildMessages
    this.#emit({ t, guildId, intents, d: viewer => withhold(message, viewer, this.#world.bot.id) })
  }

  #describe(message: Message, body: Json): BotMessage {
    const channel = this.#world.channel(message.channel_id)
    const replied = isObject(message.referenced_message) ? (message.referenced_message as Message).author.id : null
    return {
      message,
      channelId: message.channel_id,
      guildId: message.guild_id ?? null,
      userId: channel ? recipientOf(channel) : null,
      content: message.content,
      pings: findPings(body, replied),
      body,
    }
  }
}

function toggle(set: Set<string>, id: string, present: boolean): void {
  if (present) set.add(id)
  else set.delete(id)
}

/** The person at the other end of a DM channel; null for a guild's channel. */
export function recipientOf(channel: Channel): string | null {
  const [recipient] = (channel.recipients as User[] | undefined) ?? []
  return recipient?.id ?? null
}

export function isEphemeral(message: Message): boolean {
  return ((message.flags as number) & MessageFlag.ephemeral) !== 0
}

/**
 * The message as a viewer without MESSAGE_CONTENT gets it: empty, except in DMs, its own, and those that mention the bot
 * (docs: Gateway, "Message Content Intent").
 */
function withhold(message: Message, viewer: Viewer, botId: string): Message {
  const mentionsBot = (message.mentions as Json[]).some(user => user.id === botId)
  const open = message.guild_id === undefined || message.author.id === botId || mentionsBot
  if (open || viewer.intents & Intent.messageContent) return message
  const { poll: _, ...rest } = message
  return { ...rest, content: '', embeds: [], attachments: [], components: [] } as Message
}
