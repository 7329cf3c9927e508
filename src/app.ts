import type { Config, Environment } from './config.ts'
import type { FatalError } from './domain/errors.ts'
import { WorkerPool } from './feed/pool.ts'
import { probePort } from './http/check.ts'
import { createHub, type Hub } from './hub.ts'
import { localUrl } from './lib/ip.ts'
import { createLog, type Log } from './lib/log.ts'
import { createMetrics, type Metrics } from './lib/metrics.ts'
import { serve } from './serve.ts'
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
}

/**
 * A hub and a door in one thread, which answers from the moment this returns; or a hub and as many threads that serve as
 * WORKERS says, which take a moment. Discord is connected to meanwhile.
 * Throws FatalError (port in use, database unusable) with nothing left running.
 */
export function startApp(config: Config, { env = {}, onFatal = () => {}, ...options }: AppOptions = {}): App {
  const log = options.log ?? createAppLog(config)
  const metrics = createMetrics()
  const store = openStore(config.databasePath, { log, metrics, maxPairsMib: config.maxPairsMib })
  try {
    const hub = createHub({ config, store, metrics, log, env, onFatal })
    const door = openDoor({ config, hub, metrics, log })
    hub.start()
    const listening = door.listening.then(() => {
      log.info('listening', { url: door.url, monitored: hub.presences.size })
    })
    listening.catch(onFatal)
    const { presences, gateway } = hub
    return { url: door.url, listening, presences, gateway, stop: () => stop(hub, door, store) }
  } catch (error) {
    void store.close()
    throw error
  }
}

async function stop(hub: Hub, door: Door, store: Store): Promise<void> {
  await Promise.all([hub.disconnect(), door.stop()])
  await hub.save()
  await store.close()
}

interface Door {
  readonly url: string
  readonly listening: Promise<void>
  stop(): Promise<void>
}

interface DoorDeps {
  readonly config: Config
  readonly hub: Pick<Hub, 'presences' | 'calls'>
  readonly metrics: Metrics
  readonly log: Log
}

/** @throws FatalError when the port cannot be opened */
function openDoor({ config, hub, metrics, log }: DoorDeps): Door {
  const { presences, calls } = hub
  if (threadsOf(config, log) > 1) return openDoors({ config, hub, metrics, log })
  const { url, stop } = serve({ config, presences, calls, metrics, log })
  return { url, listening: Promise.resolve(), stop }
}

/** One door for every thread that serves, all of them at the same port. */
function openDoors({ config, hub, metrics, log }: DoorDeps): Door {
  const port = probePort(config.host, config.port)
  const pool = new WorkerPool({
    // No door needs what the bot and GitHub are asked with.
    config: { ...config, port, botToken: undefined, githubToken: undefined },
    size: config.workers,
    spawn: () => new Worker(new URL('./worker.ts', import.meta.url)),
    source: hub.presences,
    calls: hub.calls,
    metrics,
    log,
  })
  hub.presences.copies.add(pool)
  return { url: localUrl(config.host, port), listening: pool.start(), stop: () => pool.stop() }
}

function threadsOf({ workers }: Config, log: Log): number {
  if (workers === 1 || process.platform === 'linux') return workers
  log.info('only Linux shares a port between threads: WORKERS counts as 1')
  return 1
}

/** The log as the settings ask for it, blind to every secret in them. */
export function createAppLog({ logLevel, logFormat, botToken, githubToken }: Config): Log {
  return createLog({
    level: logLevel,
    format: logFormat,
    secrets: [botToken, githubToken].filter(secret => secret !== undefined),
  })
}
