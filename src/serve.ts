import { type Config, VERSION } from './config.ts'
import type { Calls } from './domain/calls.ts'
import type { Presences } from './domain/presences.ts'
import { startHttp } from './http/server.ts'
import type { Log } from './lib/log.ts'
import type { Metrics } from './lib/metrics.ts'
import { type Addresses, createAddresses } from './lib/semaphore.ts'
import type { RateLimiter } from './lib/token-bucket.ts'
import { createSequence } from './live/sequence.ts'
import type { SocketOptions } from './live/session.ts'
import { createEventStreams, type EventOptions } from './live/sse.ts'
import { createSockets } from './live/websocket.ts'

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

/**
 * Opens a door. It answers from the moment this returns.
 * @throws FatalError when the port cannot be opened
 */
export function serve({ sockets: socketOptions, events, ...deps }: ServeDeps): Serving {
  const { config, presences, metrics, log } = deps
  const addresses = deps.addresses ?? createAddresses(config.maxSocketsPerAddress)
  const shared = { presences, sequence: createSequence(), addresses, metrics, log }
  const sockets = createSockets({ ...shared, ...(socketOptions && { options: socketOptions }) })
  const streams = createEventStreams({ ...shared, ...(events && { options: events }) })
  function endConnections(): void {
    sockets.close()
    streams.close()
  }
  try {
    const http = startHttp({ ...deps, sockets, streams, addresses, version: VERSION })
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
