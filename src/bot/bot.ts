import type { API } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import type { Arrivals } from '../domain/arrivals.ts'
import type { Github } from '../domain/github.ts'
import type { History } from '../domain/history.ts'
import type { Keys } from '../domain/keys.ts'
import type { Kv } from '../domain/kv.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Privacy } from '../domain/privacy.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { Addresses, type Instance } from './addresses.ts'
import { sendQuietly } from './command.ts'
import { readExposure } from './exposures.ts'
import { githubCommands } from './github.ts'
import { historyCommands } from './history.ts'
import { readInteraction } from './interaction.ts'
import { KeyDelivery, LeakGuard } from './key-delivery.ts'
import { keyCommands } from './keys.ts'
import { pairCommands } from './kv.ts'
import { Limits } from './limits.ts'
import { Identity, type Message, readMessage } from './message.ts'
import { PrefixCommands } from './prefix-commands.ts'
import { privacyCommands } from './privacy.ts'
import { Profiles } from './profile.ts'
import { commandDefinitions, registerCommands } from './registration.ts'
import { Registry } from './registry.ts'
import { Sender } from './sender.ts'
import { SlashCommands } from './slash-commands.ts'
import { Welcome } from './welcome.ts'

export interface BotDeps {
  readonly config: Pick<Config, 'commandPrefix' | 'externalUrl' | 'discordInvite' | 'welcomeChannel' | 'historyDays'> &
    Instance
  /** False: another copy answers for this bot, and this one does nothing at all. */
  readonly answers: boolean
  readonly api: API
  readonly presences: PresenceStore
  readonly kv: Kv
  readonly keys: Keys
  readonly privacy: Privacy
  readonly github: Github
  readonly history: History
  readonly arrivals: Arrivals
  readonly metrics: Metrics
  readonly log: Log
  /** Aborted when the bot is to stop: it takes nothing on any more, and gives up what waits for Discord. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Milliseconds after which an interaction's answer is deferred. */
  readonly deferAfter?: number
}

/** The bot: answers commands and buttons, and guards keys. */
export class Bot {
  readonly #deps: BotDeps
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #underWay = new Set<Promise<void>>()
  readonly #sender: Sender
  readonly #identity: Identity
  readonly #guard: LeakGuard
  readonly #registry: Registry
  readonly #prefixCommands: PrefixCommands
  readonly #slashCommands: SlashCommands

