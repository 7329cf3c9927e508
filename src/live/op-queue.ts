import type { Presences } from '../domain/presences.ts'
import type { Clock } from '../lib/clock.ts'
import type { Counter } from '../lib/metrics.ts'
import type { Quota } from '../lib/quota.ts'
import type { Backpressure } from './backpressure.ts'
import type { Precedence, Turns } from './fair-queue.ts'
import type { InitialState, InitialStates, Making } from './init-state.ts'
import type { LongUpdates } from './long-updates.ts'
import type { Command, Follow, Unfollow } from './protocol.ts'
import type { Publisher } from './publisher.ts'
import type { Socket } from './session.ts'
import { follows, idsOf, namedBy, type Subscriptions } from './subscriptions.ts'

interface OpQueueDeps {
  readonly presences: Presences
  readonly publisher: Publisher
  readonly subscriptions: Subscriptions
  readonly initialStates: InitialStates
  readonly longUpdates: LongUpdates
  readonly backpressure: Backpressure
  /** Bytes that names of people may take, each address and together. */
  readonly names: Quota
  readonly turns: Turns
  readonly precedence: Precedence
  /** Characters or bytes beyond which an INIT_STATE is large. */
  readonly maxQueuedBytes: number
  readonly outbound: Counter
  readonly clock: Clock
}

/** Commands of one socket that may wait. */
const MAX_WAITING = 32
/** People of whom an INIT_STATE is likely to be large: a presence has 0.5 to 3 KB. */
const MANY = 500
/** Milliseconds for which an INIT_STATE of everybody is kept for others who ask. */
const SHARED = 1000
/** Milliseconds that are worked at a large one before others have their turn. */
const SLICE = 20

/** Bytes that a name takes while it waits, and how many names of a command may wait for nothing. */
const WAITING_NAME = 64
const FREE = 50

const bytesOf = (command: Command) =>
  'ids' in command && command.ids.length > FREE ? WAITING_NAME * command.ids.length : 0

/** What a socket has asked for and not got yet. */
interface Waiting {
  readonly commands: Command[]
  /** What the names in them take. */
  bytes: number
  /** The INIT_STATE that answers the first of them, once it is begun. */
  job: Job | null
}

interface Job {
  /** What was asked for; once it is begun, without those who are too many. */
  follow: Follow
  begun: boolean
  large: boolean
  making: Making | null
  /** Whether its making was at the end before, and only what has changed since is left. */
  rested: boolean
}

/**
 * Carries out op 2 and op 4, a socket's commands always in order. An op 2 is subscription and INIT_STATE in one tick:
 * what changed before is in it, what changes later follows it. It waits while the client has not read its last answers;
 * a large INIT_STATE also waits for its turn, and while those under way take all the memory they may.
 */
export class OpQueue {
  readonly #deps: OpQueueDeps
  readonly #waiting = new Map<Socket, Waiting>()
  #resuming: NodeJS.Immediate | undefined
  #forgetting: (() => void) | null = null

