import { ApiError } from '../domain/errors.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Form, Reply } from './reply.ts'
import { UndeliveredError } from './sender.ts'

/** One argument of a command; typed form, slash option and usage line are all made from it. */
export interface Option {
  readonly name: string
  /** Shown beside the slash option, at most 100 characters. */
  readonly description: string
  /**
   * `word`: no blanks in it. `integer`: a word of digits. `text`: everything behind exactly one blank or newline,
   * verbatim. `block`: everything that is left, newlines and all. `text` and `block` come last.
   */
  readonly kind: 'word' | 'integer' | 'text' | 'block'
  readonly optional?: boolean
  /** Only typed behind the prefix: the slash command has a better way (a button, say). */
  readonly prefixOnly?: boolean
  /** What the usage line says instead of the name in brackets. */
  readonly label?: string
  readonly maxLength?: number
  /** Values offered while the option is being typed in a slash command. */
  readonly complete?: (userId: string, typed: string) => readonly string[]
}

/** One thing the bot can be told, whichever way: everything said about it elsewhere is derived from this. */
export interface Command {
  /** What is typed behind the prefix, in lower case, one or two words; the first is the one shown. Empty: slash only. */
  readonly names: readonly string[]
  /** Slash command, or command and subcommand: one or two words. */
  readonly slash?: string
  /** Name in the menu of a person, whose id is the text `user` then. */
  readonly menu?: string
  /** What it does, at most 100 characters. */
  readonly summary: string
  readonly options: readonly Option[]
  /** May throw ApiError (its message is the reply) and {@link WrongUsage}. */
  run(context: CommandContext): Promise<void>
}

/** What happens when a button is pressed or a form is sent. Only the person it was made for gets here. */
export interface Action {
  readonly name: string
  run(context: CommandContext, argument: string): Promise<void>
}

/** Commands around one thing. */
export interface CommandGroup {
  /** What `help` calls it. */
  readonly title: string
  /** First words of two-word slash commands, with their descriptions. */
  readonly groups?: Readonly<Record<string, string>>
  readonly commands: readonly Command[]
  readonly actions?: readonly Action[]
}

/** One use of a command, a button or a form, by whatever way it came. */
export interface CommandContext {
  readonly userId: string
  /** The command prefix when the command was typed in a message; null for slash commands, buttons and forms. */
  readonly prefix: string | null
  /** Whether nobody but the caller sees the reply: a DM, or a slash command answered ephemerally. */
  readonly private: boolean
  /** The option's (or form field's) value; undefined when it was left out. */
  text(option: string): string | undefined
  /** Rejects with UndeliveredError when Discord does not take it. A button's message is replaced by the reply. */
  reply(reply: Reply | string): Promise<void>
  /** Shows a form; only slash commands and buttons can. */
  openForm?(form: Form): Promise<void>
}

/** Thrown by a command whose arguments make no sense: answered with its usage line. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage'
}

/** How a command would be given the way this one came: `.get`, or `/kv get`. */
export function invocation(context: CommandContext, name: string, slash: string): string {
  return context.prefix === null ? `/${slash}` : context.prefix + name
}

/** A command as typed behind the prefix, by a name of its, with its arguments; a slash command when it has no name. */
export function usage(command: Command, prefix: string, name = command.names[0]): string {
  return name === undefined ? slashUsage(command) : prefix + [name, ...command.options.map(optionUsage)].join(' ')
}

export function slashUsage({ slash, options }: Command): string {
  return `/${[slash, ...options.filter(option => !option.prefixOnly).map(optionUsage)].join(' ')}`
}

function optionUsage({ name, kind, optional, label }: Option): string {
  if (label !== undefined) return label
  const text = kind === 'text' ? `${name}…` : name
  return optional ? `[${text}]` : `<${text}>`
}

export const SLOW_DOWN =
  'Slow down, please: you are sending commands faster than I may answer. I ignore them for a while.'

export interface Execution {
  readonly usageLine: string
  readonly log: Log
  /** Resolves when the person is not being erased: what they ask for meanwhile would outlive that. */
  readonly whenErased: (userId: string) => Promise<void>
}

/** Does what was asked for and answers with what went wrong, if anything. Never rejects. */
export async function execute(
  context: CommandContext,
  { usageLine, log, whenErased }: Execution,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await whenErased(context.userId)
    await work()
  } catch (error) {
    if (error instanceof UndeliveredError) return
    await sendQuietly(context.reply, explain(error, usageLine, log))
  }
}

/** Says something where nobody waits for the outcome: a failure has been logged and counted. */
export async function sendQuietly<T extends Reply | string>(say: (reply: T) => Promise<void>, reply: T): Promise<void> {
  try {
    await say(reply)
  } catch (error) {
    if (!(error instanceof UndeliveredError)) throw error
  }
}

function explain(error: unknown, usageLine: string, log: Log): string {
  if (error instanceof WrongUsage) return usageLine
  if (error instanceof ApiError) return error.message
  log.error('a command failed', { error: describeError(error) })
  return 'Something went wrong on our side'
}
