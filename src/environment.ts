import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, type Environment, unquoted } from './config.ts'

/** The one file of settings that is read, in the working folder. */
const FILE = '.env'

/**
 * What the process was started with, and below it what the file `.env` in the folder says: the environment wins. The same
 * from source and in the executable. Throws ConfigError when the file cannot be understood.
 */
export function readEnvironment(folder: string): Environment {
  return { ...readFile(join(folder, FILE)), ...startedWith() }
}

/**
 * From source, Bun has already put into `process.env` what it found in `.env`, `.env.local` and more, with every `$`
 * expanded. What was really given is where the system keeps it; where that cannot be read, Bun's word has to do.
 */
function startedWith(): Environment {
  try {
    const variables = readFileSync('/proc/self/environ', 'utf8').split('\0').filter(Boolean)
    return Object.fromEntries(variables.map(variable => splitAt(variable, variable.indexOf('='))))
  } catch {
    return process.env
  }
}

const splitAt = (text: string, at: number): [string, string] => [text.slice(0, at), text.slice(at + 1)]

function readFile(path: string): Environment {
  try {
    return parseEnvironment(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const code = (error as { code?: unknown }).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}
    throw new ConfigError([`${path} cannot be read (${code})`])
  }
}

/**
 * Reads `NAME=value` lines; empty ones and those that begin with `#` say nothing. Quotes around a value are taken off,
 * ` #` ends one that has none, and nothing in it is expanded. A name that comes twice means the last.
 * Throws ConfigError with the number of each line that is something else, and never with what stands there.
 */
export function parseEnvironment(text: string): Environment {
  const variables: Record<string, string> = {}
  const mistakes: string[] = []
  for (const [at, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, name = '', value = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line) ?? []
    if (name === '') mistakes.push(`${FILE} must have NAME=value in line ${at + 1}`)
    else variables[name] = valueIn(value.trim())
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return variables
}

function valueIn(text: string): string {
  const [, quoted] = /^("[^"]*"|'[^']*')\s*(?:#.*)?$/.exec(text) ?? []
  return quoted === undefined ? unquoted(text.replace(/(^|\s)#.*$/, '').trim()) : quoted.slice(1, -1)
}
