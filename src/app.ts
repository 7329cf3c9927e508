import type { Config, Environment } from './config.ts'
import type { FatalError } from './domain/errors.ts'
import { createHub, type Hub } from './hub.ts'
import { createLog, type Log } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { type Serving, serve } from './serve.ts'
import { openStore, type Store } from './store/sqlite.ts'

/** A running Exoix. */
export interface App extends Pick<Hub, 'presences' | 'gateway'> {
  /** Where it listens, e.g. `http://127.0.0.1:4001`. */
  readonly url: string
  /** Stops taking requests, finishes what is under way, closes sockets with 1001, keeps everything. Within seconds. */
  stop(): Promise<void>
}

export interface AppOptions {
  env?: Environment
  log?: Log
  /** Told once when only the operator can go on: the token was refused, an intent is switched off. */
  onFatal?: (error: FatalError) => void
}

/**
 * A hub and a door in one thread. Answers are given from the moment this returns; Discord is connected to meanwhile.
 * Throws FatalError (port in use, database unusable) with nothing left running.
 */
export function startApp(config: Config, { env = {}, onFatal = () => {}, ...options }: AppOptions = {}): App {
  const log = options.log ?? createAppLog(config)
  const metrics = createMetrics()
  const store = openStore(config.databasePath, { log, metrics })
  try {
    const hub = createHub({ config, store, metrics, log, env, onFatal })
    const door = serve({ config, presences: hub.presences, calls: hub.calls, metrics, log })
    hub.start()
    log.info('listening', { url: door.url, monitored: hub.presences.size })
    return { url: door.url, presences: hub.presences, gateway: hub.gateway, stop: () => stop(hub, door, store) }
  } catch (error) {
    void store.close()
    throw error
  }
}

async function stop(hub: Hub, door: Serving, store: Store): Promise<void> {
  await Promise.all([hub.disconnect(), door.stop()])
  await hub.save()
  await store.close()
}

/** The log as the settings ask for it, blind to every secret in them. */
export function createAppLog({ logLevel, logFormat, botToken, githubToken }: Config): Log {
  return createLog({
    level: logLevel,
    format: logFormat,
    secrets: [botToken, githubToken].filter(secret => secret !== undefined),
  })
}
