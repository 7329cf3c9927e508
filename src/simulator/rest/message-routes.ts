import type { World } from '../people/world.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Channel, Json, Message } from '../types.ts'
import { failure, invalidForm, json, noContent, type RestContext, type Route } from './answers.ts'
import { checkMessage, isEmptyMessage } from './message-rules.ts'
import { type Messages, recipientOf } from './messages.ts'

/** DM channels and messages (docs: Resources, User, "Create DM"; Resources, Message). */
export function messageRoutes(world: World, messages: Messages, recorder: BotRecorder): Route[] {
  const message = /^\/channels\/(?<channelId>\d+)\/messages\/(?<messageId>\d+)$/
  const list = /^\/channels\/(?<channelId>\d+)\/messages$/
  return [
    { method: 'POST', path: /^\/users\/@me\/channels$/, answer: ({ body }) => openDm(world, messages, recorder, body) },
    { method: 'GET', path: /^\/channels\/(?<channelId>\d+)$/, answer: context => withChannel(world, context, json) },
    {
      method: 'POST',
      path: /^\/channels\/(?<channelId>\d+)\/typing$/,
      answer: context => withChannel(world, context, noContent),
    },
    {
      method: 'POST',
      path: list,
      answer: context =>
        withChannel(world, context, channel => create(world, messages, recorder, channel, context.body)),
    },
    { method: 'GET', path: message, answer: context => withMessage(messages, context, json) },
    {
      method: 'PATCH',
      path: message,
      answer: context => withMessage(messages, context, found => edit(world, messages, recorder, found, context.body)),
    },
    {
      method: 'DELETE',
      path: message,
      answer: context => withMessage(messages, context, found => remove(world, messages, recorder, found)),
    },
  ]
}

function withChannel(world: World, { params }: RestContext, use: (channel: Channel) => Response): Response {
  const channel = world.channel(params.channelId ?? '')
  return channel ? use(channel) : failure(404, 10003, 'Unknown Channel')
}

function withMessage(messages: Messages, { params }: RestContext, use: (message: Message) => Response): Response {
  const found = messages.find(params.messageId ?? '')
  return found && found.channel_id === params.channelId ? use(found) : failure(404, 10008, 'Unknown Message')
}

function openDm(world: World, messages: Messages, recorder: BotRecorder, body: Json): Response {
  const userId = String(body.recipient_id ?? '')
  if (!world.user(userId)) {
    return invalidForm([
      { path: 'recipient_id', code: 'NUMBER_TYPE_COERCE', message: `Value "${userId}" is not snowflake.` },
    ])
  }
  if (userId === world.bot.id) return failure(400, 50007, 'Cannot send messages to this user')
  const channel = messages.dmChannel(userId)
  recorder.record('dmChannel', { userId, channelId: channel.id })
  return json(channel)
}

function create(world: World, messages: Messages, recorder: BotRecorder, channel: Channel, body: Json): Response {
  const problems = checkMessage(body)
  const reference = body.message_reference as Json | undefined
  const replied = reference ? messages.find(String(reference.message_id)) : undefined
  if (reference && replied?.channel_id !== channel.id && reference.fail_if_not_exists !== false) {
    problems.push({ path: 'message_reference', code: 'REPLIES_UNKNOWN_MESSAGE', message: 'Unknown message' })
  }
  if (problems.length > 0) return invalidForm(problems)
  if (isEmptyMessage(body)) return failure(400, 50006, 'Cannot send an empty message')
  const refusal = refuseSending(world, messages, channel)
  if (refusal) return refusal
  const posted = messages.post(channel, body)
  recorder.record('message', posted)
  return json(posted.message)
}

/** Closed DMs, no common guild, or a channel the bot may not write in. */
function refuseSending(world: World, messages: Messages, channel: Channel): Response | null {
  if (!messages.mayWrite(channel.id)) return failure(403, 50013, 'Missing Permissions')
  const userId = recipientOf(channel)
  if (userId === null) return null
  if (!messages.takesDms(userId)) return failure(403, 50007, 'Cannot send messages to this user')
  if (world.guildsOf(userId).length > 0) return null
  return failure(403, 50278, 'Cannot send messages to this user due to having no mutual guilds')
}

function edit(world: World, messages: Messages, recorder: BotRecorder, message: Message, body: Json): Response {
  if (message.author.id !== world.bot.id) return failure(403, 50005, 'Cannot edit a message authored by another user')
  const problems = checkMessage(body)
  if (problems.length > 0) return invalidForm(problems)
  if (isEmptyMessage({ ...message, ...body })) return failure(400, 50006, 'Cannot send an empty message')
  const edited = messages.patch(message, body)
  recorder.record('messageEdit', edited)
  return json(edited.message)
}

function remove(world: World, messages: Messages, recorder: BotRecorder, message: Message): Response {
  const own = message.author.id === world.bot.id
  if (!own && message.guild_id === undefined) return failure(403, 50003, 'Cannot execute action on a DM channel')
  if (!own) return failure(403, 50013, 'Missing Permissions')
  messages.remove(message)
  recorder.record('messageDelete', { channelId: message.channel_id, messageId: message.id })
  return noContent()
}
