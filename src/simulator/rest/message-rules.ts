import { isObject } from '../gateway/identify.ts'
import type { Json } from '../types.ts'
import type { Problem } from './answers.ts'

/** Message flags (docs: Resources, Message, "Message Flags"). */
export const MessageFlag = {
  suppressEmbeds: 1 << 2,
  ephemeral: 1 << 6,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
}

const SENDABLE_FLAGS = MessageFlag.suppressEmbeds | MessageFlag.suppressNotifications | MessageFlag.componentsV2

/** Everything wrong with the body of a new or edited message (docs: Resources, Message, "Create Message"; "Embed Limits"). */
export function checkMessage(body: Json, { ephemeral = false } = {}): Problem[] {
  const problems: Problem[] = []
  if (body.content !== undefined && body.content !== null) text(problems, 'content', body.content, 0, 2000)
  if (body.embeds !== undefined && body.embeds !== null) checkEmbeds(problems, body.embeds)
  if (body.components !== undefined && body.components !== null) checkComponents(problems, body)
  if (body.allowed_mentions !== undefined && body.allowed_mentions !== null)
    checkAllowed(problems, body.allowed_mentions)
  const flags = body.flags ?? 0
  const allowedFlags = SENDABLE_FLAGS | (ephemeral ? MessageFlag.ephemeral : 0)
  if (!Number.isInteger(flags) || (flags as number) & ~allowedFlags) {
    problems.push({ path: 'flags', code: 'MESSAGE_FLAGS_INVALID', message: 'Cannot set these message flags.' })
  }
  return problems
}

/** Whether nothing would be seen: Discord answers 50006 (docs: JSON Error Codes). */
export function isEmptyMessage(body: Json): boolean {
  const filled = (list: unknown) => Array.isArray(list) && list.length > 0
  const content = typeof body.content === 'string' ? body.content.trim() : ''
  return (
    content === '' &&
    !['embeds', 'components', 'files', 'sticker_ids', 'attachments'].some(key => filled(body[key])) &&
    !body.poll
  )
}

/** A text of `from` to `to` characters (Unicode code points, as Discord counts). */
export function text(problems: Problem[], path: string, value: unknown, from: number, to: number): void {
  if (typeof value !== 'string') {
    problems.push({ path, code: 'BASE_TYPE_BAD_TYPE', message: 'Must be a string.' })
    return
  }
  const length = [...value].length
  if (length === 0 && from > 0) problems.push({ path, code: 'BASE_TYPE_REQUIRED', message: 'This field is required' })
  else if (length < from || length > to) {
    const code = length > to ? 'BASE_TYPE_MAX_LENGTH' : 'BASE_TYPE_BAD_LENGTH'
    const message = length > to ? `Must be ${to} or fewer in length.` : `Must be between ${from} and ${to} in length.`
    problems.push({ path, code, message })
  }
}

/** A list of `from` to `to` items. */
export function list(problems: Problem[], path: string, value: unknown, from: number, to: number): value is unknown[] {
  if (Array.isArray(value) && value.length >= from && value.length <= to) return true
  problems.push({ path, code: 'BASE_TYPE_BAD_LENGTH', message: `Must be between ${from} and ${to} in length.` })
  return false
}

function checkEmbeds(problems: Problem[], embeds: unknown): void {
  if (!list(problems, 'embeds', embeds, 0, 10)) return
  let total = 0
  for (const [index, embed] of embeds.entries()) {
    if (isObject(embed)) total += checkEmbed(problems, `embeds.${index}`, embed)
    else
      problems.push({
        path: `embeds.${index}`,
        code: 'MODEL_TYPE_CONVERT',
        message: 'Only dictionaries may be used in a ModelType',
      })
  }
  if (total <= 6000) return
  problems.push({ path: 'embeds', code: 'MAX_EMBED_SIZE_EXCEEDED', message: 'Embed size exceeds maximum size of 6000' })
}

/** Checks one embed and counts its characters. */
function checkEmbed(problems: Problem[], path: string, embed: Json): number {
  let total = 0
  const check = (key: string, value: unknown, from: number, to: number) => {
    if (value === undefined || value === null) return
    text(problems, `${path}.${key}`, value, from, to)
    total += typeof value === 'string' ? [...value].length : 0
  }
  check('title', embed.title, 0, 256)
  check('description', embed.description, 0, 4096)
  check('footer.text', (embed.footer as Json | undefined)?.text, 1, 2048)
  check('author.name', (embed.author as Json | undefined)?.name, 1, 256)
  for (const [index, field] of listOf(problems, `${path}.fields`, embed.fields, 25).entries()) {
    check(`fields.${index}.name`, isObject(field) ? (field.name ?? '') : '', 1, 256)
    check(`fields.${index}.value`, isObject(field) ? (field.value ?? '') : '', 1, 1024)
  }
  checkEmbedDetails(problems, path, embed)
  return total
}

function listOf(problems: Problem[], path: string, value: unknown, to: number): unknown[] {
  if (value === undefined || value === null) return []
  return list(problems, path, value, 0, to) ? value : []
}

function checkEmbedDetails(problems: Problem[], path: string, embed: Json): void {
  const { color, timestamp, url } = embed
  if (
    color !== undefined &&
    color !== null &&
    !(Number.isInteger(color) && (color as number) >= 0 && (color as number) <= 0xffffff)
  ) {
    problems.push({
      path: `${path}.color`,
      code: 'NUMBER_TYPE_MAX',
      message: 'int value should be between 0 and 16777215.',
    })
  }
  if (timestamp !== undefined && timestamp !== null && Number.isNaN(Date.parse(String(timestamp)))) {
    problems.push({
      path: `${path}.timestamp`,
      code: 'DATE_TIME_TYPE_PARSE',
      message: 'Could not parse. Should be ISO8601.',
    })
  }
  const urls = { url, 'thumbnail.url': (embed.thumbnail as Json)?.url, 'image.url': (embed.image as Json)?.url }
  for (const [key, value] of Object.entries(urls)) {
    if (value === undefined || value === null || /^(https?|attachment):\/\/./.test(String(value))) continue
    problems.push({ path: `${path}.${key}`, code: 'URL_TYPE_INVALID_URL', message: 'Not a well formed URL.' })
  }
}

