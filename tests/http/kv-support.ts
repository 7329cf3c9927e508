import type { Readiness } from '../../src/domain/presences.ts'
import type { Log } from '../../src/lib/log.ts'
import { issueKey } from '../support/keys.ts'
import { startServing } from '../support/serving.ts'

export const ANN = '100000000000000001'
export const BEN = '100000000000000002'
/** Not monitored. */
export const CLEO = '100000000000000003'

/** The real server on a real store, with Ann and Ben as members of a guild, and a key for each of three people. */
export async function startKvServer(options: { path?: string; log?: Log } = {}) {
  const serving = startServing(options)
  const { keys, presences, store } = serving
  for (const id of [ANN, BEN]) presences.putMember('1', { user: { id, username: 'x' } })
  return {
    ...serving,
    ann: await issueKey(keys, ANN),
    ben: await issueKey(keys, BEN),
    cleo: await issueKey(keys, CLEO),
    be: (next: Readiness) => presences.setReadiness(next),
    stored: (id: string) => new Map(new Map(store.loadPairs()).get(id)),
  }
}

export type KvServer = Awaited<ReturnType<typeof startKvServer>>

export type Sent = string | Uint8Array<ArrayBuffer> | ReadableStream

interface Ask {
  key?: string
  body?: Sent
  headers?: Record<string, string>
}

/** What people do with their pairs over REST. */
export function kvClient(server: KvServer) {
  async function ask(method: string, path: string, { key, body, headers = {} }: Ask = {}) {
    const authorization: Record<string, string> = key === undefined ? {} : { Authorization: key }
    const response = await fetch(server.url + path, {
      method,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { body }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) }
  }

  return {
    ask,
    /** As Ann. */
    put: (path: string, body: Sent, headers?: Record<string, string>) =>
      ask('PUT', path, { key: server.ann, body, ...(headers && { headers }) }),
    /** As Ann. */
    patch: (body: Sent, id = ANN) => ask('PATCH', `/v1/users/${id}/kv`, { key: server.ann, body }),
    /** The pairs in the presence. */
    shown: async (id = ANN) => (await ask('GET', `/v1/users/${id}`)).json().data.kv,
    /** Removes everybody's pairs. */
    async clear() {
      const keys = [server.ann, server.ben, server.cleo]
      for (const key of keys) await ask('DELETE', '/v1/users/@me/kv', { key })
    },
  }
}

export const failure = (code: string, message: string) => ({ success: false, error: { code, message } })
export const NO_PERMISSION = failure('no_permission', 'You do not have permission to access this resource')
export const NOT_MONITORED = failure('user_not_monitored', 'User is not being monitored by Exoix')
export const LIMIT = failure('kv_validation_failed', 'request would exceed key limit (512), please delete keys first')
export const numbered = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, '']))
