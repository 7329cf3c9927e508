import { type Bot, createBot } from './bot/bot.ts'
import { answersCommands, type Config, type Environment } from './config.ts'
import { createGateway, type Gateway } from './discord/gateway.ts'
import { createSavedState } from './domain/checkpoint.ts'
import { FatalError } from './domain/errors.ts'
import { createKeys } from './domain/keys.ts'
import { createKv } from './domain/kv.ts'
import { createPresenceStore, type PresenceStore } from './domain/presence-store.ts'
import { createPrivacy, createRetention, type Retention } from './domain/privacy.ts'
import { createGithub } from './github/github.ts'
import { startHttp } from './http/server.ts'
import { createLog, describeError, type Log } from './lib/log.ts'
import { createMetrics, type Metrics } from './lib/metrics.ts'
import { createAddresses } from './lib/semaphore.ts'
import { createSequence } from './live/sequence.ts'
import { createSockets } from './live/websocket.ts'
import { openStore, type Store } from './store/sqlite.ts'

/** A running Exoix. */
export interface App {
  /** Where it listens, e.g. `http://127.0.0.1:4001`. */
  readonly url: string
  readonly presences: PresenceStore
  readonly gateway: Gateway
  /** Stops taking requests, finishes what is under way, closes sockets with 1001, keeps everything. Within seconds. */
  stop(): Promise<void>
}

export interface AppOptions {
  env?: Environment
  log?: Log
  /** Told once when only the operator can go on: the token was refused, an intent is switched off. */
  onFatal?: (error: FatalError) => void
}

type WireOptions = AppOptions & { log: Log; metrics: Metrics }

/** How often it is asked whether a day has passed since pairs of people who left were looked for. Milliseconds. */
const RETENTION_CHECK = 10 * 60 * 1000
const DAY = 24 * 60 * 60 * 1000

/**
 * Wires every room together, in the order in which they need each other, and starts serving. Answers are given from the
 * moment this returns; Discord is connected to meanwhile. Throws FatalError (port in use, database unusable) with
 * nothing left running.
 */
export function startApp(config: Config, options: AppOptions = {}): App {
  const log = options.log ?? createAppLog(config)
  const metrics = createMetrics()
  const store = openStore(config.databasePath, { log, metrics })
  try {
    return wire(config, store, { ...options, log, metrics })
  } catch (error) {
    void store.close()
    throw error
  }
}

function wire(config: Config, store: Store, { env = {}, onFatal = () => {}, log, metrics }: WireOptions): App {
  const presences = createPresenceStore()
  const kv = createKv(store, presences)
  const keys = createKeys(store)
  const github = createGithub({ config, store, metrics, log })
  const privacy = createPrivacy(store, presences, [keys.forget, github.forget])
  const retention = createRetention(store, presences, config.kvRetentionDays)
  const state = createSavedState(store, presences, log)
  const sequence = createSequence()
  const addresses = createAddresses(config.maxSocketsPerAddress)
  const sockets = createSockets({ presences, sequence, addresses, metrics, log })
  const gateway = createGateway({
    config,
    presences,
    metrics,
    log,
    onFatal,
    onEvent: (type, data) => bot.handle(type, data),
    session: state.sessions,
  })
  const answers = answersCommands(config, env)
  const bot = createBot({ config, answers, api: gateway.api, presences, kv, keys, privacy, github, metrics, log })
  const { readiness } = gateway
  const told = { presences, sequence, addresses, metrics, log }
  const http = startHttp({ ...told, config, kv, keys, github, readiness, sockets })
  sockets.attach(http.server)
  const stopRetention = sweepDaily(retention, gateway, log)
  const stopping = new AbortController()
  void connect(gateway, bot, onFatal, stopping.signal)
  log.info('listening', { url: http.url, monitored: presences.size })

  return {
    url: http.url,
    presences,
    gateway,
    async stop() {
      stopping.abort()
      github.stop()
      stopRetention()
      sockets.close()
      await Promise.all([gateway.stop(), http.stop(), bot.idle()])
      await state.stop()
      await store.close()
    },
  }
}
/** The log as the settings ask for it, blind to every secret in them. */
export function createAppLog({ logLevel, logFormat, botToken, githubToken }: Config): Log {
  return createLog({
    level: logLevel,
    format: logFormat,
    secrets: [botToken, githubToken].filter(secret => secret !== undefined),
  })
}

async function connect(
  gateway: Gateway,
  bot: Bot,
  onFatal: (error: FatalError) => void,
  signal: AbortSignal,
): Promise<void> {
  try {
    await gateway.start()
    const application = gateway.application()
    if (application !== undefined) await bot.register(application.id, signal)
  } catch (error) {
    onFatal(error instanceof FatalError ? error : new FatalError(describeError(error)))
  }
}

/** Only while all members are known: whoever is not among them counts as gone. */
function sweepDaily(retention: Retention, gateway: Gateway, log: Log): () => void {
  let next = 0
  async function check(): Promise<void> {
    if (Date.now() < next || gateway.readiness() !== 'ready') return
    next = Date.now() + DAY
    try {
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
