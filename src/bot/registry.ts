import { type Action, type Command, type Noun, usage } from './command.ts'
import { type CommandLine, takeWord } from './parse.ts'
import { code } from './reply.ts'

/** `.help` and `/help`: every command of the table, its own included. */
function helpCommand(commands: () => readonly Command[], commandPrefix: string): Noun {
  return {
    commands: [
      {
        names: ['help'],
        slash: 'help',
        summary: 'lists the commands',
        options: [],
        run: call =>
          call.reply(
            commands()
              .map(command => helpLine(command, commandPrefix))
              .join('\n') + NOTES,
          ),
      },
    ],
  }
}

const NOTES = `
A mention of me works in place of the prefix. Exactly one blank or newline stands between key and value.
A message with an API key in it is not carried out: the key is revoked, its owner gets a new one.`

function helpLine(command: Command, prefix: string): string {
  const { names, slash, summary } = command
  const others = names.slice(1).map(name => prefix + name)
  if (slash !== undefined && names.length > 0) others.push(`/${slash}`)
  return `${[usage(command, prefix), ...others].map(code).join(' · ')}: ${summary}`
}

/** What a command line turned out to mean. */
export type Found =
  | { readonly command: Command; readonly rest: string }
  /** The first of two words was right, the second was not: how it should have been. */
  | { readonly usages: readonly string[] }

/** Every command once; typed and slash forms, help and registration are all read from here. */
export interface Table {
  readonly commands: readonly Command[]
  /** Descriptions of the first words of two-word slash commands. */
  readonly groups: Readonly<Record<string, string>>
  /** Null: no such command. */
  find(line: CommandLine): Found | null
  /** By slash command, or command and subcommand with a blank between. */
  findSlash(path: string): Command | undefined
  findAction(name: string): Action | undefined
}

export function createTable(nouns: readonly Noun[], commandPrefix: string): Table {
  const all: readonly Noun[] = [...nouns, helpCommand(() => commands, commandPrefix)]
  const commands = all.flatMap(noun => noun.commands)
  const byName = new Map(commands.flatMap(command => command.names.map(name => [name, command] as const)))
  const bySlash = new Map(commands.map(command => [command.slash, command] as const))
  const actions = new Map(all.flatMap(noun => noun.actions ?? []).map(action => [action.name, action] as const))

  function findSecondWord(first: string, text: string): Found | null {
    const second = takeWord(text)
    const command = second === null ? undefined : byName.get(`${first} ${second.word.toLowerCase()}`)
    if (second !== null && command !== undefined) return { command, rest: second.rest }
    const group = commands.filter(({ names }) => names.some(name => name.startsWith(`${first} `)))
    return group.length === 0 ? null : { usages: group.map(member => usage(member, commandPrefix)) }
  }

  return {
    commands,
    groups: Object.assign({}, ...all.map(noun => noun.groups ?? {})),
    find({ name, rest }) {
      const command = byName.get(name)
      return command === undefined ? findSecondWord(name, rest) : { command, rest }
    },
    findSlash: path => bySlash.get(path),
    findAction: name => actions.get(name),
  }
}
