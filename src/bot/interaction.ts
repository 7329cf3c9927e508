import {
  type API,
  ApplicationCommandOptionType,
  ComponentType,
  MessageFlags,
  TextInputStyle,
} from '@discordjs/core/http-only'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { Clock } from '../lib/clock.ts'
import { type Form, type Reply, renderPrivately, renderReply } from './reply.ts'
import type { Sender } from './sender.ts'

/** What matters of an INTERACTION_CREATE. */
export interface Interaction {
  readonly id: string
  readonly token: string
  readonly applicationId: string
  /** Discord's InteractionType. */
  readonly type: unknown
  readonly userId: string
  readonly data: JsonObject
}

/** A slash command as it was invocation, finished or not. */
interface SlashInput {
  /** The command, or command and subcommand with a blank between. */
  readonly path: string
  readonly values: ReadonlyMap<string, string>
  /** The option being invocation, while it is being completed. */
  readonly focused: string | null
}

/** Null when it cannot be answered. Source: Discord docs, Interaction Object. */
export function readInteraction(payload: unknown): Interaction | null {
  if (!isObject(payload)) return null
  const { id, token, application_id, type, member } = payload
  const user = isObject(member) && isObject(member.user) ? member.user : payload.user
  const userId = isObject(user) ? user.id : undefined
  if (!isSnowflake(id) || !isSnowflake(application_id) || !isSnowflake(userId)) return null
  if (typeof token !== 'string' || !/^[\w.-]+$/.test(token)) return null
  return { id, token, applicationId: application_id, type, userId, data: isObject(payload.data) ? payload.data : {} }
}

export function readSlashInput({ data }: Interaction): SlashInput {
  const options = objects(data.options)
  const subcommand = options.find(option => option.type === ApplicationCommandOptionType.Subcommand)
  const path = [data.name, subcommand?.name].filter(word => typeof word === 'string').join(' ')
  const given = subcommand === undefined ? options : objects(subcommand.options)
  const focused = given.find(option => option.focused === true)
  return { path, values: valuesByName(given, 'name'), focused: typeof focused?.name === 'string' ? focused.name : null }
}

/** A command of a person's menu: its name, and the person's id as `user`. */
export function readMenuInput({ data }: Interaction): Pick<SlashInput, 'path' | 'values'> {
  const { name, target_id: target } = data
  return { path: typeof name === 'string' ? name : '', values: new Map(isSnowflake(target) ? [['user', target]] : []) }
}

/** The id of the button that was pressed or the form that was sent. */
export function readCustomId({ data }: Interaction): string {
  return typeof data.custom_id === 'string' ? data.custom_id : ''
}

/** Fields of a form by name, in whatever components Discord wraps them. */
export function readFields({ data }: Interaction): ReadonlyMap<string, string> {
  return valuesByName([...textInputs(data.components, 4)], 'custom_id')
}

function* textInputs(value: unknown, depth: number): Generator<JsonObject> {
  if (depth === 0) return
  for (const component of isObject(value) ? [value] : objects(value)) {
    if (component.type === ComponentType.TextInput) yield component
    else yield* textInputs(component.components ?? component.component, depth - 1)
  }
}

function valuesByName(list: readonly JsonObject[], nameField: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>()
  for (const { [nameField]: name, value } of list) {
    if (typeof name !== 'string') continue
    if (typeof value === 'string' || typeof value === 'number') values.set(name, String(value))
  }
  return values
}

const objects = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

interface ResponderDeps {
  readonly api: API
  readonly sender: Sender
  readonly clock: Clock
  /** Discord gives up after 3 s; the answer is deferred after this many milliseconds. */
  readonly deferAfter: number
}

/** Answers one interaction: at once, or, when that takes long, by filling in a deferred answer. */
export class Responder {
  readonly #deps: ResponderDeps
  readonly #interaction: Interaction
  readonly #replaces: boolean
  readonly #cancelDeferral: () => void
  #answered = false
  #deferred: Promise<unknown> | null = null

  /** @param replaces whether the reply takes the place of the message with the button */
  constructor(deps: ResponderDeps, interaction: Interaction, replaces: boolean) {
    this.#deps = deps
    this.#interaction = interaction
    this.#replaces = replaces
    this.#cancelDeferral = deps.clock.after(deps.deferAfter, () => this.#defer())
  }

  /** The first reply answers, any other follows up. Rejects with UndeliveredError. */
  readonly reply = (reply: Reply | string): Promise<void> => this.#deps.sender.send(() => this.#answer(reply))

  readonly openForm = (form: Form): Promise<void> => {
    const { api, sender } = this.#deps
    const { id, token } = this.#interaction
    this.#answered = true
    this.#cancelDeferral()
    return sender.send(() => api.interactions.createModal(id, token, renderForm(form)))
  }

  /** No answer is to come any more. */
  close(): void {
    this.#cancelDeferral()
  }

  #defer(): void {
    const { interactions } = this.#deps.api
    const { id, token } = this.#interaction
    const flags = MessageFlags.Ephemeral
    const request = this.#replaces
      ? interactions.deferMessageUpdate(id, token)
      : interactions.defer(id, token, { flags })
    // When this fails, so does the reply, which is logged.
    this.#deferred = request.catch(() => {})
  }

  #answer(reply: Reply | string): Promise<unknown> {
    const { interactions } = this.#deps.api
    const { id, token, applicationId } = this.#interaction
    if (this.#answered) return interactions.followUp(applicationId, token, renderPrivately(reply))
    this.#answered = true
    this.#cancelDeferral()
    if (this.#deferred !== null) {
      return this.#deferred.then(() => interactions.editReply(applicationId, token, renderReply(reply)))
    }
    return this.#replaces
      ? interactions.updateMessage(id, token, renderReply(reply))
      : interactions.reply(id, token, renderPrivately(reply))
  }
}

function renderForm({ id, title, field }: Form) {
  const input = {
    type: ComponentType.TextInput as const,
    style: TextInputStyle.Paragraph,
    custom_id: field.name,
    label: field.label,
    max_length: field.maxLength,
    required: false,
    ...(field.value !== '' && { value: field.value }),
  }
  return { custom_id: id, title, components: [{ type: ComponentType.ActionRow as const, components: [input] }] }
}
