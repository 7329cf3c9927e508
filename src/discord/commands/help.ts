import { type Command, type Noun, usage } from './command.ts'
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

const NOTES = `
A mention of me works in place of the prefix. Exactly one blank or newline stands between key and value.
A message with an API key in it is not carried out: the key is revoked, its owner gets a new one.`

function helpLine(command: Command, prefix: string): string {
  const { names, slash, summary } = command
  const others = names.slice(1).map(name => prefix + name)
  if (slash !== undefined && names.length > 0) others.push(`/${slash}`)
  return `${[usage(command, prefix), ...others].map(code).join(' · ')}: ${summary}`
}
