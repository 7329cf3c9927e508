import { type API, ComponentType, MessageFlags, TextInputStyle } from '@discordjs/core/http-only'
import type { Clock } from '../../lib/clock.ts'
import type { Interaction } from './interaction.ts'
import type { Outbox } from './outbox.ts'
import { type Form, type Reply, renderPrivately, renderReply } from './reply.ts'

/** Answers one interaction: at once, or, when that takes long, by filling in a deferred answer. */
export interface Responder {
  /** The first reply answers, any other follows up. Rejects with UndeliveredError. */
  reply(reply: Reply | string): Promise<void>
  openForm(form: Form): Promise<void>
  /** No answer is to come any more. */
  close(): void
}

export interface ResponderDeps {
  api: API
  outbox: Outbox
  clock: Clock
  /** Discord gives up after 3 s; the answer is deferred after this many milliseconds. */
  deferAfter: number
}

/** @param replaces whether the reply takes the place of the message with the button */
export function createResponder(deps: ResponderDeps, interaction: Interaction, replaces: boolean): Responder {
  const { interactions } = deps.api
  const { id, token, applicationId } = interaction
  let answered = false
  let deferred: Promise<unknown> | null = null

  const cancelDeferral = deps.clock.after(deps.deferAfter, () => {
    const flags = MessageFlags.Ephemeral
    const request = replaces ? interactions.deferMessageUpdate(id, token) : interactions.defer(id, token, { flags })
    // When this fails, so does the reply, which is logged.
    deferred = request.catch(() => {})
  })

  function answer(reply: Reply | string): Promise<unknown> {
    if (answered) return interactions.followUp(applicationId, token, renderPrivately(reply))
    answered = true
    cancelDeferral()
    if (deferred !== null) {
      return deferred.then(() => interactions.editReply(applicationId, token, renderReply(reply)))
    }
    return replaces
      ? interactions.updateMessage(id, token, renderReply(reply))
      : interactions.reply(id, token, renderPrivately(reply))
  }

  return {
    reply: reply => deps.outbox.send(() => answer(reply)),
    openForm(form) {
      answered = true
      cancelDeferral()
      return deps.outbox.send(() => interactions.createModal(id, token, renderForm(form)))
    },
    close: cancelDeferral,
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