/** Rows of buttons and selects; with the components flag set, anything goes but content and embeds (docs: Components, Reference). */
function checkComponents(problems: Problem[], body: Json): void {
  const modern = ((body.flags as number | undefined) ?? 0) & MessageFlag.componentsV2
  if (!list(problems, 'components', body.components, 0, modern ? 40 : 5) || modern) return
  const customIds = new Set<string>()
  for (const [index, row] of (body.components as unknown[]).entries()) {
    const path = `components.${index}`
    if (!isObject(row) || row.type !== 1) {
      problems.push({
        path: `${path}.type`,
        code: 'UNION_TYPE_CHOICES',
        message: 'Value of field "type" must be one of (1,).',
      })
    } else if (list(problems, `${path}.components`, row.components, 1, 5)) {
      for (const [place, component] of row.components.entries()) {
        checkComponent(problems, `${path}.components.${place}`, component, customIds)
      }
    }
  }
}

function checkComponent(problems: Problem[], path: string, component: unknown, customIds: Set<string>): void {
  if (!isObject(component) || ![2, 3, 5, 6, 7, 8].includes(component.type as number)) {
    problems.push({
      path: `${path}.type`,
      code: 'UNION_TYPE_CHOICES',
      message: 'Value of field "type" is not allowed here.',
    })
    return
  }
  const button = component.type === 2
  if (button && ![1, 2, 3, 4, 5, 6].includes(component.style as number)) {
    problems.push({
      path: `${path}.style`,
      code: 'BASE_TYPE_CHOICES',
      message: 'Value must be one of (1, 2, 3, 4, 5, 6).',
    })
  }
  if (button && component.label !== undefined) text(problems, `${path}.label`, component.label, 0, 80)
  if (component.type === 3) list(problems, `${path}.options`, component.options, 1, 25)
  if (button && (component.style as number) >= 5) return
  text(problems, `${path}.custom_id`, component.custom_id ?? '', 1, 100)
  const customId = String(component.custom_id)
  if (customIds.has(customId)) {
    const message = 'Component custom id cannot be duplicated'
    problems.push({ path: `${path}.custom_id`, code: 'COMPONENT_CUSTOM_ID_DUPLICATED', message })
  }
  customIds.add(customId)
}

function checkAllowed(problems: Problem[], allowed: unknown): void {
  const path = 'allowed_mentions'
  if (!isObject(allowed)) {
    problems.push({ path, code: 'MODEL_TYPE_CONVERT', message: 'Only dictionaries may be used in a ModelType' })
    return
  }
  const parse = listOf(problems, `${path}.parse`, allowed.parse, 3)
  for (const [index, kind] of parse.entries()) {
    if (['users', 'roles', 'everyone'].includes(String(kind))) continue
    const message = "Value must be one of ('roles', 'users', 'everyone')."
    problems.push({ path: `${path}.parse.${index}`, code: 'BASE_TYPE_CHOICES', message })
  }
  for (const kind of ['users', 'roles'] as const) {
    const named = listOf(problems, `${path}.${kind}`, allowed[kind], 100)
    if (named.length === 0 || !parse.includes(kind)) continue
    const message = `parse:["${kind}"] and ${kind}: [ids...] are mutually exclusive.`
    problems.push({ path, code: 'MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE', message })
  }
}

/** Whom a message notifies. */
interface Pings {
  users: string[]
  roles: string[]
  everyone: boolean
}

/** Ids of the users a text mentions, each once, in order. */
export function mentionedUsers(content: string): string[] {
  return unique(content.matchAll(/<@!?(\d{1,20})>/g))
}

function mentionedRoles(content: string): string[] {
  return unique(content.matchAll(/<@&(\d{1,20})>/g))
}

function unique(matches: Iterable<RegExpMatchArray>): string[] {
  return [...new Set([...matches].map(match => match[1] ?? ''))]
}

/**
 * Whom a message of the bot pings: what its text mentions, as far as `allowed_mentions` lets it, and the author of the
 * message it replies to (docs: Resources, Message, "Allowed Mentions Object"). Without the field everything pings.
 */
export function findPings(body: Json, repliedUserId: string | null): Pings {
  const content = typeof body.content === 'string' ? body.content : ''
  const allowed = body.allowed_mentions as {
    parse?: string[]
    users?: string[]
    roles?: string[]
    replied_user?: boolean
  }
  const users = mentionedUsers(content).filter(id => allows(allowed, 'users', id))
  const roles = mentionedRoles(content).filter(id => allows(allowed, 'roles', id))
  const pingsReplied = repliedUserId !== null && (allowed ? allowed.replied_user === true : true)
  if (pingsReplied && !users.includes(repliedUserId)) users.push(repliedUserId)
  const everyone = /@(everyone|here)\b/.test(content) && (allowed?.parse?.includes('everyone') ?? !allowed)
  return { users, roles, everyone }
}

function allows(
  allowed: { parse?: string[]; users?: string[]; roles?: string[] } | undefined,
  kind: 'users' | 'roles',
  id: string,
) {
  if (!allowed) return true
  return (allowed.parse?.includes(kind) ?? false) || (allowed[kind]?.includes(id) ?? false)
}
