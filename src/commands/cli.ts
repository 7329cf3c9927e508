import { parseArgs } from 'node:util'

/** What the command line asks for. */
export type Command =
  | { readonly name: 'serve' | 'hub' | 'edge' | 'demo' | 'health' | 'check' | 'help' | 'version' }
  | { readonly name: 'import'; readonly url: string }
  | { readonly name: 'backup'; readonly file: string }
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
  backup <file>                 copy the database to a new file, also while the server runs
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
  if (values.force && name !== 'restore') throw new UsageError('--force belongs to restore')
  switch (name) {
    case 'serve':
    case 'hub':
    case 'edge':
    case 'demo':
    case 'health':
    case 'check':
    case 'version':
      expectArguments(name, rest, 0)
      return { name }
    case 'help':
      // `help backup` is asked for all of it, too.
      if (rest.length > 1) expectArguments('help', rest, 0)
      return { name }
    case 'backup':
      return { name, file: expectArguments('backup <file>', rest, 1)[0] ?? '' }
    case 'restore':
      return { name, file: expectArguments('restore <file>', rest, 1)[0] ?? '', force: values.force }
    case 'import':
      return parseImport(rest)
    default:
      throw new UsageError(isWord(name) ? `there is no command "${name}"` : 'there is no such command')
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', short: 'v', default: false },
        force: { type: 'boolean', default: false },
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
