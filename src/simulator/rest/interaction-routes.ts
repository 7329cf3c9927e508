import type { Account } from '../options.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Json, Message } from '../types.ts'
import { failure, invalidForm, json, noContent, type RestContext, type Route } from './answers.ts'
import { CallbackType, checkCallback } from './interaction-rules.ts'
import type { Interactions, OpenInteraction } from './interactions.ts'
import { checkMessage, isEmptyMessage } from './message-rules.ts'
import { isEphemeral, type Messages } from './messages.ts'

export interface InteractionRoutesOptions {
  account: Account
  interactions: Interactions
  messages: Messages
  recorder: BotRecorder
  now: () => number
}

/** How long follow-ups are possible. */
const TOKEN_LIVES_MS = 15 * 60_000
const LOADING = 1 << 7

const CALLBACK = /^\/interactions\/(?<interactionId>\d+)\/(?<token>[^/]+)\/callback$/
const WEBHOOK = /^\/webhooks\/(?<applicationId>\d+)\/(?<token>[^/]+)$/
const MESSAGE = /^\/webhooks\/(?<applicationId>\d+)\/(?<token>[^/]+)\/messages\/(?<messageId>@original|\d+)$/
/** The token in the address is all that is asked for. */
const OPEN = { open: true, unlimited: true }

/** Answers to interactions and what follows them (docs: Interactions, Receiving and Responding, "Endpoints"). */
export class InteractionRoutes {
  readonly routes: readonly Route[] = [
    { method: 'POST', path: CALLBACK, ...OPEN, answer: context => this.#respond(context) },
    { method: 'POST', path: WEBHOOK, ...OPEN, answer: context => this.#followUp(context) },
    { method: 'GET', path: MESSAGE, ...OPEN, answer: context => this.#withMessage(context, (_, found) => json(found)) },
    {
      method: 'PATCH',
      path: MESSAGE,
      ...OPEN,
      answer: context => this.#withMessage(context, (open, found) => this.#edit(open, found, context.body)),
    },
    {
      method: 'DELETE',
      path: MESSAGE,
      ...OPEN,
      answer: context => this.#withMessage(context, (_, found) => this.#remove(found)),
    },
  ]
  readonly #options: InteractionRoutesOptions

  constructor(options: InteractionRoutesOptions) {
    this.#options = options
  }

  #respond({ params, query, body }: RestContext): Response {
    const open = this.#options.interactions.byId(params.interactionId ?? '', params.token ?? '')
    if (!open || open.state === 'expired') return failure(404, 10062, 'Unknown interaction')
    if (open.state === 'answered') return failure(400, 40060, 'Interaction has already been acknowledged.')
    const data = (body.data ?? {}) as Json
    const problems = checkCallback(open.payload, body.type, data)
    if (problems.length > 0) return invalidForm(problems)
    const type = body.type as number
    if (type === CallbackType.reply && isEmptyMessage(data)) return failure(400, 50006, 'Cannot send an empty message')
    open.state = 'answered'
    this.#show(open, type, data)
    this.#options.recorder.record('callback', { interaction: open.payload, type, data })
    open.answer(type, data)
    return query.get('with_response') === 'true' ? json(this.#callbackResponse(open, type)) : noContent()
  }

  #show(open: OpenInteraction, type: number, data: Json): void {
    if (type === CallbackType.reply || type === CallbackType.defer) {
      open.loading = type === CallbackType.defer
      const flags = ((data.flags as number | undefined) ?? 0) | (open.loading ? LOADING : 0)
      const posted = this.#options.messages.post(open.channel, data, { ...this.#ownership(open), flags })
      open.originalId = posted.message.id
      if (!open.loading) this.#options.recorder.record('reply', posted)
    }
    const clicked = open.originalId === null ? undefined : this.#options.messages.find(open.originalId)
    if (type === CallbackType.update && clicked)
      this.#options.recorder.record('reply', this.#options.messages.patch(clicked, data))
  }

  #ownership({ payload }: OpenInteraction): Json {
    const user = (payload.member as Json | undefined)?.user ?? payload.user
    const metadata = { id: payload.id, type: payload.type, user, authorizing_integration_owners: {} }
    return {
      type: 20,
      webhook_id: this.#options.account.applicationId,
      application_id: this.#options.account.applicationId,
      interaction_metadata: metadata,
    }
  }

  #callbackResponse(open: OpenInteraction, type: number): Json {
    const original = open.originalId === null ? undefined : this.#options.messages.find(open.originalId)
    const interaction = {
      id: open.id,
      type: open.payload.type,
      response_message_id: original?.id,
      response_message_loading: open.loading,
      response_message_ephemeral: original ? isEphemeral(original) : false,
    }
    return { interaction, resource: { type, ...(original ? { message: original } : {}) } }
  }

  /** Runs `use` when the token still works. */
  #withToken({ params }: RestContext, use: (open: OpenInteraction) => Response): Response {
    const open =
      params.applicationId === this.#options.account.applicationId
        ? this.#options.interactions.byToken(params.token ?? '')
        : null
    if (open?.state !== 'answered') return failure(404, 10015, 'Unknown Webhook')
    if (this.#options.now() - open.createdAt > TOKEN_LIVES_MS) return failure(401, 50027, 'Invalid Webhook Token')
    return use(open)
  }

  #withMessage(context: RestContext, use: (open: OpenInteraction, found: Message) => Response): Response {
    return this.#withToken(context, open => {
      const id = context.params.messageId === '@original' ? open.originalId : context.params.messageId
      const found = this.#options.messages.find(id ?? '')
      return found?.author.id === this.#options.account.applicationId
        ? use(open, found)
        : failure(404, 10008, 'Unknown Message')
    })
  }

  #followUp(context: RestContext): Response {
    return this.#withToken(context, open => {
      const refusal = this.#refuse(context.body, true)
      if (refusal) return refusal
      const original = this.#options.messages.find(open.originalId ?? '')
      // The first follow-up of a deferred answer takes its place.
      if (open.loading && original) return this.#edit(open, original, context.body)
      const posted = this.#options.messages.post(open.channel, context.body, this.#ownership(open))
      this.#options.recorder.record('followup', posted)
      open.events.record('followup', posted)
      return json(posted.message)
    })
  }

  #refuse(body: Json, ephemeral: boolean): Response | null {
    const problems = checkMessage(body, { ephemeral })
    if (problems.length > 0) return invalidForm(problems)
    return isEmptyMessage(body) ? failure(400, 50006, 'Cannot send an empty message') : null
  }

  #edit(open: OpenInteraction, found: Message, body: Json): Response {
    const refusal = this.#refuse(open.loading ? body : { ...found, flags: 0, ...body }, true)
    if (refusal) return refusal
    // Whether it is ephemeral was settled when the answer was deferred.
    const flags = (found.flags as number) & ~LOADING
    const filling = found.id === open.originalId && open.loading
    if (filling) open.loading = false
    const edited = this.#options.messages.patch(found, { ...body, flags })
    this.#options.recorder.record(filling ? 'reply' : 'replyEdit', edited)
    open.events.record('edit', edited)
    return json(edited.message)
  }

  #remove(found: Message): Response {
    this.#options.messages.remove(found)
    this.#options.recorder.record('messageDelete', { channelId: found.channel_id, messageId: found.id })
    return noContent()
  }
}
