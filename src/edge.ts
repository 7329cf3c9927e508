import type { Config } from './config.ts'
import { FatalError } from './domain/errors.ts'
import { HINTS } from './domain/operator.ts'
import { Replica } from './feed/replica.ts'
import { readRedis } from './feed/settings.ts'
import { Tail } from './feed/tail.ts'
import { SECOND } from './lib/clock.ts'
import type { Log } from './lib/log.ts'
import { createMetrics } from './lib/metrics.ts'
import { openDoors } from './serve.ts'

/** A running edge: it serves what a hub somewhere tells over Redis. */
export interface Edge {
  /** Where it listens. */
  readonly url: string
  /** Resolves when there is an answer there. Rejects with FatalError. */
  readonly listening: Promise<void>
  /** Resolves when everybody is known. */
  readonly whenWhole: Promise<void>
  stop(): Promise<void>
}

interface EdgeOptions {
  readonly log: Log
  readonly onFatal?: (error: FatalError) => void
}

/**
 * Serves without a bot and a database. Answers are given from the moment this returns; whom the hub shows is known soon
 * after.
 * @throws FatalError when the port cannot be opened, or no Redis is named
 */
export function startEdge(config: Config, { log, onFatal = () => {} }: EdgeOptions): Edge {
  const settings = readRedis(config)
  if (settings === undefined) throw new FatalError(HINTS.redisMissing)
  const metrics = createMetrics()
  const replica = new Replica()
  const tail = new Tail({
    settings,
    replica,
    spread: () => doors.spread(),
    staleAfter: config.serveStaleSeconds * SECOND,
    log,
    metrics,
  })
  const doors = openDoors({ config, source: replica, calls: tail.calls, metrics, log })
  tail.start()
  const listening = doors.listening.then(() => log.info('listening', { url: doors.url, edge: true }))
  listening.catch(onFatal)
  return {
    url: doors.url,
    listening,
    whenWhole: tail.whenWhole,
    async stop() {
      await doors.stop()
      await tail.stop()
    },
  }
}
