import { kvNotFound } from '../domain/errors.ts'
import { checkKey, type Kv } from '../domain/kv.ts'
import { KV_LIMITS } from '../domain/kv-limits.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import { type Action, type Call, type Command, type Noun, type Option, typed, WrongUsage } from './command.ts'
import { readPairs } from './parse.ts'
import { actionId, code, codeBlock, ID_LIMIT, plural, type Reply } from './reply.ts'

const EDIT_ACTION = 'edit'
const FIELD = 'value'
/** Discord docs, Text Input: the limit of `value`. */
const FIELD_LIMIT = 4000

interface FormDeps {
  kv: Kv
  presences: PresenceStore
}

/** `/kv edit`: a form with the value in it, for values with several lines. */
function editPair({ kv, presences }: FormDeps, key: Option): { command: Command; action: Action } {
  return {
    command: {
      names: [],
      slash: 'kv edit',
      summary: 'edits a value in a form',
      options: [key],
      run: call => openEditor(presences, call),
    },
    action: {
      name: EDIT_ACTION,
      async run(call, edited) {
        const value = call.text(FIELD)
        if (value === undefined) throw new WrongUsage()
        await kv.put(call.userId, edited, value)
        await call.reply(`${code(edited)} was set.`)
      },
    },
  }
}

async function openEditor(presences: PresenceStore, call: Call): Promise<void> {
  const key = checkKey(call.text('key') ?? '')
  const value = presences.kv(call.userId).get(key) ?? ''
  const id = actionId(EDIT_ACTION, call.userId, key)
  const instead = `Use ${code('/kv set')}, or PUT it to ${code(`/v1/users/${call.userId}/kv/${key}`)}`
  if (value.length > FIELD_LIMIT) {
    const length = plural(value.length, 'character')
    return call.reply(`${code(key)} holds ${length}; a form takes ${FIELD_LIMIT}. ${instead}`)
  }
  if (id.length > ID_LIMIT) return call.reply(`That key is too long for a form. ${instead}`)
  await call.openForm?.({
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
  const show = (call: Call, wanted: string | undefined) =>
    call.reply(renderPage(call, [...presences.kv(call.userId).keys()], Number(wanted ?? 1)))
  return {
    command: {
      names: ['kv'],
      slash: 'kv list',
      summary: 'lists your keys',
      options: [{ name: 'page', description: 'Page of a long list', kind: 'integer', optional: true }],
      run: call => show(call, call.text('page')),
    },
    action: { name: PAGE_ACTION, run: show },
  }
}

function renderPage(call: Call, keys: readonly string[], wanted: number): Reply {
  if (keys.length === 0) return { content: `No keys yet. Set one with ${code(typed(call, 'set', 'kv set'))}` }
  const pages = splitPages(keys.toSorted())
  const page = Math.min(Math.max(wanted || 1, 1), pages.length)
  const place = pages.length === 1 ? '' : `, page ${page} of ${pages.length}`
  const content = `${plural(keys.length, 'key')}${place}. ${code(`${typed(call, 'get', 'kv get')} <key>`)} shows a value.
\`\`\`\n${pages[page - 1]}\n\`\`\``
  return pages.length === 1 ? { content } : { content, buttons: turnButtons(call.userId, page, pages.length) }
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
