import { Bot } from './bot/bot.ts'
import { answersCommands, type Config, type Environment } from './config.ts'
import { DiscordAppIcons } from './discord/app-icons.ts'
import { Gateway } from './discord/gateway.ts'
import type { Application } from './discord/intents.ts'
import { DiscordProfiles } from './discord/profiles.ts'
import { DiscordRest } from './discord/rest.ts'
import { Arrivals } from './domain/arrivals.ts'
import { type Calls, LocalCalls } from './domain/calls.ts'
import { Checkpoint } from './domain/checkpoint.ts'
import { Pictures } from './domain/discord-cdn.ts'
import { FatalError } from './domain/errors.ts'
import { History } from './domain/history.ts'
import { Keys } from './domain/keys.ts'
import { createKv } from './domain/kv.ts'
import { Moderation } from './domain/moderation.ts'
import { readNowPlaying } from './domain/music.ts'
import type { JsonObject } from './domain/presence.ts'
import { PresenceStore } from './domain/presence-store.ts'
import { createRetention, Privacy, type Retention } from './domain/privacy.ts'
import { GithubConnection } from './github/github.ts'
import { DAY, MINUTE, systemClock } from './lib/clock.ts'
import { describeError, type Log } from './lib/log.ts'
import type { Metrics } from './lib/metrics.ts'
import { proxyFor } from './lib/proxy.ts'
import type { Store } from './store/sqlite.ts'

export interface HubDeps {
  readonly config: Config
  readonly store: Store
  readonly metrics: Metrics
  readonly log: Log
  readonly env: Environment
  /** Told once when only the operator can go on: the token was refused, an intent is switched off. */
  readonly onFatal: (error: FatalError) => void
}

/** The one owner of the truth: Discord, the bot, GitHub and what is kept. Doors see `presences` and `calls`, no more. */
export interface Hub {
  readonly presences: PresenceStore
  readonly calls: Calls
  readonly gateway: Gateway
  /** For whoever runs this. */
  readonly moderation: Moderation
  /** Keeps what is else kept every few seconds. */
  keepAll(): Promise<void>
  /** Connects to Discord. Resolves with the bot's application; undefined when it stopped or failed before that. */
  start(): Promise<Application | undefined>
  /** Ends what is under way with Discord and GitHub. */
  disconnect(): Promise<void>
  /** Keeps everything a last time; the store may be closed then. */
  save(): Promise<void>
}

/** How often it is asked whether a day has passed since pairs of people who left were looked for. Milliseconds. */
const RETENTION_CHECK = 10 * MINUTE

/** Everything the store has kept is in memory when this returns: it can be served before Discord is connected. */
export function createHub({ config, store, metrics, log, env, onFatal }: HubDeps): Hub {
  const pictures = new Pictures(config)
  const presences = new PresenceStore(systemClock, pictures, config.monitor)
  const keys = new Keys(store, { log })
  const kv = createKv(store, presences, keys)
  const github = new GithubConnection({ config, store, presences, metrics, log })
  const history = openHistory(config, store, presences, pictures)
  const arrivals = new Arrivals(store, presences, [...store.loadHidden(), ...store.loadExcluded()])
  const memories = [github, arrivals, history]
  const forget = memories.map(memory => (userId: string) => memory.forget(userId))
  const privacy = new Privacy(store, { presences, kv, keys, history, forget }, { log })
  const retention = createRetention(store, presences, config.kvRetentionDays, userId => history.forget(userId))
  const checkpoint = new Checkpoint(store, presences, log, history)
  history.begin()
  const rest = new DiscordRest(config, log)
  const shared = { config, api: rest.api, presences, metrics, log }
  const profiles = openProfiles(config, { ...shared, rest, store: store.profiles })
  if (profiles !== undefined) forget.push(userId => profiles.forget(userId))
  const icons = new DiscordAppIcons({ rest, store: store.icons, metrics, log })
  const gateway = new Gateway({
    ...shared,
    onFatal,
    sessions: checkpoint,
    proxyFor: address => proxyFor(address, env),
  })
  const answers = answersCommands(config, env)
  const stopping = new AbortController()
  const { signal } = stopping
  const bot = new Bot({ ...shared, answers, kv, keys, privacy, github, history, arrivals, signal })
  gateway.onEvent(({ type, data }) => bot.handle(type, data))
  let stopRetention = () => {}

  return {
    presences,
    calls: new LocalCalls({ kv, keys, github, history, icons, profiles }),
    gateway,
    moderation: new Moderation(privacy, keys),
    keepAll: () => checkpoint.saveAll(),
    start() {
      stopRetention = sweepDaily({ retention, history, presences, log })
      return connect(gateway, bot, onFatal)
    },
    async disconnect() {
      stopping.abort()
      github.stop()
      profiles?.stop()
      stopRetention()
      // Answers that wait for a pause are given up; the bot is idle as soon as they are.
      await Promise.all([gateway.stop(), rest.stop(), bot.idle()])
    },
    async save() {
      await Promise.all([checkpoint.stop(), keys.stop(), privacy.stop()])
    },
  }
}

function openHistory(config: Config, store: Store, presences: PresenceStore, pictures: Pictures): History {
  const readPlaying = (activities: readonly JsonObject[]) => readNowPlaying(activities, pictures)
  return new History(store, presences, { days: config.historyDays, readPlaying })
}

function openProfiles(config: Config, deps: ConstructorParameters<typeof DiscordProfiles>[0]) {
  return config.profiles === 'on' ? new DiscordProfiles(deps) : undefined
}

async function connect(
  gateway: Gateway,
  bot: Bot,
  onFatal: (error: FatalError) => void,
): Promise<Application | undefined> {
  try {
    await gateway.start()
    const application = gateway.application()
    if (application !== undefined) void bot.register(application.id)
    return application
  } catch (error) {
    onFatal(error instanceof FatalError ? error : new FatalError(describeError(error)))
    return undefined
  }
}

interface Sweeping {
  readonly retention: Retention
  readonly history: History
  readonly presences: PresenceStore
  readonly log: Log
}

/** Only while all members are known: whoever is not among them counts as gone. */
function sweepDaily({ retention, history, presences, log }: Sweeping): () => void {
  let next = 0
  async function check(): Promise<void> {
    if (Date.now() < next || presences.readiness !== 'ready') return
    next = Date.now() + DAY
    try {
      await history.prune()
      const people = await retention.sweep()
      if (people > 0) log.info('removed the pairs of people who left every server long ago', { people })
    } catch (error) {
      log.warn('pairs of people who left could not be looked through', { error: describeError(error) })
    }
  }
  const timer = setInterval(() => void check(), RETENTION_CHECK)
  timer.unref()
  return () => clearInterval(timer)
}
