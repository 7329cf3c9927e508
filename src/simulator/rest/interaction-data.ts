import { isObject } from '../gateway/identify.ts'
import type { World } from '../people/world.ts'
import type { Json } from '../types.ts'

export type OptionValues = Record<string, string | number | boolean>

/** What somebody typed: a command with its subcommands (`kv set`), options by name, and the one being completed. */
export interface TypedCommand {
  command: string
  options?: OptionValues
  /** Only for autocomplete: the option the cursor is in. */
  focused?: string
}

/**
 * `data` of a command interaction, built from the command as it was registered; throws where Discord's client would not
 * let anybody send it (docs: Interactions, Receiving and Responding, "Application Command Data Structure").
 */
export function commandData(world: World, registered: Json, typed: TypedCommand): Json {
  const path = typed.command.split(' ').slice(1)
  const values: OptionValues = { ...typed.options }
  const resolved: Json = {}
  const options = nest(registered, path, leaf => fill(world, leaf, values, typed.focused, resolved))
  const unknown = Object.keys(values)
  if (unknown.length > 0) throw new Error(`/${typed.command} has no option ${unknown.join(', ')}`)
  const { id, name, type } = registered
  return { id, name, type, options, ...(Object.keys(resolved).length > 0 ? { resolved } : {}) }
}

/** `data` of a command in a person's menu (same page; `target_id` and `resolved`). */
export function menuData(world: World, registered: Json, targetId: string): Json {
  const user = world.user(targetId)
  if (!user) throw new Error(`there is no simulated user ${targetId}`)
  const { id, name, type } = registered
  return { id, name, type, target_id: targetId, resolved: { users: { [targetId]: user } } }
}

function nest(node: Json, path: string[], fillLeaf: (leaf: Json) => Json[]): Json[] {
  const options = optionsOf(node)
  const [next, ...rest] = path
  if (next === undefined) {
    if (options.some(option => option.type === 1 || option.type === 2))
      throw new Error(`/${node.name} needs a subcommand`)
    return fillLeaf(node)
  }
  const child = options.find(option => option.name === next && (option.type === 1 || option.type === 2))
  if (!child) throw new Error(`/${node.name} has no subcommand ${next}`)
  return [{ type: child.type, name: child.name, options: nest(child, rest, fillLeaf) }]
}

function optionsOf(node: Json): Json[] {
  return Array.isArray(node.options) ? node.options.filter(isObject) : []
}

/** Takes what it uses out of `values`. */
function fill(world: World, leaf: Json, values: OptionValues, focused: string | undefined, resolved: Json): Json[] {
  const filled: Json[] = []
  for (const option of optionsOf(leaf)) {
    const name = String(option.name)
    const value = values[name]
    delete values[name]
    if (value === undefined && option.required && focused === undefined) throw new Error(`option ${name} is required`)
    if (value === undefined && name !== focused) continue
    if (focused === undefined && value !== undefined) refuseValue(option, value)
    if (name === focused && !option.autocomplete) throw new Error(`option ${name} has no autocomplete`)
    filled.push({ type: option.type, name, value: value ?? '', ...(name === focused ? { focused: true } : {}) })
    if (option.type === 6) resolved.users = { ...(resolved.users as Json), [String(value)]: world.user(String(value)) }
  }
  return filled
}

const VALUE_TYPES: Record<number, string> = {
  3: 'string',
  4: 'number',
  5: 'boolean',
  6: 'string',
  7: 'string',
  8: 'string',
  10: 'number',
}

function refuseValue(option: Json, value: string | number | boolean): void {
  const expected = VALUE_TYPES[option.type as number]
  if (expected !== undefined && typeof value !== expected) throw new Error(`option ${option.name} takes a ${expected}`)
  if (typeof value === 'string') {
    const length = [...value].length
    const max = Math.min((option.max_length as number | undefined) ?? 6000, 6000)
    if (length < ((option.min_length as number | undefined) ?? 0)) throw new Error(`option ${option.name} is too short`)
    if (length > max) throw new Error(`option ${option.name} is too long`)
  }
  const choices = Array.isArray(option.choices) ? option.choices.filter(isObject) : []
  if (choices.length > 0 && !choices.some(choice => choice.value === value))
    throw new Error(`option ${option.name} has no choice ${value}`)
}

/** The type of the option being completed; choices must be of it. */
export function focusedType(data: Json): number {
  const walk = (options: Json[]): number | undefined => {
    for (const option of options) {
      if (option.focused) return option.type as number
      const below = walk(optionsOf(option))
      if (below !== undefined) return below
    }
    return undefined
  }
  return walk(optionsOf(data)) ?? 3
}

/**
 * `data` of a submitted modal: the fields by custom id, in the modal's own layout; throws where a person could not submit it
 * (docs: Components, Reference, "Text Input").
 */
export function modalData(modal: Json, fields: Record<string, string>): Json {
  const left = { ...fields }
  const inputs = (Array.isArray(modal.components) ? modal.components : []).filter(isObject)
  const components = inputs.map(holder => submitHolder(holder, left))
  const unknown = Object.keys(left)
  if (unknown.length > 0) throw new Error(`the modal has no field ${unknown.join(', ')}`)
  return { custom_id: modal.custom_id, components }
}

/** An action row (several inputs, in fact one) or a label (one). */
function submitHolder(holder: Json, left: Record<string, string>): Json {
  if (isObject(holder.component))
    return { type: holder.type, id: holder.id, component: submitInput(holder.component, left) }
  const inputs = (Array.isArray(holder.components) ? holder.components : []).filter(isObject)
  return { type: holder.type, components: inputs.map(input => submitInput(input, left)) }
}

function submitInput(input: Json, left: Record<string, string>): Json {
  const id = String(input.custom_id)
  const value = left[id] ?? (typeof input.value === 'string' ? input.value : '')
  delete left[id]
  const length = [...value].length
  if (length === 0 && input.required !== false) throw new Error(`field ${id} is required`)
  if (length > 0 && length < ((input.min_length as number | undefined) ?? 0))
    throw new Error(`field ${id} is too short`)
  if (length > ((input.max_length as number | undefined) ?? 4000)) throw new Error(`field ${id} is too long`)
  return { type: input.type, custom_id: id, value }
}

/** Finds the component somebody clicks on in a message; throws when it is not there or disabled. */
export function findComponent(components: unknown, customId: string): Json {
  const found = search(components, customId)
  if (!found) throw new Error(`the message has no component ${customId}`)
  if (found.disabled) throw new Error(`component ${customId} is disabled`)
  return found
}

function search(components: unknown, customId: string): Json | null {
  if (!Array.isArray(components)) return null
  for (const component of components.filter(isObject)) {
    if (component.custom_id === customId) return component
    const below = search(component.components, customId) ?? search([component.accessory], customId)
    if (below) return below
  }
  return null
}
