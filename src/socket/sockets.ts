import type { Change, PresenceStore } from '../domain/presence-store.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import type { Sequence } from '../sequence.ts'
import { createBacklogs } from './backlogs.ts'
import { createHandlers } from './handlers.ts'
import { createInitialStates } from './initial-states.ts'
import { createInitializer } from './initializer.ts'
import { DEFAULTS, type SocketOptions } from './options.ts'
import { CLOSES } from './protocol.ts'
import { createSession, type Session, type Socket } from './session.ts'
import { createSubscriptions } from './subscriptions.ts'
import { createTopics, type Publisher } from './topics.ts'

export type { SocketOptions } from './options.ts'

/** The WebSocket side: who is connected, whom they follow, and every frame they get. */
export interface Sockets {
  /** Handlers for the server that listens. */
  readonly websocket: Bun.WebSocketHandler<Session>
  /** Whether one more socket may be opened from this address. If not, answer 429. */
  admits(address: string): boolean
  /** Turns a request for `/socket` into a WebSocket. False when it is not a request for one, or everything stops. */
  upgrade(request: Request, server: Upgrader, address: string): boolean
  /** Starts to tell changes, through the server that listens. */
  attach(server: Publisher): void
  /** Closes every socket with 1001 and lets go of the store. */
  close(): void
}

/** What of Bun's server is needed to accept a WebSocket. */
export interface Upgrader {
  upgrade(request: Request, options: { data: Session }): boolean
}

export interface SocketsDeps {
  presences: PresenceStore
  /** Numbers every frame. */
  sequence: Sequence
  addresses: Addresses
  metrics: Metrics
  log: Log
  options?: Partial<SocketOptions>
}

/** Stands in until the real one listens: there is nobody to tell anything yet. */
const NOBODY: Publisher = { publish: () => 0, subscriberCount: () => 0 }

export function createSockets(deps: SocketsDeps): Sockets {
  const { presences, sequence, addresses, metrics, log, options: given = {} } = deps
  const options = { ...DEFAULTS, ...given }
  const sockets = new Set<Socket>()
  const outbound = metrics.counter('messages_outbound', 'Messages sent to WebSocket clients')
  const slow = metrics.counter('slow_sockets_closed_total', 'WebSockets closed because the client did not read')
  const silent = metrics.counter('silent_sockets_closed_total', 'WebSockets closed because the client was silent')

  let server = NOBODY
  const publisher: Publisher = {
    publish: (topic, data) => server.publish(topic, data),
    subscriberCount: topic => server.subscriberCount(topic),
  }
  const subscriptions = createSubscriptions(options.maxSubscriptions)
  const backlogs = createBacklogs({ ...options, sockets, closeSlow })
  const topics = createTopics({
    presences,
    publisher,
    sequence,
    picky: subscriptions.picky,
    sockets,
    backlogs,
    outbound,
    maxQueuedBytes: options.maxQueuedBytes,
  })
  const initialStates = createInitialStates(presences, sequence)
  const initializer = createInitializer({
    maxQueuedBytes: options.maxQueuedBytes,
    presences,
    subscriptions,
    initialStates,
    topics,
    backlogs,
    onSent: () => outbound.inc(),
  })
  const websocket = createHandlers({
    options,
    sockets,
    addresses,
    subscriptions,
    backlogs,
    initializer,
    metrics,
    outbound,
  })

  metrics.gauge('connected_sessions', 'Open WebSockets', () => sockets.size)
  metrics.gauge('subscriptions', 'What WebSockets follow', () => subscriptions.everybody, { to: 'everybody' })
  metrics.gauge('subscriptions', 'What WebSockets follow', () => subscriptions.named, { to: 'one_user' })

  /** A close frame would never be read; ending the connection frees the memory at once. */
  function closeSlow(ws: Socket, queued: number): void {
    slow.inc()
    log.debug('closed a WebSocket whose client does not read', { queued })
    ws.terminate()
  }

  function change(change: Change): void {
    initialStates.outdated()
    if (sockets.size > 0) topics.change(change)
  }

  /** Bun's own idle timeout is of no use here: it starts anew with every message sent to the client. */
  function check(): void {
    const now = performance.now()
    for (const ws of sockets) {
      if (now - ws.data.heardAt < options.maxSilence) continue
      silent.inc()
      ws.terminate()
    }
    backlogs.checkProgress(now, initializer.crowded)
    initializer.roomMade() // so that no command waits for ever on a drain event that did not come
  }

  let detach: (() => void) | undefined

  return {
    websocket,
    admits: addresses.admits,
    upgrade(request, upgrader, address) {
      if (detach === undefined) return false
      const zlib = new URLSearchParams(queryOf(request.url)).get('compression') === 'zlib_json'
      return upgrader.upgrade(request, { data: createSession(zlib, address, options.frameBurst) })
    },
    attach(listening) {
      server = listening
      const stopListening = presences.onChange(change)
      const timer = setInterval(check, options.checkInterval)
      detach = () => {
        stopListening()
        clearInterval(timer)
      }
    },
    close() {
      topics.flush()
      initializer.stop()
      for (const ws of sockets) ws.close(CLOSES.goingAway.code, CLOSES.goingAway.reason)
      detach?.()
      detach = undefined
    },
  }
}

/** Not through URL: with a strange Host header, or none, there is no URL to be parsed. */
function queryOf(url: string): string {
  const at = url.indexOf('?')
  return at === -1 ? '' : url.slice(at)
}
