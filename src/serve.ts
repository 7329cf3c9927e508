import { type Config, VERSION } from './config.ts'
import type { Calls } from './domain/calls.ts'
import { Interest } from './domain/interest.ts'
import type { Presences, Source } from './domain/presences.ts'
import { WorkerPool } from './feed/pool.ts'
import { probePort } from './http/port.ts'
import { HttpServer } from './http/server.ts'
import { localUrl } from './lib/ip.ts'
import type { Log } from './lib/log.ts'
import type { Metrics } from './lib/metrics.ts'
import { Quota, type QuotaOptions } from './lib/quota.ts'
import { type Addresses, createAddresses } from './lib/semaphore.ts'
import type { RateLimiter } from './lib/token-bucket.ts'
import { Publisher } from './live/publisher.ts'
import type { SocketOptions } from './live/session.ts'
import { type EventOptions, EventStreams } from './live/sse.ts'
import { Sockets } from './live/websocket.ts'

/** All that serving needs. Who owns the truth may be in the same thread, or far away. */
export interface ServeDeps {
  readonly config: Config
  readonly presences: Presences
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  readonly sockets?: Partial<SocketOptions>
  readonly events?: Partial<EventOptions>
  /** Milliseconds that requests under way get when it stops. Default 5 s. */
  readonly grace?: number
  /** Whether others may listen at the same port. Default: nobody. */
  readonly reusePort?: boolean
  /** The only paths there are. Default: all. */
  readonly paths?: ReadonlySet<string> | undefined
  /** What counts the requests and connections of client addresses, where that is more than this door's own. */
  readonly limiter?: RateLimiter
  readonly addresses?: Addresses
  /** The numbers for Prometheus, where they are more than this door's own. */
  readonly numbers?: () => Promise<string>
}

/** A door: REST, sockets and event streams on one port. */
export interface Serving {
  /** Where it can be reached, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Ends sockets with 1001 and event streams, lets requests under way finish for a while. */
  stop(): Promise<void>
}

const MIB = 1024 * 1024
/** Bytes that clients may leave unread, whatever they asked for. The largest presence there can be is about 90 MiB. */
const UNREAD = { perAddress: 128 * MIB, total: 256 * MIB }
/**
 * Bytes for the names of people that sockets follow: 100,000 who are shown an address, or a million who are not; eight
 * times that together.
 */
const NAMES = { perAddress: 32 * MIB, total: 256 * MIB }

/** A door's share of what all doors of the process may hold, but never less than one address may. */
const share = ({ perAddress, total }: QuotaOptions, doors: number): QuotaOptions => {
  return { perAddress, total: Math.max(perAddress, total / doors) }
}

/**
 * Opens a door. It answers from the moment this returns.
 * @throws FatalError when the port cannot be opened
 */
export function serve({ sockets: socketOptions, events, ...deps }: ServeDeps): Serving {
  const { config, presences, metrics, log } = deps
  const addresses = deps.addresses ?? createAddresses(config.maxSocketsPerAddress)
  const unread = new Quota(share(UNREAD, config.workers))
  const interest = new Interest(config.profiles === 'on' ? deps.calls : undefined)
  const publisher = new Publisher({ presences })
  const shared = { presences, publisher, addresses, unread, metrics, log, interest }
  const options = { subscribeToAll: config.subscribeToAll === 'on', ...socketOptions }
  const sockets = new Sockets({ ...shared, names: new Quota(share(NAMES, config.workers)), options })
  const streams = new EventStreams({ ...shared, options: events })
  function endConnections(): void {
    publisher.close()
    sockets.close()
    streams.close()
  }
  try {
    const http = new HttpServer({ ...deps, sockets, streams, addresses, unread, interest, version: VERSION })
    return {
      url: http.url,
      port: http.port,
      stop() {
        endConnections()
        return http.stop()
      },
    }
  } catch (error) {
    endConnections()
    throw error
  }
}

/** One way in, or one for every thread that serves. */
export interface Doors {
  /** Where they can be reached, without a slash at the end. */
  readonly url: string
  /** Resolves when there is an answer: at once, or when the threads have started. Rejects with FatalError. */
  readonly listening: Promise<void>
  /** Resolves once every thread shows what the source shows now. */
  spread(): Promise<void>
  stop(): Promise<void>
}

interface DoorsDeps {
  readonly config: Config
  readonly source: Source
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  /** The only paths there are. Default: all. */
  readonly paths?: ReadonlySet<string> | undefined
}

/** @throws FatalError when the port cannot be opened */
export function openDoors({ source, paths, ...deps }: DoorsDeps): Doors {
  if (paths === undefined && threadsOf(deps) > 1) return openMany({ source, ...deps })
  const { url, stop } = serve({ ...deps, presences: source, paths })
  return { url, listening: Promise.resolve(), spread: async () => {}, stop }
}

/** A door for every thread, all of them at the same port. */
function openMany({ config, ...deps }: Omit<DoorsDeps, 'paths'>): Doors {
  const port = probePort(config.host, config.port)
  const pool = new WorkerPool({
    ...deps,
    // No door needs what the bot, GitHub and Redis are asked with.
    config: { ...config, port, botToken: undefined, githubToken: undefined, redisUrl: undefined },
    size: config.workers,
    spawn: () => new Worker(new URL('./worker.ts', import.meta.url)),
  })
  return {
    url: localUrl(config.host, port),
    listening: pool.start(),
    spread: () => pool.spread(),
    stop: () => pool.stop(),
  }
}

function threadsOf({ config: { workers }, log }: Pick<DoorsDeps, 'config' | 'log'>): number {
  if (workers === 1 || process.platform === 'linux') return workers
  log.info('only Linux shares a port between threads: WORKERS counts as 1')
  return 1
}
