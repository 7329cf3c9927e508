import { kvNotFound } from '../domain/errors.ts'
import { checkKey, type Kv } from '../domain/kv.ts'
import { KV_LIMITS } from '../domain/kv-limits.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Addresses } from './addresses.ts'
import {
  type Action,
  type Command,
  type CommandContext,
  type CommandGroup,
  invocation,
  type Option,
  WrongUsage,
} from './command.ts'
import { readPairs } from './parse.ts'
import { actionId, code, codeBlock, ID_LIMIT, plural, type Reply } from './reply.ts'

const EDIT_ACTION = 'edit'
const FIELD = 'value'
/** Discord docs, Text Input: the limit of `value`. */
const FIELD_LIMIT = 4000

/** `/kv edit`: a form with the value in it, for values with several lines. */
function editPair(
  { kv, presences }: Pick<PairsDeps, 'kv' | 'presences'>,
  key: Option,
): { command: Command; action: Action } {
  return {
    command: {
      names: [],
      slash: 'kv edit',
      summary: 'edits a value in a form',
      options: [key],
      run: context => openEditor(presences, context),
    },
    action: {
      name: EDIT_ACTION,
      async run(context, edited) {
        const value = context.text(FIELD)
        if (value === undefined) throw new WrongUsage()
        await kv.put(context.userId, edited, value)
        await context.reply(`${code(edited)} was set.`)
      },
    },
  }
}

async function openEditor(presences: PresenceStore, context: CommandContext): Promise<void> {
  const key = checkKey(context.text('key') ?? '')
  const value = presences.kv(context.userId).get(key) ?? ''
  const id = actionId(EDIT_ACTION, context.userId, key)
  const instead = `Use ${code('/kv set')}, or PUT it to ${code(`/v1/users/${context.userId}/kv/${key}`)}`
  if (value.length > FIELD_LIMIT) {
    const length = plural(value.length, 'character')
    return context.reply(`${code(key)} holds ${length}; a form takes ${FIELD_LIMIT}. ${instead}`)
  }
  if (id.length > ID_LIMIT) return context.reply(`That key is too long for a form. ${instead}`)
  await context.openForm?.({
    id,
    title: 'Edit a pair',
    field: { name: FIELD, label: 'Value', value, maxLength: FIELD_LIMIT },
  })
}

const PAGE_ACTION = 'pairs'
/** Characters of keys on a page; the rest of the message is for the words around them. */
const PAGE_LENGTH = 1700

/** `.kv` and `/kv list`: a person's keys, page by page, with buttons to turn them. */
function listPairs(presences: PresenceStore): { command: Command; action: Action } {
  const show = (context: CommandContext, wanted: string | undefined) =>
    context.reply(renderPage(context, [...presences.kv(context.userId).keys()], Number(wanted ?? 1)))
  return {
    command: {
      names: ['kv'],
      slash: 'kv list',
      summary: 'lists your keys',
      options: [{ name: 'page', description: 'Page of a long list', kind: 'integer', optional: true }],
      run: context => show(context, context.text('page')),
    },
    action: { name: PAGE_ACTION, run: show },
  }
}

function renderPage(context: CommandContext, keys: readonly string[], wanted: number): Reply {
  if (keys.length === 0) return { content: `No keys yet. Set one with ${code(invocation(context, 'set', 'kv set'))}` }
  const pages = splitPages(keys.toSorted())
  const page = Math.min(Math.max(wanted || 1, 1), pages.length)
  const place = pages.length === 1 ? '' : `, page ${page} of ${pages.length}`
  const content = `${plural(keys.length, 'key')}${place}. ${code(`${invocation(context, 'get', 'kv get')} <key>`)} shows a value.
\`\`\`\n${pages[page - 1]}\n\`\`\``
  return pages.length === 1 ? { content } : { content, buttons: turnButtons(context.userId, page, pages.length) }
}

function splitPages(keys: readonly string[]): readonly string[] {
  const pages: string[] = []
  for (const key of keys) {
    const last = pages.at(-1)
    if (last === undefined || last.length + key.length + 2 > PAGE_LENGTH) pages.push(key)
    else pages[pages.length - 1] = `${last}, ${key}`
  }
  return pages
}

