import { type API, ApplicationCommandType, InteractionType } from '@discordjs/core/http-only'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter } from '../lib/metrics.ts'
import {
  type Command,
  type CommandContext,
  type Execution,
  execute,
  SLOW_DOWN,
  sendQuietly,
  slashUsage,
  WrongUsage,
} from './command.ts'
import { type Interaction, Responder, readCustomId, readFields, readMenuInput, readSlashInput } from './interaction.ts'
import type { LeakGuard } from './key-delivery.ts'
import type { Limits } from './limits.ts'
import type { Registry } from './registry.ts'
import { code, readActionId } from './reply.ts'
import type { Sender } from './sender.ts'

const UNKNOWN = 'I do not know that any more. `/help` lists what I can do.'
const NOT_YOURS = 'That is not yours to press.'

interface SlashCommandsDeps {
  readonly api: API
  readonly registry: Registry
  readonly sender: Sender
  readonly limits: Limits
  readonly guard: LeakGuard
  readonly dropped: Counter
  readonly log: Log
  readonly clock: Clock
  readonly whenErased: Execution['whenErased']
  /** Milliseconds; see {@link Responder}. */
  readonly deferAfter: number
}

/** What there is to do about an interaction. */
interface Task {
  readonly values: ReadonlyMap<string, string>
  readonly usage: string
  readonly replaces: boolean
  run(context: CommandContext): Promise<void>
}

/** Slash commands, menu commands, buttons, forms and completions. */
export class SlashCommands {
  readonly #deps: SlashCommandsDeps

  constructor(deps: SlashCommandsDeps) {
    this.#deps = deps
  }

  /** Undefined when there is nothing to wait for; never rejects. */
  handle(interaction: Interaction): Promise<void> | undefined {
    switch (interaction.type) {
      case InteractionType.ApplicationCommand:
        return this.#start(interaction, this.#commandTask(interaction))
      case InteractionType.ApplicationCommandAutocomplete:
        return this.#complete(interaction)
      case InteractionType.MessageComponent:
      case InteractionType.ModalSubmit:
        return this.#start(interaction, this.#actionTask(interaction))
      default:
        return undefined
    }
  }

  #commandTask(interaction: Interaction): Task {
    const isMenu = interaction.data.type === ApplicationCommandType.User
    const { path, values } = isMenu ? readMenuInput(interaction) : readSlashInput(interaction)
    const command = isMenu ? this.#deps.registry.findMenu(path) : this.#deps.registry.findSlash(path)
    if (command === undefined) return sayTask(UNKNOWN)
    return { values, usage: `Usage: ${code(slashUsage(command))}`, replaces: false, run: runnable(command, values) }
  }

  #actionTask(interaction: Interaction): Task {
    const id = readActionId(readCustomId(interaction))
    const action = id === null ? undefined : this.#deps.registry.findAction(id.action)
    if (id === null || action === undefined) return sayTask(UNKNOWN)
    if (id.userId !== interaction.userId) return sayTask(NOT_YOURS)
    const replaces = interaction.type === InteractionType.MessageComponent
    const run = (context: CommandContext) => action.run(context, id.argument)
    return { values: readFields(interaction), usage: UNKNOWN, replaces, run }
  }

  async #complete(interaction: Interaction): Promise<void> {
    const { api, registry, sender, log } = this.#deps
    const { path, values, focused } = readSlashInput(interaction)
    const option = registry.findSlash(path)?.options.find(({ name }) => name === focused)
    const found = option?.complete?.(interaction.userId, values.get(option.name) ?? '') ?? []
    const choices = found.map(value => ({ name: value, value }))
    try {
      await sender.untilStopped(() =>
        api.interactions.createAutocompleteResponse(interaction.id, interaction.token, { choices }),
      )
    } catch (error) {
      log.debug('a completion was not delivered', { error: describeError(error) })
    }
  }

  #start(interaction: Interaction, task: Task): Promise<void> | undefined {
    const { api, sender, clock, deferAfter, limits, dropped } = this.#deps
    const pace = limits.pace(interaction.userId)
    if (pace === 'ignore') return undefined
    const leave = limits.enter(interaction.userId)
    if (leave === null) return void dropped.inc()
    const replaces = task.replaces && pace === 'ok'
    const responder = new Responder({ api, sender, clock, deferAfter }, interaction, replaces)
    const { reply } = responder
    const work = pace === 'ok' ? this.#carryOut(interaction, task, responder) : sendQuietly(reply, SLOW_DOWN)
    return work.finally(() => {
      responder.close()
      leave()
    })
  }

  async #carryOut({ userId }: Interaction, task: Task, responder: Responder): Promise<void> {
    const { guard, log, whenErased } = this.#deps
    const { reply, openForm } = responder
    const owners = guard.leaked([...task.values.values()].join('\n'))
    if (owners.length > 0) {
      const { notice } = await guard.protect(owners, 'a command')
      return sendQuietly(reply, `${notice} The command was not carried out.`)
    }
    const text = (name: string) => task.values.get(name)
    const context: CommandContext = { userId, prefix: null, private: true, text, reply, openForm }
    await execute(context, { usageLine: task.usage, log, whenErased }, () => task.run(context))
  }
}

/** What a command does, unless an option it needs is missing. */
function runnable(command: Command, values: ReadonlyMap<string, string>): Task['run'] {
  const missing = command.options.some(option => !option.optional && !values.has(option.name))
  return missing ? () => Promise.reject(new WrongUsage()) : context => command.run(context)
}

/** Answers with a fixed sentence. */
function sayTask(text: string): Task {
  return { values: new Map(), usage: '', replaces: false, run: context => context.reply(text) }
}
