import { type Control, openControl } from './commands/control.ts'
import type { Config, Environment } from './config.ts'
import type { Application } from './discord/intents.ts'
import type { FatalError } from './domain/errors.ts'
import { inviteUrl } from './domain/operator.ts'
import { RedisHub } from './feed/redis-hub.ts'
import { readRedis } from './feed/settings.ts'
import { createHub, type Hub } from './hub.ts'
import { SECOND } from './lib/clock.ts'
import type { Log } from './lib/log.ts'
import { createMetrics, type Metrics } from './lib/metrics.ts'
import { createAppLog } from './logging.ts'
import { type Doors, openDoors } from './serve.ts'
import { openStore, type Store } from './store/sqlite.ts'

/** A running Exoix. */
export interface App extends Pick<Hub, 'presences' | 'gateway'> {
  /** Where it listens, e.g. `http://127.0.0.1:4001`. */
  readonly url: string
  /** Resolves when it answers there: at once, or when the threads that serve have started. Rejects with FatalError. */
  readonly listening: Promise<void>
  /** Stops taking requests, finishes what is under way, closes sockets with 1001, keeps everything. Within seconds. */
  stop(): Promise<void>
}

export interface AppOptions {
  env?: Environment
  log?: Log
  /** Told once when only the operator can go on: the token was refused, an intent is switched off. */
  onFatal?: (error: FatalError) => void
  /** Whether it serves itself, or leaves that to edges. Default: it does. */
  role?: 'all' | 'hub'
}

/**
 * A hub and a door in one thread, which answers from the moment this returns; or a hub and as many threads that serve as
 * WORKERS says, which take a moment. Discord is connected to meanwhile.
 * Throws FatalError (port in use, database unusable) with nothing left running.
 */
export function startApp(
  config: Config,
  { env = {}, onFatal = () => {}, role = 'all', ...options }: AppOptions = {},
): App {
  const log = options.log ?? createAppLog(config)
  const metrics = createMetrics()
  const store = openStore(config.databasePath, { log, metrics, maxPairsMib: config.maxPairsMib })
  try {
    const hub = createHub({ config, store, metrics, log, env, onFatal })
    const { presences, gateway, calls } = hub
    const paths = role === 'hub' ? HUB_PATHS : undefined
    const doors = openDoors({ config, source: presences, calls, metrics, log, paths })
    presences.copies.add(doors)
    const redis = openRedis({ config, hub, store, metrics, log, onFatal })
    const control = openControl(config.databasePath, hub, log)
    const application = hub.start()
    redis?.start()
    const listening = doors.listening.then(() => {
      log.info('listening', { url: doors.url, monitored: presences.size })
      // A hub shows no pages itself.
      const base = config.externalUrl ?? (role === 'hub' ? undefined : doors.url)
      void application.then(known => sayAddresses(known, base, log))
    })
    listening.catch(onFatal)
    return { url: doors.url, listening, presences, gateway, stop: () => stop({ hub, doors, control, store, redis }) }
  } catch (error) {
    void store.close()
    throw error
  }
}

/** Where to go on from a start: to a server, and to the page of whoever runs this. */
function sayAddresses(application: Application | undefined, base: string | undefined, log: Log): void {
  if (application === undefined) return
  log.info('add the bot to a server', { url: inviteUrl(application.id) })
  if (application.ownerId !== undefined && base !== undefined)
    log.info('you', { url: `${base}/?user=${application.ownerId}` })
}

/** What a hub that does not serve answers all the same. */
const HUB_PATHS: ReadonlySet<string> = new Set(['/health', '/health/serving', '/metrics'])

interface Parts {
  readonly hub: Hub
  readonly doors: Doors
  readonly control: Control
  readonly store: Store
  readonly redis: RedisHub | undefined
}

async function stop({ hub, doors, control, store, redis }: Parts): Promise<void> {
  await Promise.all([hub.disconnect(), doors.stop(), control.stop()])
  await redis?.stop()
  await hub.save()
  await store.close()
}

/** What Discord may take to tell what happened while there was no hub. Milliseconds. */
const SETTLING = 30 * SECOND

/** Tells edges over Redis, where the settings name one. */
function openRedis({ config, hub, store, metrics, log, onFatal }: RedisDeps): RedisHub | undefined {
  const settings = readRedis(config)
  if (settings === undefined) return undefined
  const { presences, calls, gateway } = hub
  const staleAfter = config.serveStaleSeconds * SECOND
  // Whoever starts with nobody tells nothing that is older than what was told before.
  const settled = presences.size === 0 ? Promise.resolve() : Promise.race([gateway.whenLoaded, Bun.sleep(SETTLING)])
  const redis = new RedisHub({
    settled,
    settings,
    identity: store,
    source: presences,
    calls,
    staleAfter,
    log,
    metrics,
    onFatal,
  })
  presences.copies.add(redis)
  return redis
}

interface RedisDeps extends Required<Pick<AppOptions, 'log' | 'onFatal'>> {
  readonly config: Config
  readonly hub: Hub
  readonly store: Store
  readonly metrics: Metrics
}
