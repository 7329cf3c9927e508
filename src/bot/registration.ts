import {
  type API,
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type RESTPostAPIApplicationCommandsJSONBody,
  type RESTPostAPIChatInputApplicationCommandsJSONBody,
  type RESTPostAPIContextMenuApplicationCommandsJSONBody,
} from '@discordjs/core/http-only'
import { DiscordAPIError } from '@discordjs/rest'
import { isObject } from '../domain/presence.ts'
import { type Clock, pause } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Command, Option } from './command.ts'
import type { Registry } from './registry.ts'

type Definition = RESTPostAPIApplicationCommandsJSONBody
type SlashDefinition = RESTPostAPIChatInputApplicationCommandsJSONBody

/** Everything that is registered at Discord. */
export function commandDefinitions(registry: Registry): Definition[] {
  return [...slashDefinitions(registry), ...menuDefinitions(registry)]
}

/** Where commands are offered: in servers, and in direct messages with the bot. */
const PLACES = {
  contexts: [InteractionContextType.Guild, InteractionContextType.BotDM],
  integration_types: [ApplicationIntegrationType.GuildInstall],
}

function menuDefinitions({ commands }: Registry): RESTPostAPIContextMenuApplicationCommandsJSONBody[] {
  return commands.flatMap(({ menu }) =>
    menu === undefined ? [] : [{ type: ApplicationCommandType.User, name: menu, ...PLACES }],
  )
}

/** Slash commands as Discord wants them described: one for each first word. Source: Discord docs, Application Commands. */
function slashDefinitions({ commands, groups }: Registry): SlashDefinition[] {
  const definitions = new Map<string, SlashDefinition>()
  for (const command of commands) {
    const [name, subcommand] = command.slash?.split(' ') ?? []
    if (name === undefined) continue
    const known = definitions.get(name)
    if (subcommand === undefined) definitions.set(name, define(name, command.summary, slashOptions(command)))
    else if (known?.options !== undefined)
      known.options = [...known.options, defineSubcommand(subcommand, command)] as SlashDefinition['options']
    else definitions.set(name, define(name, groups[name] ?? name, [defineSubcommand(subcommand, command)]))
  }
  return [...definitions.values()]
}

/**
 * Registers the commands unless Discord knows them already, and tries again until it has worked, Discord itself refuses
 * them, or the signal is aborted. Never rejects.
 */
export async function registerCommands(
  deps: { api: API; log: Log; clock: Clock },
  applicationId: string,
  definitions: readonly Definition[],
  signal: AbortSignal,
): Promise<void> {
  for (let delay = 5000; !signal.aborted; delay = Math.min(delay * 2, 600_000)) {
    try {
      const known = await deps.api.applicationCommands.getGlobalCommands(applicationId, {}, { signal })
      if (canonical(known) === canonical(definitions)) return deps.log.debug('slash commands are registered already')
      await deps.api.applicationCommands.bulkOverwriteGlobalCommands(applicationId, [...definitions], { signal })
      return deps.log.info('slash commands registered', { commands: definitions.length })
    } catch (error) {
      if (signal.aborted) return
      if (error instanceof DiscordAPIError) {
        // Discord's own word, which will be the same tomorrow. Its errors name the command and the field.
        return deps.log.error('Discord refuses the slash commands; they are registered anew at the next start', {
          error: describeError(error),
        })
      }
      deps.log.warn('slash commands could not be registered', { error: describeError(error), retryInMs: delay })
    }
    await pause(deps.clock, delay, signal).catch(() => {})
  }
}

function define(name: string, description: string, options: SlashDefinition['options']): SlashDefinition {
  return {
    type: ApplicationCommandType.ChatInput,
    name,
    description: sentence(description),
    options,
    ...PLACES,
  }
}

function defineSubcommand(name: string, command: Command): APIApplicationCommandSubcommandOption {
  return {
    type: ApplicationCommandOptionType.Subcommand,
    name,
    description: sentence(command.summary),
    options: slashOptions(command),
  }
}

function slashOptions({ options }: Command): APIApplicationCommandBasicOption[] {
  return options.filter(option => !option.prefixOnly).map(slashOption)
}

function slashOption({ name, description, kind, optional = false, maxLength, complete }: Option) {
  const common = { name, description, required: !optional }
  if (kind === 'integer') return { ...common, type: ApplicationCommandOptionType.Integer as const, min_value: 1 }
  const type = ApplicationCommandOptionType.String as const
  const length = maxLength === undefined ? {} : { max_length: maxLength }
  return complete === undefined
    ? { ...common, ...length, type }
    : { ...common, ...length, type, autocomplete: true as const }
}

/**
 * The commands as text that is equal when they are: what Discord adds of its own (ids, versions, nulls) is left out, and
 * so is what stands for the default.
 */
function canonical(commands: readonly unknown[]): string {
  return JSON.stringify(commands.map(canonicalFields).sort(byName))
}

const FIELDS = ['name', 'description', 'type', 'contexts', 'integration_types']
const OPTION_FIELDS = ['required', 'autocomplete', 'min_value', 'max_value', 'min_length', 'max_length', 'choices']

function canonicalFields(value: unknown): unknown {
  if (!isObject(value)) return value
  const options = Array.isArray(value.options) ? value.options.map(canonicalFields) : []
  return [...FIELDS, ...OPTION_FIELDS].map(field => canonicalValue(value[field])).concat([options])
}

function canonicalValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.toSorted()
  return value === undefined || value === false || value === '' ? null : value
}

const byName = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
