import type { PresenceStore } from '../../domain/presence-store.ts'
import { type Action, type Call, type Command, typed } from './command.ts'
import { code, plural } from './format.ts'
import { actionId, type Reply } from './reply.ts'

const PAGE_ACTION = 'pairs'
/** Characters of keys on a page; the rest of the message is for the words around them. */
const PAGE_LENGTH = 1700

/** `.kv` and `/kv list`: a person's keys, page by page, with buttons to turn them. */
export function listPairs(presences: PresenceStore): { command: Command; action: Action } {
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
