import type { Log } from '../lib/log.ts'
import type { Counter } from '../lib/metrics.ts'
import {
  type Command,
  type CommandContext,
  type Execution,
  execute,
  SLOW_DOWN,
  sendQuietly,
  usage,
  WrongUsage,
} from './command.ts'
import type { Limits } from './limits.ts'
import type { Identity, Message } from './message.ts'
import { bareMention, mentionedFirst, readArguments, readCommandLine } from './parse.ts'
import type { Found, Registry } from './registry.ts'
import { code, type Reply } from './reply.ts'
import type { Sender } from './sender.ts'

interface PrefixCommandsDeps {
  readonly registry: Registry
  readonly sender: Sender
  readonly limits: Limits
  readonly identity: Identity
  readonly dropped: Counter
  readonly log: Log
  readonly commandPrefix: string
  readonly whenErased: Execution['whenErased']
  /** What is said to who turns to the bot without a command. */
  readonly introduce: (userId: string) => Reply
}

/** A message that can be answered. */
interface Asked {
  readonly id: string
  readonly channelId: string
  readonly authorId: string
  readonly isDirect: boolean
}

/** Commands typed in messages, and what is said to who types none. */
export class PrefixCommands {
  readonly #deps: PrefixCommandsDeps

  constructor(deps: PrefixCommandsDeps) {
    this.#deps = deps
  }

  /** What the message asks for; null when it is no command of the bot's. */
  find(message: Message): Found | null {
    if (!message.byPerson) return null
    const line = readCommandLine(message.content, this.#deps.commandPrefix, this.#deps.identity.id)
    return line === null ? null : this.#deps.registry.find(line)
  }

  /** Carries out a message that is a command. Undefined when it is none and there is nothing to wait for. */
  handle(message: Message): Promise<void> | undefined {
    const { identity } = this.#deps
    // A mention may be of the bot itself, whose id is not known yet after a resumed session.
    const mentioned = mentionedFirst(message.content) ?? bareMention(message.content)
    const unsure = message.byPerson && identity.id === null && mentioned !== null
    return unsure ? identity.find().then(() => this.#start(message)) : this.#start(message)
  }

  #start(message: Message): Promise<void> | undefined {
    const { id, channelId, authorId } = message
    if (!message.byPerson || id === null || channelId === null || authorId === null) return undefined
    if (this.#deps.limits.isMuted(channelId)) return undefined
    const asked: Asked = { id, channelId, authorId, isDirect: message.guildId === null }
    const found = this.find(message)
    if (found !== null) return this.#carryOut(asked, found)
    return asked.isDirect || this.#isOwnMention(message) ? this.#introduce(asked) : undefined
  }

  #isOwnMention({ content }: Message): boolean {
    const mentioned = bareMention(content)
    return mentioned !== null && mentioned === this.#deps.identity.id
  }

  #introduce(asked: Asked): Promise<void> | undefined {
    const { limits, introduce } = this.#deps
    if (!limits.introduce(asked.authorId)) return undefined
    return this.#inPlace(asked, reply => sendQuietly(reply, introduce(asked.authorId)))
  }

  #carryOut(asked: Asked, found: Found): Promise<void> | undefined {
    const pace = this.#deps.limits.pace(asked.authorId)
    if (pace === 'ignore') return undefined
    if (pace === 'warn') return sendQuietly(this.#replyTo(asked), SLOW_DOWN)
    return this.#inPlace(asked, reply => this.#run(asked, found, reply))
  }

  /** Does the work among the commands under way, unless there are too many. */
  #inPlace(asked: Asked, work: (reply: CommandContext['reply']) => Promise<void>): Promise<void> | undefined {
    const leave = this.#deps.limits.enter(asked.channelId)
    if (leave === null) return void this.#deps.dropped.inc()
    return work(this.#replyTo(asked)).finally(leave)
  }

  #replyTo({ channelId, id }: Asked): CommandContext['reply'] {
    return reply => this.#deps.sender.answer(channelId, id, reply)
  }

  async #run({ authorId, isDirect }: Asked, found: Found, reply: CommandContext['reply']): Promise<void> {
    const { commandPrefix, log, whenErased } = this.#deps
    if ('usages' in found) return sendQuietly(reply, usageLine(found.usages))
    const { command, name, rest } = found
    const values = readArguments(rest, command.options)
    const context: CommandContext = {
      userId: authorId,
      prefix: commandPrefix,
      private: isDirect,
      text: option => values?.get(option),
      reply,
    }
    const execution = { usageLine: usageLine([usage(command, commandPrefix, name)]), log, whenErased }
    await execute(context, execution, () => runReadable(command, context, values !== null))
  }
}

async function runReadable(command: Command, context: CommandContext, readable: boolean): Promise<void> {
  if (!readable) throw new WrongUsage()
  await command.run(context)
}

const usageLine = (usages: readonly string[]) => `Usage: ${usages.map(code).join(' or ')}`
