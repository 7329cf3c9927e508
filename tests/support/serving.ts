import { type Config, readConfig } from '../../src/config.ts'
import { LocalCalls } from '../../src/domain/calls.ts'
import { History } from '../../src/domain/history.ts'
import { Keys } from '../../src/domain/keys.ts'
import { createKv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { Privacy } from '../../src/domain/privacy.ts'
import type { Log } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { serve } from '../../src/serve.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from './app.ts'

export interface ServingOptions {
  /** Where the database is; default: in memory. */
  readonly path?: string
  readonly log?: Log
  readonly presences?: PresenceStore
  readonly config?: Partial<Config>
  readonly history?: Partial<ConstructorParameters<typeof History>[2]>
}

/**
 * The real door of a truth without Discord, at a port of its own and without limits: real rules over a real store. A test
 * puts people into `presences`. Stop it with `await using`.
 */
export function startServing({ path = ':memory:', log = silent, history: kept = {}, ...given }: ServingOptions = {}) {
  const { presences = new PresenceStore() } = given
  const metrics = createMetrics()
  const store = openStore(path, { log, metrics })
  const keys = new Keys(store)
  const kv = createKv(store, presences, keys)
  const privacy = new Privacy(store, { presences, kv, keys })
  const history = new History(store, presences, { days: 30, readPlaying: () => null, ...kept })
  history.begin()
  presences.setReadiness('ready')
  const config = { ...readConfig({}), host: '127.0.0.1', port: 0, maxSocketsPerAddress: 0, ...given.config }
  const calls = new LocalCalls({ kv, keys, github: { looked: () => {} }, history })
  const door = serve({ config, presences, calls, metrics, log })
  async function stop(): Promise<void> {
    await door.stop()
    await store.close()
  }

  return {
    url: door.url,
    port: door.port,
    presences,
    store,
    keys,
    privacy,
    history,
    metrics,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
