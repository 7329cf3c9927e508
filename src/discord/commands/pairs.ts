import { kvNotFound } from '../../domain/errors.ts'
import { KV_LIMITS, type Kv } from '../../domain/kv.ts'
import type { PresenceStore } from '../../domain/presence-store.ts'
import { type Call, type Noun, type Option, typed, WrongUsage } from './command.ts'
import { code, codeBlock, plural } from './format.ts'
import { editPair } from './pair-form.ts'
import { listPairs } from './pair-list.ts'
import { readPairs } from './parse.ts'

export interface PairsDeps {
  kv: Kv
  presences: PresenceStore
  /** Public address for links; without one the path alone is told. */
  externalUrl: string | undefined
}

/** Slash options hold 6,000 characters; longer values come by form, message or REST. */
const SLASH_TEXT_LIMIT = 6000
/** Choices of an autocomplete answer, and characters of each. Source: Discord docs, Application Command Option Choice. */
const CHOICES = { count: 25, length: 100 }

/** `.set`, `.mset`, `.get`, `.del`, `.kv` and their slash twins. */
export function pairCommands(deps: PairsDeps): Noun {
  const { kv, presences } = deps
  const key: Option = {
    name: 'key',
    description: 'Letters, digits and _',
    kind: 'word',
    maxLength: KV_LIMITS.keyLength,
    complete: (userId, start) => completeKey(presences.kv(userId).keys(), start),
  }
  const value: Option = { name: 'value', description: 'Any text', kind: 'text', maxLength: SLASH_TEXT_LIMIT }
  const lines = '<key> <value…>, one pair a line'
  const list = listPairs(presences)
  const edit = editPair(deps, key)

  return {
    groups: { kv: 'Your key-value pairs, shown with your presence' },
    commands: [
      {
        names: ['set', 'add'],
        slash: 'kv set',
        summary: 'sets a pair',
        options: [key, value],
        run: call => setPair(deps, call),
      },
      {
        names: ['mset'],
        summary: 'sets many pairs, all or none',
        options: [{ name: 'pairs', description: 'Pairs', kind: 'block', label: lines }],
        run: call => setPairs(deps, call),
      },
      {
        names: ['get'],
        slash: 'kv get',
        summary: 'shows a value',
        options: [key],
        run: call => getPair(deps, call),
      },
      {
        names: ['del'],
        slash: 'kv delete',
        summary: 'deletes a pair',
        options: [key],
        run: call => deletePair(kv, call),
      },
      list.command,
      edit.command,
    ],
    actions: [list.action, edit.action],
  }
}

async function setPair({ kv, externalUrl }: PairsDeps, call: Call): Promise<void> {
  const [key, value] = [call.text('key'), call.text('value')]
  if (key === undefined || value === undefined) throw new WrongUsage()
  await kv.put(call.userId, key, value)
  const address = externalUrl === undefined ? '' : ` or go to <${externalUrl}/v1/users/${call.userId}>`
  await call.reply(`${code(key)} was set. See it with ${code(`${typed(call, 'get', 'kv get')} ${key}`)}${address}`)
}

async function setPairs({ kv }: PairsDeps, call: Call): Promise<void> {
  const pairs = readPairs(call.text('pairs') ?? '')
  if (pairs === null) throw new WrongUsage()
  // fromEntries makes own properties of names such as __proto__, which an assignment would not.
  await kv.merge(call.userId, Object.fromEntries(pairs))
  await call.reply(`${plural(pairs.size, 'pair')} set.`)
}

async function getPair({ presences, externalUrl = '' }: PairsDeps, call: Call): Promise<void> {
  const key = call.text('key') ?? ''
  const value = presences.kv(call.userId).get(key)
  if (value === undefined) throw kvNotFound()
  const address = `${externalUrl}/v1/users/${call.userId}/kv/${key}`
  const tooLong = `${code(key)} holds ${plural([...value].length, 'character')}, too many for a message. It is at ${
    externalUrl === '' ? code(address) : `<${address}>`
  }`
  await call.reply(codeBlock(code(key), value) ?? tooLong)
}

async function deletePair(kv: Kv, call: Call): Promise<void> {
  const key = call.text('key') ?? ''
  const deleted = await kv.delete(call.userId, key)
  await call.reply(deleted ? `${code(key)} was deleted.` : `There is no key ${code(key)}.`)
}

/** Keys that start with what was typed come first, then those that contain it, in any case. */
function completeKey(keys: Iterable<string>, start: string): readonly string[] {
  const wanted = start.toLowerCase()
  const fitting = [...keys].filter(key => key.length <= CHOICES.length && key.toLowerCase().includes(wanted)).sort()
  const first = fitting.filter(key => key.toLowerCase().startsWith(wanted))
  return [...new Set([...first, ...fitting])].slice(0, CHOICES.count)
}