  constructor(deps: BotDeps) {
    const { config, api, presences, keys, metrics, log } = deps
    const { clock = systemClock, signal = new AbortController().signal, deferAfter = 2000 } = deps
    const { commandPrefix } = config
    this.#deps = deps
    this.#clock = clock
    this.#signal = signal
    const limits = new Limits(clock)
    const dropped = metrics.counter('bot_commands_dropped_total', 'Commands ignored because too many were under way')
    const sender = new Sender(api, { metrics, log, clock, signal, onForbidden: channelId => limits.mute(channelId) })
    this.#sender = sender
    this.#identity = new Identity(api, sender, log)
    const delivery = new KeyDelivery({ keys, sender, log, externalUrl: config.externalUrl })
    this.#guard = new LeakGuard({ keys, delivery, metrics, log, command: `${commandPrefix}apikey` })
    const addresses = new Addresses(config.externalUrl, config)
    const profiles = new Profiles({ presences, addresses, discordInvite: config.discordInvite })
    this.#registry = new Registry(
      commandGroups(deps, { clock, sender, delivery, addresses, profiles }),
      commandPrefix,
      addresses,
    )
    const whenErased = (userId: string) => deps.privacy.whenErased(userId)
    const shared = { registry: this.#registry, sender, limits, dropped, log, whenErased }
    const introduce = (userId: string) => profiles.introduce(userId, commandPrefix)
    this.#prefixCommands = new PrefixCommands({ ...shared, identity: this.#identity, commandPrefix, introduce })
    this.#slashCommands = new SlashCommands({ ...shared, api, guard: this.#guard, clock, deferAfter })
    if (!deps.answers) return
    const follow = (work: Promise<void>) => this.#follow(work)
    const channelId = config.welcomeChannel
    if (channelId !== undefined)
      new Welcome({ channelId, arrivals: deps.arrivals, sender, addresses, log, clock, signal, follow })
    keys.onExposed((owners, where) => follow(this.#guard.replace(owners, where)))
  }

  /** Takes any gateway dispatch. Never throws; what it starts goes on by itself. */
  handle(type: string, data: unknown): void {
    if (!this.#deps.answers || this.#signal.aborted) return
    try {
      const work = this.#dispatch(type, data)
      if (work !== undefined) this.#follow(work)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Resolves when everything under way is done. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Registers the commands; tries again until Discord takes them or the bot stops. Never rejects. */
  async register(applicationId: string): Promise<void> {
    const { answers, api, log } = this.#deps
    if (!answers) return
    await registerCommands(
      { api, log, clock: this.#clock },
      applicationId,
      commandDefinitions(this.#registry),
      this.#signal,
    )
  }

  #dispatch(type: string, data: unknown): Promise<void> | undefined {
    switch (type) {
      case 'MESSAGE_CREATE':
        return this.#onMessage(data, true)
      case 'MESSAGE_UPDATE':
        return this.#onMessage(data, false)
      case 'INTERACTION_CREATE':
        return this.#onInteraction(data)
      case 'READY':
        return this.#identity.learn(data) as undefined
      default:
        return this.#onOther(type, data) as undefined
    }
  }

  #onInteraction(data: unknown): Promise<void> | undefined {
    const interaction = readInteraction(data)
    return interaction === null ? undefined : this.#slashCommands.handle(interaction)
  }

  #onOther(type: string, data: unknown): void {
    const exposure = readExposure(type, data)
    if (exposure !== null) this.#deps.keys.expose(exposure.text, exposure.where)
  }

  #onMessage(data: unknown, isNew: boolean): Promise<void> | undefined {
    const message = readMessage(data)
    if (message === null || (message.authorId !== null && message.authorId === this.#identity.id)) return undefined
    const owners = this.#guard.leaked(message.text)
    if (owners.length > 0) return this.#onLeak(message, owners, isNew)
    return isNew ? this.#prefixCommands.handle(message) : undefined
  }

  /** A key comes before anything else the message may want. */
  async #onLeak(message: Message, owners: readonly string[], isNew: boolean): Promise<void> {
    if (!message.byPerson && (await this.#mayBeOwn(message))) return
    const { id, channelId, guildId } = message
    const place = guildId === null || channelId === null ? 'a direct message' : `a message in <#${channelId}>`
    const { reached, notice } = await this.#guard.protect(owners, place)
    const command = isNew && this.#prefixCommands.find(message) !== null
    if (id === null || channelId === null || (reached && !command)) return
    const text = command ? `${notice} The command was not carried out.` : notice
    await sendQuietly(reply => this.#sender.answer(channelId, id, reply), text)
  }

  /** The bot's own messages carry the keys it hands out; they must never be taken for leaks. */
  async #mayBeOwn({ authorId, guildId }: Message): Promise<boolean> {
    if (authorId === null) return guildId === null
    const own = await this.#identity.find()
    return own === null || own === authorId
  }

  #follow(work: Promise<void>): void {
    const done = work.catch(error => this.#fail(error)).finally(() => this.#underWay.delete(done))
    this.#underWay.add(done)
  }

  #fail(error: unknown): void {
    this.#deps.log.error('a message or interaction could not be handled', { error: describeError(error) })
  }
}

interface Tools {
  readonly clock: Clock
  readonly sender: Sender
  readonly delivery: KeyDelivery
  readonly addresses: Addresses
  readonly profiles: Profiles
}

/** In the order of `help`. */
function commandGroups(deps: BotDeps, { clock, sender, delivery, addresses, profiles }: Tools) {
  const { config, kv, presences, github, history, privacy, log } = deps
  return [
    profiles.commands(),
    pairCommands({ kv, presences, addresses }),
    keyCommands(delivery),
    githubCommands({ github, sender, log }),
    historyCommands({ history, addresses, days: config.historyDays }),
    privacyCommands({ privacy, presences, sender, addresses, now: clock.now }),
  ]
}