  constructor(deps: OpQueueDeps) {
    this.#deps = deps
    deps.turns.onOpen(() => this.#goOn())
  }

  /** False when the client has more waiting than anybody needs. */
  handle(ws: Socket, command: Command): boolean {
    const known = this.#waiting.get(ws)
    const waiting = known ?? { commands: [], bytes: 0, job: null }
    waiting.commands.push(command)
    this.#waiting.set(ws, waiting)
    if (known === undefined) this.#advance(ws, waiting)
    const bytes = bytesOf(command)
    if (!waiting.commands.includes(command) || bytes === 0) return waiting.commands.length <= MAX_WAITING
    if (waiting.commands.length > MAX_WAITING || !this.#deps.names.take(ws.data.address, bytes)) return false
    waiting.bytes += bytes
    return true
  }

  /** A socket has read something, or closed, or what had to go out first is out: commands may be able to go on. */
  resume(): void {
    if (this.#waiting.size > 0) this.#resuming ??= setImmediate(() => this.#goOn())
  }

  forget(ws: Socket): void {
    const waiting = this.#waiting.get(ws)
    if (waiting === undefined) return
    this.#end(waiting.job)
    this.#release(ws, waiting, waiting.bytes)
    this.#waiting.delete(ws)
  }

  /** Whether large INIT_STATEs wait for the memory of others that are under way. */
  get crowded(): boolean {
    return this.#waiting.keys().some(ws => !this.#deps.backpressure.mayStart(ws))
  }

  stop(): void {
    clearImmediate(this.#resuming)
    this.#forgetting?.()
  }

  #goOn(): void {
    this.#resuming = undefined
    for (const [ws, waiting] of this.#deps.precedence.order(this.#waiting)) this.#advance(ws, waiting)
  }

  #advance(ws: Socket, waiting: Waiting): void {
    for (let command = waiting.commands[0]; command !== undefined; command = waiting.commands[0]) {
      if (!this.#run(ws, command, waiting)) return
      waiting.commands.shift()
      this.#release(ws, waiting, Math.min(waiting.bytes, bytesOf(command)))
    }
    this.#waiting.delete(ws)
  }

  #release(ws: Socket, waiting: Waiting, bytes: number): void {
    waiting.bytes -= bytes
    this.#deps.names.add(ws.data.address, -bytes)
  }

  /** Returns whether it could be done now. */
  #run(ws: Socket, command: Command, waiting: Waiting): boolean {
    if (command.kind === 'unfollow' || command.kind === 'unfollowAll') return this.#unfollow(ws, command)
    waiting.job ??= { follow: command, begun: false, large: this.#looksLarge(command), making: null, rested: false }
    if (!this.#initialize(ws, waiting.job)) return false
    this.#end(waiting.job)
    waiting.job = null
    return true
  }

  /** Letting go of many takes a turn like following them. */
  #unfollow(ws: Socket, unfollow: Unfollow): boolean {
    const { subscriptions, turns } = this.#deps
    const many = (unfollow.kind === 'unfollow' ? unfollow.ids.length : namedBy(ws.data)) > MANY
    if (many && !turns.open) return false
    const startedAt = performance.now()
    subscriptions.unfollow(ws, unfollow)
    if (many) turns.took(startedAt)
    return true
  }

  #looksLarge(follow: Follow): boolean {
    if (follow.kind === 'followAll') return this.#deps.presences.size > MANY
    return follow.kind === 'followMany' && follow.ids.length > MANY
  }

  /** Beyond what the socket may follow, ids are treated as unknown: not followed, and not in INIT_STATE either. */
  #accepted(ws: Socket, asked: Follow): Follow {
    const { subscriptions } = this.#deps
    if (asked.kind === 'followAll' || (asked.kind === 'followOne' && asked.id === null)) return asked
    const ids = subscriptions.accept(ws, idsOf(asked))
    return asked.kind === 'followMany' ? { ...asked, ids } : { ...asked, id: ids[0] ?? null }
  }

  #initialize(ws: Socket, job: Job): boolean {
    const { publisher, turns, subscriptions, backpressure, longUpdates, precedence, outbound } = this.#deps
    if (!backpressure.hasRoom(ws) || (job.large && !this.#mayStart(ws))) return false
    if (!publisher.settle(concerns(ws, job.follow))) return false
    if (ws.readyState !== WebSocket.OPEN) return true // what was sent was too much for it
    const startedAt = performance.now()
    if (!job.begun) job.follow = this.#accepted(ws, job.follow)
    job.begun = true
    const state = this.#make(ws, job, startedAt + SLICE)
    if (state === null) {
      turns.took(startedAt)
      return false
    }
    subscriptions.follow(ws, job.follow)
    if (typeof state.data === 'string') ws.sendText(state.data)
    else ws.sendBinary(state.data)
    ws.data.lastNumber = state.seq
    longUpdates.told(ws, job.follow.kind === 'followAll' ? null : idsOf(job.follow))
    backpressure.excuse(ws)
    outbound.inc()
    if (!job.large) return true
    turns.took(startedAt)
    precedence.served(ws)
    return true
  }

  #mayStart(ws: Socket): boolean {
    return this.#deps.turns.open && this.#deps.backpressure.mayStart(ws)
  }

  /** Null when it takes longer than until then, or turns out to be large and has to wait. */
  #make(ws: Socket, job: Job, until: number): InitialState | null {
    const { initialStates } = this.#deps
    const { follow } = job
    if (follow.kind === 'followOne' || (follow.kind === 'followMany' && !job.large)) {
      const body = initialStates.body(follow)
      if (!this.#fits(ws, job, body.length)) return null
      // A map that is large has to be compressed a little at a time.
      if (follow.kind === 'followOne' || !job.large) return initialStates.small(ws.data.zlib, body)
    }
    job.making ??= initialStates.begin(ws.data.zlib, follow)
    if (!job.making.advance(until) || this.#restsFirst(job, until)) return null
    const state = job.making.state(ws.data.lastNumber)
    return this.#fits(ws, job, state.data.length) ? state : null
  }

  /** Putting a large one together takes a slice of its own, and sending it another. */
  #restsFirst(job: Job, until: number): boolean {
    if (job.rested || until - performance.now() > SLICE / 2) return false
    job.rested = true
    return true
  }

  /** Few people may have much to tell: what turns out to be large waits like what looks so. */
  #fits(ws: Socket, job: Job, length: number): boolean {
    if (job.large || length <= this.#deps.maxQueuedBytes) return true
    job.large = true
    return this.#mayStart(ws)
  }

  #end(job: Job | null | undefined): void {
    if (!job?.making) return
    this.#deps.initialStates.end(job.making)
    this.#forgetting ??= this.#deps.clock.after(SHARED, () => this.#forget())
  }

  /** When nobody is there to share it with, an INIT_STATE of everybody is not kept. */
  #forget(): void {
    this.#forgetting = null
    if (this.#waiting.size === 0) this.#deps.initialStates.forget()
    else this.#forgetting = this.#deps.clock.after(SHARED, () => this.#forget())
  }
}

/** Whether news of somebody has to reach a socket before the answer: it follows them, or is about to. */
function concerns({ data }: Socket, follow: Follow): (id: string) => boolean {
  if (follow.kind === 'followAll') return () => true
  const ids = new Set(idsOf(follow))
  return id => ids.has(id) || follows(data, id)
}
