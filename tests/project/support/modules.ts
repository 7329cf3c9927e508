import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'

const ROOT = join(import.meta.dir, '../../..')

export interface Import {
  /** From the root of the repository: `src/lib/clock.ts`; a package's name as it is written. */
  readonly target: string
  /** Imported names as the other module calls them; `*` for all of it, `default` for its default. */
  readonly names: readonly string[]
  /** Gone once compiled. */
  readonly typeOnly: boolean
  /** A file that is embedded or read, not run: `with { type: 'text' }`. */
  readonly asset: boolean
}

export interface Module {
  /** From the root of the repository. */
  readonly path: string
  readonly lines: readonly string[]
  readonly imports: readonly Import[]
}

/** Every module below a folder of the repository, by path. Type declarations are none. */
export function readModules(folder: string): Map<string, Module> {
  const paths = [...new Bun.Glob('**/*.{ts,js}').scanSync(join(ROOT, folder))].filter(path => !path.endsWith('.d.ts'))
  const modules = paths.map(path =>
    readModule(posix.join(folder, path), readFileSync(join(ROOT, folder, path), 'utf8')),
  )
  return new Map(modules.map(module => [module.path, module]))
}

/** As Biome formats: one statement's start at the start of a line, single quotes. */
const STATIC = /^(?:import|export)\s+(type\s+)?(?:([^'"()=;]*?)\s*from\s*)?'([^'\n]+)'([^\S\n]*with\b)?/gm
const DYNAMIC = /\bimport\(\s*'([^'\n]+)'\s*(,)?/g
const TYPE = /\bimport\('([^'\n]+)'\)\./g

/** What a module's text imports; `path` says where relative addresses start. */
export function readModule(path: string, text: string): Module {
  const target = (address: string) =>
    address.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), address)) : address
  const statements = [...text.matchAll(STATIC)].map(([, type, clause = '', address = '', attributes]) => {
    const names = namesOf(clause)
    const typeOnly = type !== undefined || (names.length > 0 && names.every(({ type }) => type))
    return { target: target(address), names: names.map(({ name }) => name), typeOnly, asset: attributes !== undefined }
  })
  const calls = [...text.matchAll(DYNAMIC)].map(([, address = '', options]) => {
    return { target: target(address), names: ['*'], typeOnly: false, asset: options !== undefined }
  })
  const types = new Set([...text.matchAll(TYPE)].map(([, address = '']) => target(address)))
  const imports = [...statements, ...calls.map(call => ({ ...call, typeOnly: types.has(call.target) }))]
  return { path, lines: text.trimEnd().split('\n'), imports }
}

function namesOf(clause: string): { name: string; type: boolean }[] {
  const [, before = '', braces] = /^([^{]*)(?:\{([^}]*)\})?/s.exec(clause.trim()) ?? []
  const whole = before.replace(/,/g, '').trim()
  const named = (braces ?? '').split(',').map(part => part.trim())
  return [
    ...(whole === '' ? [] : [{ name: whole.startsWith('*') ? '*' : 'default', type: false }]),
    ...named
      .filter(part => part !== '')
      .map(part => ({ name: part.replace(/^type\s+/, '').replace(/\s+as\s.*$/, ''), type: /^type\s/.test(part) })),
  ]
}

/** The line that opens a function's body: of a declaration or an arrow, of a method, or the end of a head of several lines. */
const BODY = /(?:\bfunction\b.*|=>|^\s+(?:[a-z]+ |\*)*#?\w+(?:<.*>)?\(.*|^\s*[)}].*\).*|^\s*\).*) \{$/
const NO_FUNCTION = /^\s*(?:\} )?(?:if|else|for|while|do|switch|catch|try|finally)\b/

/** Functions whose body is longer than `most` lines, by name where they have one. Relies on formatted text. */
export function longFunctions({ lines }: Module, most: number): { name: string; lines: number }[] {
  const isAt = (indent: number) => (line: string) => line.search(/\S/) === indent
  return lines.flatMap((opening, start) => {
    if (!BODY.test(opening)) return []
    const indent = opening.search(/\S/)
    const head = lines.slice(0, start + 1).findLast(line => isAt(indent)(line) && /^\s*[^)}\s]/.test(line)) ?? ''
    if (NO_FUNCTION.test(head)) return []
    const length = lines.slice(start + 1).findIndex(line => isAt(indent)(line) && /^\s*\}/.test(line))
    const [, name = 'a function'] =
      /^\s*(?:(?:export|default|const|static|async|get|set|function\*?) )*(#?\w+)/.exec(head) ?? []
    return length > most ? [{ name, lines: length }] : []
  })
}
