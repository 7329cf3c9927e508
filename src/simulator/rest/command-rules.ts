import { isObject } from '../gateway/identify.ts'
import type { Json } from '../types.ts'
import type { Problem } from './answers.ts'
import { list, text } from './message-rules.ts'

/** Docs: Interactions, Application Commands, "Application Command Naming". */
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u
const OptionType = { subcommand: 1, group: 2, string: 3, integer: 4, number: 10, channel: 7 } as const
const KINDS: Record<string, readonly number[]> = {
  min_length: [OptionType.string],
  max_length: [OptionType.string],
  min_value: [OptionType.integer, OptionType.number],
  max_value: [OptionType.integer, OptionType.number],
  channel_types: [OptionType.channel],
  choices: [OptionType.string, OptionType.integer, OptionType.number],
  autocomplete: [OptionType.string, OptionType.integer, OptionType.number],
}

/** Everything wrong with a set of commands, as the bulk overwrite reports it (docs: Application Commands). */
export function checkCommands(commands: unknown): Problem[] {
  const problems: Problem[] = []
  if (!Array.isArray(commands)) {
    return [{ path: '', code: 'LIST_TYPE_CONVERT', message: 'Only iterables may be used in a ListType' }]
  }
  const names = new Set<string>()
  const counts = new Map<unknown, number>()
  for (const [index, command] of commands.entries()) {
    if (!isObject(command)) {
      problems.push({
        path: String(index),
        code: 'MODEL_TYPE_CONVERT',
        message: 'Only dictionaries may be used in a ModelType',
      })
      continue
    }
    const type = command.type ?? 1
    checkCommand(problems, String(index), command, type)
    counts.set(type, (counts.get(type) ?? 0) + 1)
    const key = `${type} ${command.name}`
    if (names.has(key))
      problems.push(
        duplicate(`${index}.name`, 'APPLICATION_COMMANDS_DUPLICATE_NAME', 'Application command names must be unique'),
      )
    names.add(key)
  }
  for (const [type, limit] of [
    [1, 100],
    [2, 15],
    [3, 15],
  ] as const) {
    if ((counts.get(type) ?? 0) > limit)
      problems.push(
        duplicate('', 'APPLICATION_COMMANDS_MAX', `Maximum number of application commands reached (${limit}).`),
      )
  }
  return problems
}

function duplicate(path: string, code: string, message: string): Problem {
  return { path, code, message }
}

function checkCommand(problems: Problem[], path: string, command: Json, type: unknown): void {
  if (![1, 2, 3].includes(type as number)) {
    problems.push({ path: `${path}.type`, code: 'BASE_TYPE_CHOICES', message: 'Value must be one of (1, 2, 3).' })
  } else if (type === 1) {
    checkName(problems, `${path}.name`, command.name)
    text(problems, `${path}.description`, command.description ?? '', 1, 100)
    checkOptions(problems, path, command.options, 0)
  } else {
    text(problems, `${path}.name`, command.name ?? '', 1, 32)
    if (command.description)
      problems.push(
        duplicate(
          `${path}.description`,
          'APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_NOT_ALLOWED',
          'Context menu commands cannot have description',
        ),
      )
  }
  checkNumbers(problems, `${path}.contexts`, command.contexts, [0, 1, 2])
  checkNumbers(problems, `${path}.integration_types`, command.integration_types, [0, 1])
  if (longestText(command) > 8000)
    problems.push(duplicate(path, 'APPLICATION_COMMAND_TOO_LARGE', 'Command exceeds maximum size (8000)'))
}

function checkName(problems: Problem[], path: string, name: unknown): void {
  if (typeof name === 'string' && NAME.test(name) && name === name.toLowerCase()) return
  const message = 'Command name is invalid'
  problems.push({ path, code: name ? 'APPLICATION_COMMAND_INVALID_NAME' : 'BASE_TYPE_REQUIRED', message })
}

function checkNumbers(problems: Problem[], path: string, value: unknown, allowed: readonly number[]): void {
  if (value === undefined || value === null) return
  const fits =
    Array.isArray(value) && value.every(entry => allowed.includes(entry)) && new Set(value).size === value.length
  if (!fits)
    problems.push({ path, code: 'BASE_TYPE_CHOICES', message: `Value must be one of (${allowed.join(', ')}).` })
}

