import { checkKey, type Kv } from '../../domain/kv.ts'
import type { PresenceStore } from '../../domain/presence-store.ts'
import { type Action, type Call, type Command, type Option, WrongUsage } from './command.ts'
import { code, plural } from './format.ts'
import { actionId, ID_LIMIT } from './reply.ts'

const EDIT_ACTION = 'edit'
const FIELD = 'value'
/** Discord docs, Text Input: the limit of `value`. */
const FIELD_LIMIT = 4000

interface FormDeps {
  kv: Kv
  presences: PresenceStore
}

/** `/kv edit`: a form with the value in it, for values with several lines. */
export function editPair({ kv, presences }: FormDeps, key: Option): { command: Command; action: Action } {
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