function turnButtons(userId: string, page: number, pages: number): Reply['buttons'] {
  return [
    { label: '◀', id: actionId(PAGE_ACTION, userId, String(page - 1)), disabled: page === 1 },
    { label: '▶', id: actionId(PAGE_ACTION, userId, String(page + 1)), disabled: page === pages },
  ]
}

interface PairsDeps {
  readonly kv: Kv
  readonly presences: PresenceStore
  readonly addresses: Addresses
}

/** Slash options hold 6,000 characters; longer values come by form, message or REST. */
const SLASH_TEXT_LIMIT = 6000
/** Choices of an autocomplete answer, and characters of each. Source: Discord docs, Application Command Option Choice. */
const CHOICES = { count: 25, length: 100 }

/** `.set`, `.mset`, `.get`, `.del`, `.kv` and their slash twins. */
export function pairCommands(deps: PairsDeps): CommandGroup {
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
    title: 'Key-value pairs',
    groups: { kv: 'Your key-value pairs, shown with your presence' },
    commands: [
      {
        names: ['set', 'add'],
        slash: 'kv set',
        summary: 'sets a pair',
        options: [key, value],
        run: context => setPair(deps, context),
      },
      {
        names: ['mset'],
        summary: 'sets many pairs, all or none',
        options: [{ name: 'pairs', description: 'Pairs', kind: 'block', label: lines }],
        run: context => setPairs(deps, context),
      },
      {
        names: ['get'],
        slash: 'kv get',
        summary: 'shows a value',
        options: [key],
        run: context => getPair(deps, context),
      },
      {
        names: ['del'],
        slash: 'kv delete',
        summary: 'deletes a pair',
        options: [key],
        run: context => deletePair(kv, context),
      },
      list.command,
      edit.command,
    ],
    actions: [list.action, edit.action],
  }
}

async function setPair({ kv, addresses }: PairsDeps, context: CommandContext): Promise<void> {
  const [key, value] = [context.text('key'), context.text('value')]
  if (key === undefined || value === undefined) throw new WrongUsage()
  await kv.put(context.userId, key, value)
  const address = addresses.base === undefined ? '' : ` or go to ${addresses.presence(context.userId)}`
  await context.reply(
    `${code(key)} was set. See it with ${code(`${invocation(context, 'get', 'kv get')} ${key}`)}${address}`,
  )
}

async function setPairs({ kv }: PairsDeps, context: CommandContext): Promise<void> {
  const pairs = readPairs(context.text('pairs') ?? '')
  if (pairs === null) throw new WrongUsage()
  // fromEntries makes own properties of names such as __proto__, which an assignment would not.
  await kv.merge(context.userId, Object.fromEntries(pairs))
  await context.reply(`${plural(pairs.size, 'pair')} set.`)
}

async function getPair({ presences, addresses }: PairsDeps, context: CommandContext): Promise<void> {
  const key = context.text('key') ?? ''
  const value = presences.kv(context.userId).get(key)
  if (value === undefined) throw kvNotFound()
  const length = plural([...value].length, 'character')
  const address = addresses.value(context.userId, key)
  const tooLong = `${code(key)} holds ${length}, too many for a message. It is at ${address}`
  await context.reply(codeBlock(code(key), value) ?? tooLong)
}

async function deletePair(kv: Kv, context: CommandContext): Promise<void> {
  const key = context.text('key') ?? ''
  const deleted = await kv.delete(context.userId, key)
  await context.reply(deleted ? `${code(key)} was deleted.` : `There is no key ${code(key)}.`)
}

/** Keys that start with what was typed come first, then those that contain it, in any case. */
function completeKey(keys: Iterable<string>, start: string): readonly string[] {
  const wanted = start.toLowerCase()
  const fitting = [...keys].filter(key => key.length <= CHOICES.length && key.toLowerCase().includes(wanted)).sort()
  const first = fitting.filter(key => key.toLowerCase().startsWith(wanted))
  return [...new Set([...first, ...fitting])].slice(0, CHOICES.count)
}
