import { type Command, type Noun, slashUsage, usage } from './command.ts'
import { code } from './format.ts'

/** `.help` and `/help`: every command of the table, its own included. */
export function helpCommand(commands: () => readonly Command[], commandPrefix: string): Noun {
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

const NOTES =
  '\nA mention of me works in place of the prefix. A message with an API key in it is not carried out: the key is revoked and a new one sent to its owner.'

function helpLine(command: Command, prefix: string): string {
  const { names, slash, summary } = command
  const ways =
    names.length === 0 ? [] : [code(usage(command, prefix)), ...names.slice(1).map(name => code(prefix + name))]
  if (slash !== undefined) ways.push(code(names.length === 0 ? slashUsage(command) : `/${slash}`))
  return `${ways.join(' ')} ${summary}`
}
