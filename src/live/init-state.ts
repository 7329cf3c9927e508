import type { Presences } from '../domain/presences.ts'
import type { Backlogs } from './backpressure.ts'
import { createPrecedence, createTurns } from './fair-queue.ts'
import { createFrame, type Frame, sendFrame } from './frame.ts'
import { type Command, type Follow, initStateFrame } from './protocol.ts'
import type { Sequence } from './sequence.ts'
import type { Session, Socket } from './session.ts'
import type { Subscriptions } from './subscriptions.ts'
import type { Topics } from './topics.ts'

/** An INIT_STATE and its sequence number. */
interface InitialState {
  readonly seq: number
  readonly frame: Frame
}

/** Makes the answers to op 2. */
interface InitialStates {
  /** One presence, `{}` for somebody unknown; or a map by id, unknown ids left out. */
  make(session: Session, follow: Follow): InitialState
  /** Something changed: the INIT_STATE of everybody, shared until now, is given to nobody any more. */
  outdated(): void
}

export function createInitialStates(presences: Presences, sequence: Sequence): InitialStates {
  let shared: InitialState | null = null

  function state(body: string): InitialState {
    const seq = sequence.next()
    return { seq, frame: createFrame(initStateFrame(seq, body)) }
  }

  // Concatenation makes a rope of the presences' own texts, which is laid out flat once, when it is sent.
  function map(ids: Iterable<string>): string {
    let entries = ''
    for (const id of ids) {
      const snapshot = presences.snapshot(id)
      if (snapshot !== undefined) entries += `${entries === '' ? '' : ','}"${id}":${snapshot.json}`
    }
    return `{${entries}}`
  }

  function one(id: string | null): string {
    const snapshot = id === null ? undefined : presences.snapshot(id)
    return snapshot?.json ?? '{}'
  }

  return {
    make(session, follow) {
      if (follow.kind === 'followOne') return state(one(follow.id))
      if (follow.kind === 'followMany') return state(map(follow.ids))
      // A socket that has seen a later number must not see this one.
      if (shared === null || shared.seq <= session.lastInitState) shared = state(map(presences.ids()))
      return shared
    },
    outdated() {
      shared = null
    },
  }
}

/**
 * Carries out op 2 and op 4, a socket's commands always in order. An op 2 is subscription and INIT_STATE in one tick:
 * what changed before is in it, what changes later follows it. It waits while the client has not read its last answers;
 * a large INIT_STATE also waits for its turn, and while too many others are under way.
 */
export interface Initializer {
  /** False when the client has more commands waiting than anybody needs. */
  handle(ws: Socket, command: Command): boolean
  /** A socket has read something, or closed: commands that wait may be able to go on. */
  roomMade(): void
  forget(ws: Socket): void
  /** Whether large INIT_STATEs wait for the memory of others that are under way. */
  readonly crowded: boolean
  stop(): void
}

interface InitializerDeps {
  presences: Presences
  subscriptions: Subscriptions
  initialStates: InitialStates
  topics: Topics
  backlogs: Backlogs
  /** Characters beyond which an INIT_STATE is large. */
  maxQueuedBytes: number
  onSent: () => void
}

/** Commands of one socket that may wait. */
const MAX_WAITING = 32
/** People of whom an INIT_STATE is likely to be large: a presence has 0.5 to 3 KB. */
const MANY = 500

export function createInitializer(deps: InitializerDeps): Initializer {
  const { presences, subscriptions, initialStates, topics, backlogs, maxQueuedBytes, onSent } = deps
  const waiting = new Map<Socket, Command[]>()
  const precedence = createPrecedence()
  let goingOn: NodeJS.Immediate | undefined
  const turns = createTurns(() => {
    goOn()
    if (waiting.size === 0) initialStates.outdated() // nobody is there to share it with: free the memory
  })

  const mayStartLarge = () => turns.open() && !backlogs.crowded()

  function looksLarge(follow: Follow): boolean {
    if (follow.kind === 'followAll') return presences.size > MANY
    return follow.kind === 'followMany' && follow.ids.length > MANY
  }

  /** Returns whether it could be done now. */
  function initialize(ws: Socket, asked: Follow): boolean {
    if (!backlogs.hasRoom(ws) || (looksLarge(asked) && !mayStartLarge())) return false
    const startedAt = performance.now()
    topics.flush()
    if (ws.readyState !== WebSocket.OPEN) return true // what was flushed was too much for it
    const follow = accepted(ws, asked)
    const { seq, frame } = initialStates.make(ws.data, follow)
    const large = frame.text.length > maxQueuedBytes
    if (large && !mayStartLarge()) return false
    subscriptions.follow(ws, follow)
    sendFrame(ws, frame)
    ws.data.lastInitState = seq
    backlogs.excuse(ws)
    onSent()
    if (!large) return true
    turns.took(startedAt)
    precedence.served(ws)
    return true
  }

  /** Beyond the limit of subscriptions, ids are treated as unknown: not followed, and not in INIT_STATE either. */
  function accepted(ws: Socket, follow: Follow): Follow {
    if (follow.kind === 'followMany') return { ...follow, ids: subscriptions.accept(ws, follow.ids) }
    if (follow.kind === 'followAll' || follow.id === null) return follow
    return { ...follow, id: subscriptions.accept(ws, [follow.id])[0] ?? null }
  }

  function run(ws: Socket, command: Command): boolean {
    if (command.kind !== 'unfollow' && command.kind !== 'unfollowAll') return initialize(ws, command)
    subscriptions.unfollow(ws, command)
    return true
  }

  function advance(ws: Socket, commands: Command[]): void {
    let done = 0
    for (const command of commands) {
      if (!run(ws, command)) break
      done++
    }
    commands.splice(0, done)
    if (commands.length === 0) waiting.delete(ws)
  }

  function goOn(): void {
    goingOn = undefined
    for (const [ws, commands] of precedence.order(waiting)) advance(ws, commands)
  }

  return {
    handle(ws, command) {
      const commands = waiting.get(ws)
      if (commands !== undefined) return commands.push(command) <= MAX_WAITING
      if (!run(ws, command)) waiting.set(ws, [command])
      return true
    },
    roomMade() {
      if (waiting.size > 0 && goingOn === undefined) goingOn = setImmediate(goOn)
    },
    forget: ws => void waiting.delete(ws),
    get crowded() {
      return waiting.size > 0 && backlogs.crowded()
    },
    stop() {
      turns.stop()
      clearImmediate(goingOn)
    },
  }
}