function checkOptions(problems: Problem[], parent: string, options: unknown, depth: number): void {
  if (options === undefined || options === null) return
  const path = `${parent}.options`
  if (!list(problems, path, options, 0, 25)) return
  const names = new Set<unknown>()
  let optional = false
  for (const [index, option] of options.entries()) {
    if (!isObject(option)) {
      problems.push({
        path: `${path}.${index}`,
        code: 'MODEL_TYPE_CONVERT',
        message: 'Only dictionaries may be used in a ModelType',
      })
      continue
    }
    checkOption(problems, `${path}.${index}`, option, depth)
    if (names.has(option.name))
      problems.push(
        duplicate(
          `${path}.${index}.name`,
          'APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS',
          'Option name already exists',
        ),
      )
    names.add(option.name)
    if (option.required && optional)
      problems.push(
        duplicate(
          `${path}.${index}`,
          'APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID',
          'Required options must be placed before non-required options',
        ),
      )
    optional ||= !option.required
  }
  checkMixture(problems, path, options.filter(isObject))
}

/** Subcommands stand beside subcommands only. */
function checkMixture(problems: Problem[], path: string, options: Json[]): void {
  const nested = options.filter(option => option.type === OptionType.subcommand || option.type === OptionType.group)
  if (nested.length === 0 || nested.length === options.length) return
  problems.push(
    duplicate(
      path,
      'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID',
      'Sub-command and sub-command group option types are mutually exclusive to all other types',
    ),
  )
}

function checkOption(problems: Problem[], path: string, option: Json, depth: number): void {
  const { type } = option
  checkName(problems, `${path}.name`, option.name)
  text(problems, `${path}.description`, option.description ?? '', 1, 100)
  if (!Number.isInteger(type) || (type as number) < 1 || (type as number) > 11) {
    problems.push({
      path: `${path}.type`,
      code: 'BASE_TYPE_CHOICES',
      message: 'Value must be one of (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11).',
    })
    return
  }
  const tooDeep = (type === OptionType.group && depth > 0) || (type === OptionType.subcommand && depth > 1)
  if (tooDeep)
    problems.push(
      duplicate(`${path}.type`, 'APPLICATION_COMMAND_OPTIONS_TYPE_INVALID', 'Nesting of this type is not allowed'),
    )
  for (const [key, kinds] of Object.entries(KINDS)) {
    if (option[key] === undefined || option[key] === null || option[key] === false || kinds.includes(type as number))
      continue
    problems.push(
      duplicate(`${path}.${key}`, 'APPLICATION_COMMAND_OPTION_FIELD_INVALID', `${key} does not go with this type`),
    )
  }
  if (type === OptionType.subcommand || type === OptionType.group)
    checkOptions(problems, path, option.options, depth + 1)
  else checkValueOption(problems, path, option)
}

function checkValueOption(problems: Problem[], path: string, option: Json): void {
  const { choices, autocomplete, min_length: min, max_length: max } = option
  if (autocomplete && Array.isArray(choices) && choices.length > 0) {
    problems.push(
      duplicate(path, 'APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES', 'Autocomplete cannot be set with choices'),
    )
  }
  if (min !== undefined && !isBetween(min, 0, 6000)) problems.push(range(`${path}.min_length`, 0, 6000))
  if (max !== undefined && !isBetween(max, 1, 6000)) problems.push(range(`${path}.max_length`, 1, 6000))
  if (choices !== undefined && choices !== null) checkChoices(problems, `${path}.choices`, choices, option.type)
}

function range(path: string, from: number, to: number): Problem {
  return { path, code: 'NUMBER_TYPE_RANGE', message: `int value should be between ${from} and ${to}.` }
}

function isBetween(value: unknown, from: number, to: number): boolean {
  return Number.isInteger(value) && (value as number) >= from && (value as number) <= to
}

/** At most 25 choices with values of the option's type; used for autocomplete answers too. */
export function checkChoices(problems: Problem[], path: string, choices: unknown, type: unknown): void {
  if (!list(problems, path, choices, 0, 25)) return
  for (const [index, choice] of choices.entries()) {
    const { name, value } = isObject(choice) ? choice : {}
    text(problems, `${path}.${index}.name`, name ?? '', 1, 100)
    if (type === OptionType.string) text(problems, `${path}.${index}.value`, value, 0, 100)
    else if (typeof value !== 'number')
      problems.push({ path: `${path}.${index}.value`, code: 'NUMBER_TYPE_COERCE', message: 'Value is not a number.' })
  }
}

/** Characters of all names, descriptions and string values together (docs: Application Commands, limits). */
function longestText(command: Json): number {
  const own = [command.name, command.description].reduce<number>(
    (sum, part) => sum + (typeof part === 'string' ? part.length : 0),
    0,
  )
  const below = [command.options, command.choices].flatMap(part => (Array.isArray(part) ? part.filter(isObject) : []))
  return below.reduce(
    (sum, part) => sum + longestText(part) + (typeof part.value === 'string' ? part.value.length : 0),
    own,
  )
}
