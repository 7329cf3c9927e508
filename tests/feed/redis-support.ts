import { LocalCalls } from '../../src/domain/calls.ts'
import type { FatalError } from '../../src/domain/errors.ts'
import type { RedisSettings } from '../../src/feed/link.ts'
import { RedisHub } from '../../src/feed/redis-hub.ts'
import { Replica } from '../../src/feed/replica.ts'
import { Tail } from '../../src/feed/tail.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import type { Truth } from '../domain/serving-contract.ts'

const log = createLog({ level: process.env.TEST_LOG === undefined ? 'silent' : 'debug', format: 'text' })

export interface HubOptions {
  readonly owner?: string
  readonly term?: number
  readonly onFatal?: (error: FatalError) => void
  readonly leaseLasts?: number
}

/** A hub that tells of a truth. */
export function startHub(
  settings: RedisSettings,
  truth: Truth,
  { owner = 'one', term = 0, onFatal, leaseLasts }: HubOptions = {},
) {
  const metrics = createMetrics()
  const identity = { loadHub: async () => ({ owner, term }), saveTerm: async () => {} }
  const hub = new RedisHub({
    settings,
    identity,
    source: truth.presences,
    calls: new LocalCalls(truth),
    staleAfter: 60_000,
    leaseLasts,
    log,
    metrics,
    onFatal:
      onFatal ??
      (error => {
        throw error
      }),
  })
  const forget = truth.presences.copies.add(hub)
  hub.start()
  return {
    hub,
    metrics,
    async stop() {
      forget()
      await hub.stop()
    },
  }
}

/** An edge without a door. */
export function startEdge(settings: RedisSettings, staleAfter = 60_000) {
  const replica = new Replica()
  const metrics = createMetrics()
  const tail = new Tail({ settings, replica, spread: async () => {}, staleAfter, log, metrics })
  tail.start()
  return { replica, tail, metrics }
}
