import type { API } from '@discordjs/core/http-only'
import type { Config } from '../config.ts'
import type { Github } from '../domain/github.ts'
import type { Keys } from '../domain/keys.ts'
import type { Kv } from '../domain/kv.ts'
import { isObject, isSnowflake } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Privacy } from '../domain/privacy.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import { tell } from './command.ts'
import { githubCommands } from './github.ts'
import { readInteraction } from './interaction.ts'
import { createGuard, createKeyDesk } from './key-delivery.ts'
import { keyCommands } from './keys.ts'
import { pairCommands } from './kv.ts'
import { createLimits } from './limits.ts'
import { createIdentity, type Message, readMessage } from './message.ts'
import { createTypedCommands } from './prefix-commands.ts'
import { privacyCommands } from './privacy.ts'
import { registerCommands, slashDefinitions } from './registration.ts'
import { createTable } from './registry.ts'
import { createOutbox } from './sender.ts'
import { createInteractions } from './slash-commands.ts'

/** The bot: answers commands and buttons, and guards keys. */
export interface Bot {
  /** Takes any gateway dispatch. Never throws; what it starts goes on by itself. */
  handle(type: string, data: unknown): void
  /** Resolves when everything under way is done. */
  idle(): Promise<void>
  /** Registers the slash commands; tries again until Discord takes them or the signal is aborted. Never rejects. */
  register(applicationId: string, signal?: AbortSignal): Promise<void>
}

export interface BotDeps {
  config: Pick<Config, 'commandPrefix' | 'externalUrl'>
  /** False: another copy answers for this bot, and this one does nothing at all. */
  answers: boolean
  api: API
  presences: PresenceStore
  kv: Kv
  keys: Keys
  privacy: Privacy
  github: Github
  metrics: Metrics
  log: Log
  clock?: Clock
  /** Milliseconds after which an interaction's answer is deferred. */
  deferAfter?: number
}

export function createBot(options: BotDeps): Bot {
  const { config, api, presences, kv, keys, privacy, github, metrics, log } = options
  const { answers, clock = systemClock, deferAfter = 2000 } = options
  const { commandPrefix, externalUrl } = config
  const underWay = new Set<Promise<void>>()
  const dropped = metrics.counter('bot_commands_dropped_total', 'Commands ignored because too many were under way')
  const limits = createLimits(clock.now)
  const outbox = createOutbox({ api, metrics, log, onForbidden: limits.mute })
  const identity = createIdentity(api, log)
  const desk = createKeyDesk({ keys, outbox, log, commandPrefix, externalUrl })
  const guard = createGuard({ keys, desk, metrics, log })
  const nouns = [
    pairCommands({ kv, presences, externalUrl }),
    keyCommands(desk),
    githubCommands({ github, outbox, log }),
    privacyCommands({ privacy, presences, now: clock.now }),
  ]
  const table = createTable(nouns, commandPrefix)
  const typed = createTypedCommands({ table, outbox, limits, identity, dropped, log, commandPrefix })
  const interact = createInteractions({ api, table, outbox, limits, guard, dropped, log, clock, deferAfter })

  function onMessage(data: unknown, isNew: boolean): Promise<void> | undefined {
    const message = readMessage(data)
    if (message === null || (message.authorId !== null && message.authorId === identity.id())) return undefined
    const owners = guard.leaked(message.text)
    if (owners.length > 0) return onLeak(message, owners, isNew)
    return isNew ? typed.handle(message) : undefined
  }

  /** A key comes before anything else the message may want. */
  async function onLeak(message: Message, owners: readonly string[], isNew: boolean): Promise<void> {
    if (!message.byPerson && (await mayBeOwn(message))) return
    const { id, channelId, guildId } = message
    const place = guildId === null || channelId === null ? 'a direct message' : `a message in <#${channelId}>`
    const { reached, notice } = await guard.protect(owners, place)
    const command = isNew && typed.find(message) !== null
    if (id === null || channelId === null || (reached && !command)) return
    const text = command ? `${notice} The command was not carried out.` : notice
    await tell(reply => outbox.answer(channelId, id, reply), text)
  }

  /** The bot's own messages carry the keys it hands out; they must never be taken for leaks. */
  async function mayBeOwn({ authorId, guildId }: Message): Promise<boolean> {
    if (authorId === null) return guildId === null
    const own = await identity.find()
    return own === null || own === authorId
  }

  function dispatch(type: string, data: unknown): Promise<void> | undefined {
    if (type === 'MESSAGE_CREATE') return onMessage(data, true)
    if (type === 'MESSAGE_UPDATE') return onMessage(data, false)
    if (type === 'READY') learnIdentity(data)
    const interaction = type === 'INTERACTION_CREATE' ? readInteraction(data) : null
    return interaction === null ? undefined : interact(interaction)
  }

  function learnIdentity(data: unknown): void {
    if (isObject(data) && isObject(data.user) && isSnowflake(data.user.id)) identity.know(data.user.id)
  }

  function follow(work: Promise<void>): void {
    const done = work.catch(fail).finally(() => underWay.delete(done))
    underWay.add(done)
  }

  function fail(error: unknown): void {
    log.error('a message or interaction could not be handled', { error: describeError(error) })
  }

  if (answers) keys.onExposed((owners, where) => follow(guard.replace(owners, where).then(() => {})))

  return {
    handle(type, data) {
      if (!answers) return
      try {
        const work = dispatch(type, data)
        if (work !== undefined) follow(work)
      } catch (error) {
        fail(error)
      }
    },
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay)
    },
    async register(applicationId, signal = new AbortController().signal) {
      if (answers) await registerCommands({ api, log, clock }, applicationId, slashDefinitions(table), signal)
    },
  }
}
