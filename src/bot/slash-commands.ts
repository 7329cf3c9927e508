import { type API, InteractionType } from '@discordjs/core/http-only'
import type { Clock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter } from '../lib/metrics.ts'
import { type Call, execute, SLOW_DOWN, slashUsage, tell, WrongUsage } from './command.ts'
import {
  createResponder,
  type Interaction,
  type Responder,
  readCustomId,
  readFields,
  readSlashInput,
} from './interaction.ts'
import type { Guard } from './key-delivery.ts'
import type { Limits } from './limits.ts'
import type { Table } from './registry.ts'
import { code, readActionId } from './reply.ts'
import type { Outbox } from './sender.ts'

const UNKNOWN = 'I do not know that any more. `/help` lists what I can do.'
const NOT_YOURS = 'That is not yours to press.'

export interface InteractionDeps {
  api: API
  table: Table
  outbox: Outbox
  limits: Limits
  guard: Guard
  dropped: Counter
  log: Log
  clock: Clock
  /** Milliseconds; see ResponderDeps. */
  deferAfter: number
}

/** What there is to do about an interaction. */
interface Task {
  readonly values: ReadonlyMap<string, string>
  readonly usage: string
  readonly replaces: boolean
  run(call: Call): Promise<void>
}

/** Slash commands, buttons, forms and completions. Undefined when there is nothing to wait for; never rejects. */
export function createInteractions(deps: InteractionDeps): (interaction: Interaction) => Promise<void> | undefined {
  const { api, table, limits, guard, dropped, log } = deps

  function slashTask(interaction: Interaction): Task {
    const { path, values } = readSlashInput(interaction)
    const command = table.findSlash(path)
    if (command === undefined) return sayTask(UNKNOWN)
    const missing = command.options.some(option => !option.optional && !values.has(option.name))
    const run = missing ? refuse : command.run
    return { values, usage: `Usage: ${code(slashUsage(command))}`, replaces: false, run }
  }

  function actionTask(interaction: Interaction): Task {
    const id = readActionId(readCustomId(interaction))
    const action = id === null ? undefined : table.findAction(id.action)
    if (id === null || action === undefined) return sayTask(UNKNOWN)
    if (id.userId !== interaction.userId) return sayTask(NOT_YOURS)
    const replaces = interaction.type === InteractionType.MessageComponent
    return { values: readFields(interaction), usage: UNKNOWN, replaces, run: call => action.run(call, id.argument) }
  }

  async function complete(interaction: Interaction): Promise<void> {
    const { path, values, focused } = readSlashInput(interaction)
    const option = table.findSlash(path)?.options.find(({ name }) => name === focused)
    const found = option?.complete?.(interaction.userId, values.get(option.name) ?? '') ?? []
    const choices = found.map(value => ({ name: value, value }))
    try {
      await api.interactions.createAutocompleteResponse(interaction.id, interaction.token, { choices })
    } catch (error) {
      log.debug('a completion was not delivered', { error: describeError(error) })
    }
  }

  async function carryOut(interaction: Interaction, task: Task, responder: Responder): Promise<void> {
    const { userId } = interaction
    const { reply, openForm } = responder
    const owners = guard.leaked([...task.values.values()].join('\n'))
    if (owners.length > 0) {
      const { notice } = await guard.protect(owners, 'a command')
      return tell(reply, `${notice} The command was not carried out.`)
    }
    const call = { userId, prefix: null, private: true, text: (name: string) => task.values.get(name), reply, openForm }
    await execute(call, task.usage, log, () => task.run(call))
  }

  function start(interaction: Interaction, task: Task): Promise<void> | undefined {
    const pace = limits.pace(interaction.userId)
    if (pace === 'ignore') return undefined
    const leave = limits.enter(interaction.userId)
    if (leave === null) return void dropped.inc()
    const responder = createResponder(deps, interaction, task.replaces && pace === 'ok')
    const work = pace === 'ok' ? carryOut(interaction, task, responder) : tell(responder.reply, SLOW_DOWN)
    return work.finally(() => {
      responder.close()
      leave()
    })
  }

  return interaction => {
    if (interaction.type === InteractionType.ApplicationCommand) return start(interaction, slashTask(interaction))
    if (interaction.type === InteractionType.ApplicationCommandAutocomplete) return complete(interaction)
    const isAction =
      interaction.type === InteractionType.MessageComponent || interaction.type === InteractionType.ModalSubmit
    return isAction ? start(interaction, actionTask(interaction)) : undefined
  }
}

function refuse(): Promise<void> {
  return Promise.reject(new WrongUsage())
}

/** Answers with a fixed sentence. */
function sayTask(text: string): Task {
  return { values: new Map(), usage: '', replaces: false, run: call => call.reply(text) }
}
