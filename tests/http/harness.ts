import { connect } from 'node:net'
import { type Config, readConfig, VERSION } from '../../src/config.ts'
import { LocalCalls } from '../../src/domain/calls.ts'
import { Interest } from '../../src/domain/interest.ts'
import { hashKey, Keys } from '../../src/domain/keys.ts'
import { createKv, type Kv } from '../../src/domain/kv.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import type { Readiness } from '../../src/domain/presences.ts'
import { type HttpDeps, HttpServer } from '../../src/http/server.ts'
import { createLog } from '../../src/lib/log.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { Quota, type QuotaOptions } from '../../src/lib/quota.ts'
import { createAddresses } from '../../src/lib/semaphore.ts'
import { Publisher } from '../../src/live/publisher.ts'
import { type EventOptions, EventStreams } from '../../src/live/sse.ts'

export const ADA = '204255221017214977'
/** A live key of Ada's. */
export const KEY = 'exoix_adas-key'

export interface Options {
  config?: Partial<Config>
  readiness?: Readiness
  sockets?: Partial<HttpDeps['sockets']>
  kv?: Partial<Kv>
  grace?: number
  bodyPatience?: number
  /** Bytes that clients may leave unread. */
  unread?: Partial<QuotaOptions>
  events?: Partial<EventOptions>
  /** Told whose account somebody looks at. */
  looked?: (userId: string) => void
}

const UNBOUNDED = { perAddress: Number.POSITIVE_INFINITY, total: Number.POSITIVE_INFINITY }

/** The real server at a port of its own, with Ada online, one key, and sockets that echo. Stop it with `await using`. */
export function startServer({
  config,
  readiness = 'ready',
  sockets,
  kv,
  grace,
  bodyPatience,
  unread: bounds,
  events = {},
  looked = () => {},
}: Options = {}) {
  const presences = new PresenceStore()
  const metrics = createMetrics()
  const addresses = createAddresses(config?.maxSocketsPerAddress ?? 0)
  presences.setReadiness(readiness)
  const logged: string[] = []
  const keys = new Keys({
    loadKeys: () => [[hashKey(KEY), ADA]],
    replaceKeys: async () => {},
    deleteKeys: async () => {},
  })
  presences.putMember(
    '1',
    { user: { id: ADA, username: 'ada', discriminator: '0', avatar: null } },
    { status: 'online' },
  )
  const log = createLog({ level: 'info', format: 'text', write: line => logged.push(line) })
  const publisher = new Publisher({ presences })
  const unread = new Quota({ ...UNBOUNDED, ...bounds })
  const interest = new Interest(undefined)
  const shared = { presences, publisher, addresses, unread, interest, metrics, log }
  const streams = new EventStreams({ ...shared, options: events })
  const http = new HttpServer({
    config: { ...readConfig({}), host: '127.0.0.1', port: 0, rateLimitPerMinute: 0, ...config },
    presences,
    calls: new LocalCalls({
      kv: { ...createKv({ loadPairs: () => [], changePairs: async () => true }, presences), ...kv },
      keys,
      github: { looked },
    }),
    streams,
    addresses,
    interest,
    ...(grace !== undefined && { grace }),
    ...(bodyPatience !== undefined && { bodyPatience }),
    unread,
    metrics,
    log,
    version: VERSION,
    sockets: {
      websocket: { message: (socket, message) => void socket.send(message) },
      upgrade: (request, server) => server.upgrade(request, { data: {} }),
      admits: () => true,
      ...sockets,
    },
  })
  const stop = () => {
    publisher.close()
    streams.close()
    return http.stop()
  }
  return {
    url: http.url,
    port: http.port,
    presences,
    addresses,
    unread,
    eventStreams: streams,
    metrics,
    logged,
    /** Asks as a program would; bodies stay as they are on the wire. */
    get: (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
      fetch(http.url + path, { redirect: 'manual', headers, ...init }),
    raw: (text: string | Uint8Array) => raw(http.url, text),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Sends bytes as they are, which fetch would tidy up first, and reads until the server closes the connection. */
export function raw(url: string, text: string | Uint8Array): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(Number(port), hostname, () => void socket.write(text))
    socket.on('data', chunk => {
      answer += chunk.toString('latin1')
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

/** A request line and headers that end the connection after the answer. */
export function head(method: string, target: string, ...headers: string[]): string {
  return `${[`${method} ${target} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers].join('\r\n')}\r\n\r\n`
}

/** Status, headers and body of what {@link raw} read. */
export function parse(answer: string) {
  const [top = '', ...rest] = answer.split('\r\n\r\n')
  const [status = '', ...lines] = top.split('\r\n')
  const headers = new Headers(lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]))
  return { status: Number(status.split(' ')[1]), headers, body: rest.join('\r\n\r\n') }
}

/** The error code of a failure. */
export async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code
}

interface Data {
  discord_user: { id: string }
  discord_status: string
  activities: { name: string }[]
}

/** What is inside the success envelope. */
export async function dataOf(response: Response): Promise<Data> {
  return ((await response.json()) as { data: Data }).data
}
