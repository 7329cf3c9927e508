import { parseArgs } from 'node:util'
import { isSnowflake } from '../domain/presence.ts'
import { DAY, HOUR, MINUTE } from '../lib/clock.ts'

/** What the command line asks for. */
export type Command =
  | { readonly name: 'serve' | 'hub' | 'edge' | 'demo' | 'health' | 'check' | 'stats' | 'help' | 'version' }
  | { readonly name: 'people'; readonly text: string | undefined }
  | { readonly name: 'hide' | 'show' | 'revoke'; readonly userId: string }
  | { readonly name: 'erase'; readonly userId: string; readonly isSure: boolean }
  | { readonly name: 'import'; readonly url: string }
  | { readonly name: 'backup'; readonly file: string }
  | { readonly name: 'backups'; readonly folder: string; readonly every: number; readonly keep: number }
  | { readonly name: 'restore'; readonly file: string; readonly force: boolean }

/** Thrown by {@link parseCommand}: the message says what was not understood, for people. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const HELP = `exoix - live Discord presence as a REST API and a WebSocket

Usage: exoix [command]

  (none), serve                 serve; needs BOT_TOKEN in the environment
  hub                           keep everything and tell edges over REDIS_URL, without serving itself
  edge                          serve what a hub tells over REDIS_URL; needs no token and no database
  demo                          serve made-up people from a simulated Discord; needs nothing
  check                         look at settings, database, port, token, intents and servers, and say what to mend
  health                        ask the server on this machine whether it is ready (exit code 0 or 1)
  people [text]                 list of whom something is kept, or who have the text in their names or id
  hide <id>, show <id>          take somebody out of every answer, whatever they wish, and back in
  erase <id> [--yes]            erase everything that is kept of somebody
  revoke <id>                   make somebody's keys worthless
  stats                         say how much is kept of what
  backup <file>                 copy the database to a new file, also while the server runs
  backup --every 24h [--keep 7] <folder>
                                go on doing so, and keep the newest
  restore <file> [--force]      put a backup in place; --force replaces an existing database
  import lanyard <redis url>    take over pairs and keys from a Lanyard's Redis

  --help, --version

Settings are environment variables; \`exoix check\` lists what is wrong with them.
`

/** Reads the arguments after the program's name. Throws {@link UsageError}. */
export function parseCommand(args: readonly string[]): Command {
  const { values, positionals } = parse(args)
  if (values.help) return { name: 'help' }
  if (values.version) return { name: 'version' }
  const [name = 'serve', ...rest] = positionals
  for (const [option, command] of OPTIONS) {
    if (Object.hasOwn(values, option) && values[option] && name !== command) {
      throw new UsageError(`--${option} belongs to ${command}`)
    }
  }
  switch (name) {
    case 'serve':
    case 'hub':
    case 'edge':
    case 'demo':
    case 'health':
    case 'check':
    case 'stats':
    case 'version':
      expectArguments(name, rest, 0)
      return { name }
    case 'help':
      // `help backup` is asked for all of it, too.
      if (rest.length > 1) expectArguments('help', rest, 0)
      return { name }
    case 'people':
      if (rest.length > 1) expectArguments('people [text]', rest, 1)
      return { name, text: rest[0] }
    case 'hide':
    case 'show':
    case 'revoke':
      return { name, userId: expectUser(name, rest) }
    case 'erase':
      return { name, userId: expectUser(name, rest), isSure: values.yes }
    case 'backup':
      return parseBackup(rest, values)
    case 'restore':
      return { name, file: expectArguments('restore <file>', rest, 1)[0] ?? '', force: values.force }
    case 'import':
      return parseImport(rest)
    default:
      throw new UsageError(isWord(name) ? `there is no command "${name}"` : 'there is no such command')
  }
}

/** Options of one command alone. */
const OPTIONS = [
  ['force', 'restore'],
  ['yes', 'erase'],
  ['every', 'backup'],
  ['keep', 'backup'],
] as const

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
        force: { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        every: { type: 'string' },
        keep: { type: 'string' },
      },
    })
  } catch (error) {
    throw new UsageError(explain(error))
  }
}

/** Repeats no more of what was typed than the name of an option: the rest may be an address with a password in it. */
function explain(error: unknown): string {
  const [, option = ''] = /'(--?[^'=]+)/.exec(error instanceof Error ? error.message : '') ?? []
  if (!/^--?[a-z][a-z-]{0,20}$/.test(option)) return 'the options were not understood'
  const code = (error as { code?: unknown }).code
  return code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? `Unknown option '${option}'` : `option '${option}' is used wrongly`
}

/** Whether it may be repeated: a command that was mistyped is one, an address or a password is not. */
const isWord = (name: string) => /^[a-z-]{1,12}$/i.test(name)

const UNITS: Readonly<Record<string, number>> = { m: MINUTE, h: HOUR, d: DAY }
/** How many back-ups are kept when it is not said. */
const KEPT = 7

function parseBackup(rest: readonly string[], { every, keep }: { every?: string; keep?: string }): Command {
  if (every === undefined) {
    if (keep !== undefined) throw new UsageError('--keep needs --every')
    return { name: 'backup', file: expectArguments('backup <file>', rest, 1)[0] ?? '' }
  }
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(every) ?? []
  const time = Number(count) * (UNITS[unit] ?? 0)
  if (time === 0) throw new UsageError('--every must be a time such as 30m, 24h or 7d')
  if (keep !== undefined && !/^[1-9]\d{0,4}$/.test(keep)) throw new UsageError('--keep must be a number from 1 on')
  const [folder = ''] = expectArguments('backup --every <time> [--keep <number>] <folder>', rest, 1)
  return { name: 'backups', folder, every: time, keep: keep === undefined ? KEPT : Number(keep) }
}

function expectUser(name: string, rest: readonly string[]): string {
  const [userId = ''] = expectArguments(`${name} <id>`, rest, 1)
  if (!isSnowflake(userId)) throw new UsageError(`${name} takes the Discord id of a person, which is a number`)
  return userId
}

function parseImport(rest: readonly string[]): Command {
  const [source, url] = expectArguments('import lanyard <redis url>', rest, 2)
  if (source !== 'lanyard') throw new UsageError('only "import lanyard <redis url>" is known')
  if (url === undefined || !/^(rediss?|valkeys?|redis\+unix):\/\//.test(url)) {
    throw new UsageError('the address must start with redis:// or rediss://')
  }
  return { name: 'import', url }
}

function expectArguments(usage: string, rest: readonly string[], count: number): readonly string[] {
  if (rest.length !== count) throw new UsageError(`usage: exoix ${usage}`)
  return rest
}
