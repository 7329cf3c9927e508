import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import { type BotMessage, createRecorder, type Recorder } from '../recorder.ts'
import type { Channel, Dispatch, Json, Message } from '../types.ts'
import { type Commands, CommandType } from './commands.ts'
import { commandData, findComponent, menuData, modalData, type OptionValues } from './interaction-data.ts'
import { CallbackType, InteractionType } from './interaction-rules.ts'
import { isEphemeral, type Messages } from './messages.ts'

interface Someone {
  userId: string
  /** Left out: in the DM with the bot. */
  guildId?: string
  locale?: string
}

/** Something a person does with the application. */
export type InteractionInit =
  | (Someone & { kind: 'command'; command: string; options?: OptionValues })
  /** A command in the menu of a person. */
  | (Someone & { kind: 'menu'; command: string; targetId: string })
  | (Someone & { kind: 'autocomplete'; command: string; options?: OptionValues; focused: string })
  | { kind: 'component'; userId: string; message: Message; customId: string; values?: string[]; locale?: string }
  | { kind: 'modal'; userId: string; modal: InteractionOutcome; fields: Record<string, string>; locale?: string }

/** How the bot answered first, and what came after. */
export interface InteractionOutcome {
  /** The interaction as it was sent. */
  readonly interaction: Json
  /** Callback type (4 message, 5 deferred, 6 and 7 updates, 8 choices, 9 modal). */
  readonly type: number
  readonly data: Json
  /** What the person sees of the answer now; null: nothing, or it was deleted. */
  message(): Message | null
  /** The answer, once there is one: at once for a message, when it is filled in for a deferred one. */
  reply(): Promise<Message>
  nextEdit(): Promise<BotMessage>
  nextFollowup(): Promise<BotMessage>
}

/** What is known of an interaction while its token lives. */
export interface OpenInteraction {
  readonly payload: Json
  readonly id: string
  readonly token: string
  readonly createdAt: number
  readonly channel: Channel
  state: 'waiting' | 'answered' | 'expired'
  /** Id of the message that `@original` names. */
  originalId: string | null
  /** A deferred answer still shows "thinking". */
  loading: boolean
  readonly events: Recorder<{ edit: BotMessage; followup: BotMessage }>
  answer(type: number, data: Json): void
}

export interface InteractionsOptions {
  world: World
  account: Account
  commands: Commands
  messages: Messages
  now: () => number
  emit: (event: Dispatch) => void
  /** How long the bot has for its first answer, milliseconds. */
  interactionTimeoutMs: number
}

interface Scene {
  type: number
  data: Json
  userId: string
  guildId: string | null
  channel: Channel
  message?: Message
  locale: string
}

const KEPT = 5000

/** Slash commands, autocomplete, buttons and modals (docs: Interactions, Receiving and Responding). */
export class Interactions {
  readonly #world: World
  readonly #account: Account
  readonly #messages: Messages
  readonly #now: () => number
  readonly #open = new Map<string, OpenInteraction>()
  readonly #options: InteractionsOptions

  constructor(options: InteractionsOptions) {
    this.#options = options
    this.#world = options.world
    this.#account = options.account
    this.#messages = options.messages
    this.#now = options.now
  }

