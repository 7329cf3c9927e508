import type { Addresses } from './addresses.ts'
import { type Action, type Command, type CommandGroup, usage } from './command.ts'
import { type CommandLine, takeWord } from './parse.ts'
import { code, type Reply } from './reply.ts'

/** What a command line turned out to mean. */
export type Found =
  | {
      readonly command: Command
      /** The name that was typed, in lower case. */
      readonly name: string
      readonly rest: string
    }
  /** The first of two words was right, the second was not: how it should have been. */
  | { readonly usages: readonly string[] }

/** Every command once; typed and slash forms, help and registration are all read from here. */
export class Registry {
  readonly commands: readonly Command[]
  /** Descriptions of the first words of two-word slash commands. */
  readonly groups: Readonly<Record<string, string>>
  readonly #prefix: string
  readonly #byName: ReadonlyMap<string, Command>
  readonly #bySlash: ReadonlyMap<string | undefined, Command>
  readonly #byMenu: ReadonlyMap<string | undefined, Command>
  readonly #actions: ReadonlyMap<string, Action>

  constructor(groups: readonly CommandGroup[], commandPrefix: string, addresses: Addresses) {
    const all: readonly CommandGroup[] = [...groups, helpCommand(() => all, commandPrefix, addresses)]
    this.commands = all.flatMap(group => group.commands)
    this.groups = Object.assign({}, ...all.map(group => group.groups ?? {}))
    this.#prefix = commandPrefix
    this.#byName = new Map(this.commands.flatMap(command => command.names.map(name => [name, command] as const)))
    this.#bySlash = new Map(this.commands.map(command => [command.slash, command] as const))
    this.#byMenu = new Map(this.commands.map(command => [command.menu, command] as const))
    this.#actions = new Map(all.flatMap(group => group.actions ?? []).map(action => [action.name, action] as const))
  }

  /** Null: no such command. */
  find({ name, rest }: CommandLine): Found | null {
    const second = takeWord(rest)
    const both = second === null ? undefined : `${name} ${second.word.toLowerCase()}`
    const command = both === undefined ? undefined : this.#byName.get(both)
    if (second !== null && command !== undefined) return { command, name: both as string, rest: second.rest }
    const single = this.#byName.get(name)
    return single === undefined ? this.#usagesOf(name) : { command: single, name, rest }
  }

  /** By slash command, or command and subcommand with a blank between. */
  findSlash(path: string): Command | undefined {
    return this.#bySlash.get(path)
  }

  /** By the name in the menu of a person. */
  findMenu(name: string): Command | undefined {
    return this.#byMenu.get(name)
  }

  findAction(name: string): Action | undefined {
    return this.#actions.get(name)
  }

  #usagesOf(first: string): Found | null {
    const members = this.commands.flatMap(command =>
      command.names.filter(name => name.startsWith(`${first} `)).map(name => usage(command, this.#prefix, name)),
    )
    return members.length === 0 ? null : { usages: members }
  }
}

/** `.help` and `/help`: the person's own addresses, and every command, its own included. */
function helpCommand(groups: () => readonly CommandGroup[], prefix: string, addresses: Addresses): CommandGroup {
  return {
    title: 'Help',
    commands: [
      {
        names: ['help'],
        slash: 'help',
        summary: 'lists the commands',
        options: [],
        run: context => context.reply(describeCommands(context.userId, groups(), prefix, addresses)),
      },
    ],
  }
}

const NOTES = `A mention of me works in place of the prefix. Exactly one blank or newline stands between key and value.
A message with an API key in it is not carried out: the key is revoked, its owner gets a new one.`

function describeCommands(
  userId: string,
  groups: readonly CommandGroup[],
  prefix: string,
  addresses: Addresses,
): Reply {
  const sections = groups.map(({ title, commands }) => {
    return `**${title}**\n${commands.map(command => helpLine(command, prefix)).join('\n')}`
  })
  return {
    content: addresses.terms,
    embed: { title: addresses.name, description: [addresses.describe(userId), ...sections, NOTES].join('\n\n') },
  }
}

function helpLine(command: Command, prefix: string): string {
  const { names, slash, menu, summary } = command
  const others = names.slice(1).map(name => prefix + name)
  if (slash !== undefined && names.length > 0) others.push(`/${slash}`)
  const way = menu === undefined ? '' : ` (also in a person's menu: Apps → ${menu})`
  return `${[usage(command, prefix), ...others].map(code).join(' · ')}: ${summary}${way}`
}
