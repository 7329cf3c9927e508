import { readConfig } from '../../src/config.ts'
import { startHttp } from '../../src/http/server.ts'
import { createKeys } from '../../src/keys.ts'
import { createKv } from '../../src/kv.ts'
import type { Log } from '../../src/log.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createPresenceStore } from '../../src/presence-store.ts'
import { createPrivacy } from '../../src/privacy.ts'
import type { Readiness } from '../../src/readiness.ts'
import { createSockets } from '../../src/socket/sockets.ts'
import { openStore } from '../../src/store/sqlite.ts'
import { silent } from '../store/support/files.ts'

export const ANN = '100000000000000001'
export const BEN = '100000000000000002'
/** Not monitored. */
export const CLEO = '100000000000000003'

/** The real server on a real store, with Ann and Ben as members of a guild, and a key for each of three people. */
export async function startKvServer({ path = ':memory:', log = silent }: { path?: string; log?: Log } = {}) {
  const metrics = createMetrics()
  const store = openStore(path, { log, metrics })
  const presences = createPresenceStore()
  const kv = createKv(store, presences)
  const keys = createKeys(store)
  const privacy = createPrivacy(store, presences, [keys.forget])
  const sockets = createSockets({ presences, metrics, log })
  let readiness: Readiness = 'ready'
  const config = { ...readConfig({}), host: '127.0.0.1', port: 0 }
  const http = startHttp({
    config,
    presences,
    kv,
    keys,
    github: { account: () => null },
    readiness: () => readiness,
    metrics,
    log,
    sockets,
  })
  sockets.attach(http.server)
  for (const id of [ANN, BEN]) presences.putMember('1', { user: { id, username: 'x' } })

  return {
    url: http.url,
    presences,
    store,
    keys,
    privacy,
    metrics,
    ann: await keys.issue(ANN),
    ben: await keys.issue(BEN),
    cleo: await keys.issue(CLEO),
    be: (next: Readiness) => {
      readiness = next
    },
    stored: (id: string) => new Map(new Map(store.loadPairs()).get(id)),
    async [Symbol.asyncDispose]() {
      sockets.close()
      await http.stop()
      await store.close()
    },
  }
}

export type KvServer = Awaited<ReturnType<typeof startKvServer>>