  async interact(init: InteractionInit): Promise<InteractionOutcome> {
    const scene = this.#setScene(init)
    const id = this.#world.snowflake(this.#now())
    const token = `aW50${this.#world.random.base62(200)}`
    const payload = this.#buildPayload(scene, id, token)
    const { promise, resolve, reject } = Promise.withResolvers<{ type: number; data: Json }>()
    const interaction: OpenInteraction = {
      payload,
      id,
      token,
      createdAt: this.#now(),
      channel: scene.channel,
      state: 'waiting',
      originalId: scene.message?.id ?? null,
      loading: false,
      events: createRecorder(),
      answer: (type, data) => resolve({ type, data }),
    }
    this.#keep(interaction)
    const timer = setTimeout(() => {
      interaction.state = 'expired'
      reject(new Error(`the application did not respond to ${describe(scene)}`))
    }, this.#options.interactionTimeoutMs)
    this.#options.emit({ t: 'INTERACTION_CREATE', guildId: scene.guildId, intents: 0, d: payload })
    const answer = await promise.finally(() => clearTimeout(timer))
    return this.#outcome(interaction, answer)
  }

  byId(id: string, token: string): OpenInteraction | null {
    const found = this.#open.get(token)
    return found?.id === id ? found : null
  }

  byToken(token: string): OpenInteraction | null {
    return this.#open.get(token) ?? null
  }

  #keep(interaction: OpenInteraction): void {
    this.#open.set(interaction.token, interaction)
    const [oldest] = this.#open.keys()
    if (this.#open.size > KEPT && oldest !== undefined) this.#open.delete(oldest)
  }

  #setScene(init: InteractionInit): Scene {
    const { userId, locale = 'en-US' } = init
    if (!this.#world.user(userId)) throw new Error(`there is no simulated user ${userId}`)
    if (init.kind === 'component') return { ...this.#clickScene(init), userId, locale }
    if (init.kind === 'modal') return { ...this.#submitScene(init), userId, locale }
    const guildId = init.guildId ?? null
    const registered = this.#findOffered(init, guildId)
    const data =
      init.kind === 'menu'
        ? menuData(this.#world, registered, init.targetId)
        : commandData(this.#world, registered, init)
    const type = init.kind === 'autocomplete' ? InteractionType.autocomplete : InteractionType.command
    return { type, data, userId, guildId, channel: this.#place(userId, guildId), locale }
  }

  #findOffered({ kind, command }: InteractionInit & { command: string }, guildId: string | null): Json {
    const registered =
      kind === 'menu'
        ? this.#options.commands.find(command, guildId, CommandType.user)
        : this.#options.commands.find(command.split(' ')[0] ?? '', guildId)
    if (!registered) throw new Error(`no command /${command} is registered here`)
    const contexts = registered.contexts as number[] | null
    if (contexts && !contexts.includes(guildId === null ? 1 : 0)) throw new Error(`/${command} is not offered here`)
    return registered
  }

  #clickScene({ message: shown, customId, values, userId }: InteractionInit & { kind: 'component' }) {
    const message = this.#messages.find(shown.id)
    if (!message) throw new Error('the message is gone')
    const metadata = message.interaction_metadata as { user?: { id: string } } | undefined
    if (isEphemeral(message) && metadata?.user?.id !== userId) throw new Error('nobody else sees that message')
    const component = findComponent(message.components, customId)
    const data = { custom_id: customId, component_type: component.type, ...(values ? { values } : {}) }
    const channel = this.#world.channel(message.channel_id) as Channel
    return { type: InteractionType.component, data, guildId: message.guild_id ?? null, channel, message }
  }

  #submitScene({ modal, fields }: InteractionInit & { kind: 'modal' }) {
    if (modal.type !== CallbackType.modal) throw new Error('the bot opened no modal')
    const { guild_id: guildId, channel_id: channelId, message } = modal.interaction as { [key: string]: string } & Json
    const channel = this.#world.channel(String(channelId)) as Channel
    const scene = { type: InteractionType.modal, data: modalData(modal.data, fields), channel }
    return { ...scene, guildId: guildId ?? null, ...(message ? { message: message as unknown as Message } : {}) }
  }

  #place(userId: string, guildId: string | null): Channel {
    if (guildId === null) return this.#messages.dmChannel(userId)
    const guild = this.#world.guild(guildId)
    if (!guild.members.has(userId)) throw new Error(`user ${userId} is no member of guild ${guildId}`)
    return guild.channels[0] as Channel
  }

  #buildPayload(scene: Scene, id: string, token: string): Json {
    const { type, data, guildId, channel, message, locale } = scene
    return {
      id,
      application_id: this.#account.applicationId,
      type,
      data,
      token,
      version: 1,
      channel_id: channel.id,
      channel,
      app_permissions: '2248473465835073',
      locale,
      entitlements: [],
      attachment_size_limit: 10_485_760,
      authorizing_integration_owners: { '0': guildId ?? '0' },
      context: guildId === null ? 1 : 0,
      ...this.#person(scene),
      ...(message ? { message } : {}),
    }
  }

  /** `member` in a guild, `user` in a DM, never both. */
  #person({ userId, guildId }: Scene): Json {
    const user = this.#world.user(userId)
    if (guildId === null) return { user }
    const member = { user, permissions: '2248473465835073', ...this.#world.guild(guildId).members.get(userId) }
    return { guild_id: guildId, guild: { id: guildId, locale: 'en-US', features: [] }, guild_locale: 'en-US', member }
  }

  #outcome(interaction: OpenInteraction, { type, data }: { type: number; data: Json }): InteractionOutcome {
    const { events, payload } = interaction
    const message = () =>
      interaction.originalId === null ? null : (this.#messages.find(interaction.originalId) ?? null)
    const deferred = type === CallbackType.defer || type === CallbackType.deferUpdate
    const filled = deferred ? events.next('edit') : null
    return {
      interaction: payload,
      type,
      data,
      message: () => (type === CallbackType.choices || type === CallbackType.modal ? null : message()),
      async reply() {
        if (filled) return (await filled).message
        const shown = message()
        if (!shown || type === CallbackType.choices || type === CallbackType.modal)
          throw new Error('the answer is no message')
        return shown
      },
      nextEdit: () => events.next('edit'),
      nextFollowup: () => events.next('followup'),
    }
  }
}

function describe({ type, data }: Scene): string {
  return type === InteractionType.command || type === InteractionType.autocomplete
    ? `/${data.name}`
    : String(data.custom_id)
}
