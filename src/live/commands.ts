import type { Presences } from '../domain/presences.ts'
import type { Counter } from '../lib/metrics.ts'
import type { Backpressure } from './backpressure.ts'
import type { Precedence, Turns } from './fair-queue.ts'
import type { InitialState, InitialStates, Making } from './init-state.ts'
import type { LongUpdates } from './long-updates.ts'
import type { Command, Follow } from './protocol.ts'
import type { Publisher } from './publisher.ts'
import type { Socket } from './session.ts'
import { follows, idsOf, type Subscriptions } from './subscriptions.ts'

interface CommandsDeps {
  readonly presences: Presences
  readonly publisher: Publisher
  readonly subscriptions: Subscriptions
  readonly initialStates: InitialStates
  readonly longUpdates: LongUpdates
  readonly backpressure: Backpressure
  readonly turns: Turns
  readonly precedence: Precedence
  /** Characters or bytes beyond which an INIT_STATE is large. */
  readonly maxQueuedBytes: number
  readonly outbound: Counter
}

/** Commands of one socket that may wait. */
const MAX_WAITING = 32
/** People of whom an INIT_STATE is likely to be large: a presence has 0.5 to 3 KB. */
const MANY = 500
/** Milliseconds that are worked at a large one before others have their turn. */
const SLICE = 20

/** What a socket has asked for and not got yet. */
interface Waiting {
  readonly commands: Command[]
  /** The INIT_STATE that answers the first of them, once it is begun. */
  job: Job | null
}

interface Job {
  readonly follow: Follow
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
export class Commands {
  readonly #deps: CommandsDeps
  readonly #waiting = new Map<Socket, Waiting>()
  #resuming: NodeJS.Immediate | undefined

  constructor(deps: CommandsDeps) {
    this.#deps = deps
    deps.turns.onOpen(() => {
      this.#goOn()
      if (this.#waiting.size === 0) deps.initialStates.forget()
    })
  }

  /** False when the client has more commands waiting than anybody needs. */
  handle(ws: Socket, command: Command): boolean {
    const waiting = this.#waiting.get(ws)
    if (waiting !== undefined) return waiting.commands.push(command) <= MAX_WAITING
    const begun = { commands: [command], job: null }
    this.#waiting.set(ws, begun)
    this.#advance(ws, begun)
    return true
  }

  /** A socket has read something, or closed, or what had to go out first is out: commands may be able to go on. */
  resume(): void {
    if (this.#waiting.size > 0) this.#resuming ??= setImmediate(() => this.#goOn())
  }

  forget(ws: Socket): void {
    this.#end(this.#waiting.get(ws)?.job)
    this.#waiting.delete(ws)
  }

  /** Whether large INIT_STATEs wait for the memory of others that are under way. */
  get crowded(): boolean {
    return this.#waiting.keys().some(ws => !this.#deps.backpressure.mayStart(ws))
  }

  stop(): void {
    clearImmediate(this.#resuming)
  }

  #goOn(): void {
    this.#resuming = undefined
    for (const [ws, waiting] of this.#deps.precedence.order(this.#waiting)) this.#advance(ws, waiting)
  }

  #advance(ws: Socket, waiting: Waiting): void {
    for (let command = waiting.commands[0]; command !== undefined; command = waiting.commands[0]) {
      if (!this.#run(ws, command, waiting)) return
      waiting.commands.shift()
    }
    this.#waiting.delete(ws)
  }

  /** Returns whether it could be done now. */
  #run(ws: Socket, command: Command, waiting: Waiting): boolean {
    if (command.kind === 'unfollow' || command.kind === 'unfollowAll') {
      this.#deps.subscriptions.unfollow(ws, command)
      return true
    }
    waiting.job ??= this.#begin(ws, command)
    if (!this.#initialize(ws, waiting.job)) return false
    this.#end(waiting.job)
    waiting.job = null
    return true
  }

  /** Beyond what the socket may follow, ids are treated as unknown: not followed, and not in INIT_STATE either. */
  #begin(ws: Socket, asked: Follow): Job {
    const { presences, subscriptions } = this.#deps
    const none = { large: false, making: null, rested: false }
    if (asked.kind === 'followAll') return { ...none, follow: asked, large: presences.size > MANY }
    if (asked.kind === 'followMany') {
      const ids = subscriptions.accept(ws, asked.ids)
      return { ...none, follow: { ...asked, ids }, large: ids.length > MANY }
    }
    const id = asked.id === null ? null : (subscriptions.accept(ws, [asked.id])[0] ?? null)
    return { ...none, follow: { ...asked, id } }
  }

  #initialize(ws: Socket, job: Job): boolean {
    const { publisher, turns, subscriptions, backpressure, longUpdates, precedence, outbound } = this.#deps
    if (!backpressure.hasRoom(ws) || (job.large && !this.#mayStart(ws))) return false
    if (!publisher.settle(concerns(ws, job.follow))) return false
    if (ws.readyState !== WebSocket.OPEN) return true // what was sent was too much for it
    const startedAt = performance.now()
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
    if (job?.making) this.#deps.initialStates.end(job.making)
  }
}

/** Whether news of somebody has to reach a socket before the answer: it follows them, or is about to. */
function concerns({ data }: Socket, follow: Follow): (id: string) => boolean {
  if (follow.kind === 'followAll') return () => true
  const ids = new Set(idsOf(follow))
  return id => ids.has(id) || follows(data, id)
}
