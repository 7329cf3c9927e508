import type { Config } from '../config.ts'
import type { Calls } from '../domain/calls.ts'
import { FatalError } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import { describeError, forwardLog, type Log } from '../lib/log.ts'
import { createMetrics, type Metrics } from '../lib/metrics.ts'
import type { Addresses } from '../lib/semaphore.ts'
import { SharedAddresses, SharedRateLimiter } from '../lib/shared-limits.ts'
import type { RateLimiter } from '../lib/token-bucket.ts'
import type { FromThread, ToThread } from './port.ts'
import { RemoteCalls } from './remote-calls.ts'
import { Replica } from './replica.ts'

/** What a door is made of in a thread that owns nothing. */
export interface ThreadDoorDeps {
  readonly config: Config
  readonly presences: Presences
  readonly calls: Calls
  readonly metrics: Metrics
  readonly log: Log
  readonly limiter: RateLimiter
  readonly addresses: Addresses
  /** The numbers of all threads as Prometheus text. */
  readonly numbers: () => Promise<string>
}

interface Door {
  readonly url: string
  stop(): Promise<void>
}

/** The owner's thread, as this one sees it. */
interface Owner {
  postMessage(message: FromThread): void
  onmessage: ((event: MessageEvent<ToThread>) => void) | null
}

/** Milliseconds. The owner is in the same process: it answers, or everything has ended. */
const PATIENCE = 30_000

/** Serves what the owner of the truth tells over a port, until it says stop. `open` opens the door. */
export function runServingThread(owner: Owner, open: (deps: ThreadDoorDeps) => Door): void {
  const thread = new ServingThread(owner, open)
  owner.onmessage = ({ data }) => thread.hear(data)
}

type Start = Extract<ToThread, { kind: 'start' }>

class ServingThread {
  readonly #owner: Owner
  readonly #open: (deps: ThreadDoorDeps) => Door
  readonly #replica = new Replica()
  readonly #metrics = createMetrics()
  readonly #calls: RemoteCalls
  readonly #numbers = new Map<number, (text: string) => void>()
  #asked = 0
  #start: Start | undefined
  #door: Door | undefined

  constructor(owner: Owner, open: (deps: ThreadDoorDeps) => Door) {
    this.#owner = owner
    this.#open = open
    this.#calls = new RemoteCalls({
      send: request => owner.postMessage({ kind: 'request', request }),
      looked: userIds => owner.postMessage({ kind: 'looked', userIds }),
      patience: PATIENCE,
    })
  }

  hear(message: ToThread): void {
    switch (message.kind) {
      case 'start':
        this.#start = message
        this.#replica.begin(message.position)
        this.#replica.setReadiness(message.readiness)
        break
      case 'frame':
        this.#replica.apply(message.frame)
        break
      case 'slice':
        this.#replica.take(message.slice)
        break
      case 'complete':
        this.#replica.complete()
        this.#serve()
        break
      case 'mark':
        this.#owner.postMessage({
          kind: 'at',
          id: message.id,
          ...(message.measure !== 'none' && { readings: this.#metrics.read(message.measure) }),
        })
        break
      case 'answer':
        this.#calls.answered(message.answer)
        break
      case 'numbers':
        this.#numbers.get(message.id)?.(message.text)
        this.#numbers.delete(message.id)
        break
      case 'stop':
        void this.#stop()
    }
  }

  #serve(): void {
    if (this.#start === undefined) return
    const { config, limits, thread } = this.#start
    try {
      this.#door = this.#open({
        config,
        limiter: new SharedRateLimiter(limits, { perMinute: config.rateLimitPerMinute }),
        addresses: new SharedAddresses(limits, thread, config.maxSocketsPerAddress),
        presences: this.#replica,
        calls: this.#calls,
        metrics: this.#metrics,
        log: forwardLog(config.logLevel, (level, ...given) => this.#owner.postMessage({ kind: 'log', level, given })),
        numbers: () => this.#askNumbers(),
      })
      this.#owner.postMessage({ kind: 'serving', url: this.#door.url })
    } catch (error) {
      const message = error instanceof FatalError ? error.message : describeError(error)
      this.#owner.postMessage({ kind: 'failed', message })
    }
  }

  #askNumbers(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.#numbers.set(++this.#asked, resolve)
    this.#owner.postMessage({ kind: 'numbers', id: this.#asked })
    return promise
  }

  async #stop(): Promise<void> {
    await this.#door?.stop()
    this.#owner.postMessage({ kind: 'stopped' })
  }
}
