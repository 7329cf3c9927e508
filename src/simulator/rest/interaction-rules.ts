import { isObject } from '../gateway/identify.ts'
import type { Json } from '../types.ts'
import type { Problem } from './answers.ts'
import { checkChoices } from './command-rules.ts'
import { focusedType } from './interaction-data.ts'
import { checkMessage, list, text } from './message-rules.ts'

/** Interaction types (docs: Interactions, Receiving and Responding, "Interaction Type"). */
export const InteractionType = { command: 2, component: 3, autocomplete: 4, modal: 5 } as const

/** Callback types (same page, "Interaction Callback Type"). */
export const CallbackType = { reply: 4, defer: 5, deferUpdate: 6, update: 7, choices: 8, modal: 9 } as const

const ALLOWED: Record<number, readonly number[]> = {
  [InteractionType.command]: [CallbackType.reply, CallbackType.defer, CallbackType.modal],
  [InteractionType.component]: [
    CallbackType.reply,
    CallbackType.defer,
    CallbackType.deferUpdate,
    CallbackType.update,
    CallbackType.modal,
  ],
  [InteractionType.autocomplete]: [CallbackType.choices],
  [InteractionType.modal]: [CallbackType.reply, CallbackType.defer],
}

/** Everything wrong with the first answer to an interaction. */
export function checkCallback(interaction: Json, type: unknown, data: Json): Problem[] {
  const allowed = allowedCallbacks(interaction)
  if (!allowed.includes(type as number)) {
    const message = `Value must be one of (${allowed.join(', ')}) for this interaction.`
    return [{ path: 'type', code: 'BASE_TYPE_CHOICES', message }]
  }
  const problems: Problem[] = []
  if (type === CallbackType.choices)
    checkChoices(problems, 'data.choices', data.choices, focusedType(interaction.data as Json))
  else if (type === CallbackType.modal) checkModal(problems, data)
  else problems.push(...under('data', checkMessage(data, { ephemeral: true })))
  return problems
}

function allowedCallbacks(interaction: Json): readonly number[] {
  const usual = ALLOWED[interaction.type as number] ?? []
  const modalOnMessage = interaction.type === InteractionType.modal && interaction.message !== undefined
  return modalOnMessage ? [...usual, CallbackType.deferUpdate, CallbackType.update] : usual
}

function under(prefix: string, problems: Problem[]): Problem[] {
  return problems.map(problem => ({ ...problem, path: `${prefix}.${problem.path}` }))
}

/** Docs: Interactions, Receiving and Responding, "Modal"; Components, Reference, "Text Input". */
function checkModal(problems: Problem[], data: Json): void {
  text(problems, 'data.custom_id', data.custom_id ?? '', 1, 100)
  text(problems, 'data.title', data.title ?? '', 1, 45)
  if (!list(problems, 'data.components', data.components, 1, 5)) return
  for (const [index, holder] of data.components.entries()) {
    const path = `data.components.${index}`
    if (isObject(holder) && holder.type === 18 && isObject(holder.component)) {
      text(problems, `${path}.label`, holder.label ?? '', 1, 45)
      checkInput(problems, `${path}.component`, holder.component, false)
    } else if (isObject(holder) && holder.type === 1 && list(problems, `${path}.components`, holder.components, 1, 1)) {
      checkInput(problems, `${path}.components.0`, isObject(holder.components[0]) ? holder.components[0] : {}, true)
    } else if (!isObject(holder) || ![1, 10, 18].includes(holder.type as number)) {
      problems.push({
        path: `${path}.type`,
        code: 'UNION_TYPE_CHOICES',
        message: 'Value of field "type" must be one of (1, 10, 18).',
      })
    }
  }
}

function checkInput(problems: Problem[], path: string, input: Json, labelled: boolean): void {
  if (input.type !== 4) {
    // Selects may stand in a label, nothing but a text input in a row.
    if (labelled)
      problems.push({
        path: `${path}.type`,
        code: 'UNION_TYPE_CHOICES',
        message: 'Value of field "type" must be one of (4,).',
      })
    return
  }
  text(problems, `${path}.custom_id`, input.custom_id ?? '', 1, 100)
  if (labelled) text(problems, `${path}.label`, input.label ?? '', 1, 45)
  if (input.style !== 1 && input.style !== 2) {
    problems.push({ path: `${path}.style`, code: 'BASE_TYPE_CHOICES', message: 'Value must be one of (1, 2).' })
  }
  if (input.value !== undefined)
    text(problems, `${path}.value`, input.value, 0, Math.min(Number(input.max_length ?? 4000), 4000))
  if (input.placeholder !== undefined) text(problems, `${path}.placeholder`, input.placeholder, 0, 100)
  checkLength(problems, `${path}.min_length`, input.min_length, 0)
  checkLength(problems, `${path}.max_length`, input.max_length, 1)
}

function checkLength(problems: Problem[], path: string, value: unknown, from: number): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= from && (value as number) <= 4000)) return
  problems.push({ path, code: 'NUMBER_TYPE_RANGE', message: `int value should be between ${from} and 4000.` })
}
