import type { Log } from '../lib/log.ts'
import type { Counter } from '../lib/metrics.ts'
import { type Call, type Command, execute, SLOW_DOWN, tell, usage, WrongUsage } from './command.ts'
import type { Limits } from './limits.ts'
import type { Identity, Message } from './message.ts'
import { mentionedFirst, readArguments, readCommandLine } from './parse.ts'
import type { Found, Table } from './registry.ts'
import { code, type Reply } from './reply.ts'
import type { Outbox } from './sender.ts'

/** Commands typed in messages. */
export interface TypedCommands {
  /** What the message asks for; null when it is no command of the bot's. */
  find(message: Message): Found | null
  /** Carries out a message that is a command. Undefined when it is none and there is nothing to wait for. */
  handle(message: Message): Promise<void> | undefined
}

export interface TypedDeps {
  table: Table
  outbox: Outbox
  limits: Limits
  identity: Identity
  dropped: Counter
  log: Log
  commandPrefix: string
}

export function createTypedCommands(deps: TypedDeps): TypedCommands {
  const { table, outbox, limits, identity, dropped, log, commandPrefix } = deps

  function find(message: Message): Found | null {
    if (!message.byPerson) return null
    const line = readCommandLine(message.content, commandPrefix, identity.id())
    return line === null ? null : table.find(line)
  }

  function start(message: Message): Promise<void> | undefined {
    const found = find(message)
    const { id, channelId, authorId } = message
    if (found === null || id === null || channelId === null || authorId === null) return undefined
    if (limits.isMuted(channelId)) return undefined
    const reply = (answer: Reply | string) => outbox.answer(channelId, id, answer)
    const pace = limits.pace(authorId)
    if (pace !== 'ok') return pace === 'warn' ? tell(reply, SLOW_DOWN) : undefined
    const leave = limits.enter(channelId)
    if (leave === null) return void dropped.inc()
    const caller = { userId: authorId, prefix: commandPrefix, private: message.guildId === null, reply }
    return carryOut(found, caller).finally(leave)
  }

  async function carryOut(found: Found, caller: Omit<Call, 'text'>): Promise<void> {
    if ('usages' in found) return tell(caller.reply, usageLine(found.usages))
    const values = readArguments(found.rest, found.command.options)
    const call: Call = { ...caller, text: option => values?.get(option) }
    await execute(call, usageLine([usage(found.command, commandPrefix)]), log, () =>
      run(found.command, call, values !== null),
    )
  }

  return {
    find,
    handle(message) {
      // A mention may be of the bot itself, whose id is not known yet after a resumed session.
      const unsure = message.byPerson && identity.id() === null && mentionedFirst(message.content) !== null
      return unsure ? identity.find().then(() => start(message)) : start(message)
    },
  }
}

async function run(command: Command, call: Call, readable: boolean): Promise<void> {
  if (!readable) throw new WrongUsage()
  await command.run(call)
}

const usageLine = (usages: readonly string[]) => `Usage: ${usages.map(code).join(' or ')}`
