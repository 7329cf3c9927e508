import type { Option } from './command.ts'

const MENTION = /^<@!?(\d{1,20})>\s*(?=\S)/

/** A message that starts like a command. */
export interface CommandLine {
  /** In lower case. */
  readonly name: string
  /** Everything behind the name, the blank after it included. */
  readonly rest: string
}

/**
 * Reads the start of a message: the prefix, or a mention of the bot and any blanks, then a name. Null when it is no command.
 * @param botId null while it is not known: then only the prefix counts.
 */
export function readCommandLine(content: string, prefix: string, botId: string | null): CommandLine | null {
  const start = content.startsWith(prefix) ? prefix : readMention(content, botId)
  if (start === null) return null
  const [, name, rest = ''] = /^(\S+)(.*)$/s.exec(content.slice(start.length)) ?? []
  return name === undefined ? null : { name: name.toLowerCase(), rest }
}

/** The id of whoever a message starts by mentioning, when more follows: a command if it is the bot's. */
export function mentionedFirst(content: string): string | null {
  return MENTION.exec(content)?.[1] ?? null
}

/** The id of whoever a message mentions without a further word. */
export function bareMention(content: string): string | null {
  return /^\s*<@!?(\d{1,20})>\s*$/.exec(content)?.[1] ?? null
}

/** Takes the next word, with any blanks before it. Null when there is none. */
export function takeWord(text: string): { word: string; rest: string } | null {
  const [, word, rest = ''] = /^\s*(\S+)(.*)$/s.exec(text) ?? []
  return word === undefined ? null : { word, rest }
}

/**
 * Reads a command's arguments from what stands behind its name. Null when one is missing, or something is left over.
 * Any blanks may stand before a word; exactly one blank or newline separates it from a text, which is kept verbatim.
 */
export function readArguments(text: string, options: readonly Option[]): ReadonlyMap<string, string> | null {
  const values = new Map<string, string>()
  let left = text
  for (const option of options) {
    const taken = takeArgument(left, option.kind)
    if (taken === null && !option.optional) return null
    if (taken === null) continue
    values.set(option.name, taken.value)
    left = taken.rest
  }
  return /^\s*$/.test(left) ? values : null
}

/** One `key value` a line; empty lines don't count. Null when a line has no value, or there is no line. Last one wins. */
export function readPairs(block: string): ReadonlyMap<string, string> | null {
  const pairs = new Map<string, string>()
  for (const line of block.split(/\r?\n/)) {
    if (/^\s*$/.test(line)) continue
    const [, key, value] = /^\s*(\S+)\s(.*)$/s.exec(line) ?? []
    if (key === undefined || value === undefined) return null
    pairs.set(key, value)
  }
  return pairs.size === 0 ? null : pairs
}

function takeArgument(text: string, kind: Option['kind']): { value: string; rest: string } | null {
  if (kind === 'block') return takeBlock(text)
  if (kind === 'text') return takeText(text)
  const taken = takeWord(text)
  if (taken === null || (kind === 'integer' && !/^\d{1,9}$/.test(taken.word))) return null
  return { value: taken.word, rest: taken.rest }
}

function takeText(text: string): { value: string; rest: string } | null {
  const [, value] = /^(?:\r\n|\s)(.*)$/s.exec(text) ?? []
  return value === undefined ? null : { value, rest: '' }
}

function takeBlock(text: string): { value: string; rest: string } | null {
  const value = text.replace(/^\s+/, '')
  return value === '' ? null : { value, rest: '' }
}

function readMention(content: string, botId: string | null): string | null {
  const [mention = null, id] = MENTION.exec(content) ?? []
  return id !== undefined && id === botId ? mention : null
}
