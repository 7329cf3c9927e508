import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import { shardKey } from '../random.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Activity, Json, Status } from '../types.ts'
import { isObject, isPresenceUpdate, readIdentify } from './identify.ts'
import type { MemberRequests } from './members.ts'
import { type Refusal, Refused } from './refusals.ts'
import type { Session } from './session.ts'
import type { Sessions } from './sessions.ts'
import { type Socket, sendOp } from './wire.ts'

export interface GatewayOpsOptions {
  world: World
  sessions: Sessions
  memberRequests: MemberRequests
  account: Account
  recorder: BotRecorder
  now: () => number
  identifyIntervalMs: number
}

/** Opcodes a bot may send (docs: Opcodes and Status Codes, "Gateway Opcodes"). */
const Op = { heartbeat: 1, identify: 2, presence: 3, voice: 4, resume: 6, members: 8, sounds: 31 } as const
const AFTER_READY: readonly number[] = [Op.presence, Op.voice, Op.members, Op.sounds]

/** What each opcode does. */
export class GatewayOps {
  readonly #options: GatewayOpsOptions
  readonly #lastIdentify = new Map<number, number>()

  constructor(options: GatewayOpsOptions) {
    this.#options = options
  }

  /** The answer is why the connection must be closed, or null. */
  handle(socket: Socket, op: number, d: unknown): Refusal | null {
    if (op === Op.heartbeat) return this.#heartbeat(socket, d)
    if (op === Op.identify) return this.#identify(socket, d)
    if (op === Op.resume) return this.#resume(socket, d)
    if (!AFTER_READY.includes(op)) return Refused.unknownOpcode
    const { session } = socket.data
    if (!session) return Refused.notAuthenticated
    if (op === Op.presence) return this.#updatePresence(session, d)
    if (op === Op.members) return this.#options.memberRequests.handle(session, d) ? null : Refused.decodeError
    return null
  }

  #heartbeat(socket: Socket, d: unknown): Refusal | null {
    if (d !== null && d !== undefined && !Number.isInteger(d)) return Refused.decodeError
    sendOp(socket, 11, null)
    this.#options.recorder.record('heartbeat', {
      session: socket.data.session,
      sequence: (d as number | undefined) ?? null,
    })
    return null
  }

  #identify(socket: Socket, d: unknown): Refusal | null {
    if (socket.data.session) return Refused.alreadyAuthenticated
    const payload = isObject(d) ? d : {}
    const order = readIdentify(d, {
      ...this.#options.account,
      guildsOnShard: (shardId, shardCount) => this.#guildsOnShard(shardId, shardCount),
    })
    if ('code' in order || !this.#mayIdentify(order.shard[0])) {
      this.#options.recorder.record('identify', { session: null, payload })
      if ('code' in order) return order
      sendOp(socket, 9, false)
      return null
    }
    const session = this.#options.sessions.open(order, payload)
    this.#attach(socket, session)
    this.#options.recorder.record('identify', { session, payload })
    this.#options.world.placePresence(
      this.#options.world.bot.id,
      this.#botPresence((payload.presence as Json) ?? { status: 'online', activities: [] }),
    )
    this.#options.sessions.welcome(session)
    return null
  }

  /** One IDENTIFY for each bucket and interval, and no more than the session start limit (docs: Gateway, "Max Concurrency"). */
  #mayIdentify(shardId: number): boolean {
    const bucket = shardId % this.#options.account.maxConcurrency
    const last = this.#lastIdentify.get(bucket)
    const tooSoon = last !== undefined && this.#options.now() - last < this.#options.identifyIntervalMs
    if (tooSoon || this.#options.account.sessionStartRemaining <= 0) {
      const rule = tooSoon ? 'max concurrency' : 'session start limit'
      this.#options.recorder.record('violation', { rule, detail: `shard ${shardId} identified too often` })
      return false
    }
    this.#options.account.sessionStartRemaining--
    this.#lastIdentify.set(bucket, this.#options.now())
    return true
  }

  #guildsOnShard(shardId: number, shardCount: number): number {
    let count = 0
    for (const id of this.#options.world.guilds.keys()) if (shardKey(id) % shardCount === shardId) count++
    return count
  }

  #resume(socket: Socket, d: unknown): Refusal | null {
    if (socket.data.session) return Refused.alreadyAuthenticated
    if (!isObject(d) || typeof d.token !== 'string' || typeof d.session_id !== 'string') return Refused.decodeError
    const from = d.seq
    if (typeof from !== 'number' || !Number.isInteger(from)) return Refused.decodeError
    const session = this.#options.sessions.find(d.session_id)
    this.#options.recorder.record('resume', { session, payload: d })
    if (d.token !== this.#options.account.token) return Refused.authenticationFailed
    if (session && (from > session.sequence || from < 0)) return Refused.invalidSequence
    const missed = session?.since(from) ?? null
    if (session && missed) this.#takeOver(socket, session, missed)
    else sendOp(socket, 9, false)
    return null
  }

  #takeOver(socket: Socket, session: Session, missed: string[]): void {
    session.wire()?.close(4000, 'Session resumed elsewhere.')
    for (const text of missed) socket.data.wire?.send(text)
    this.#attach(socket, session)
    session.dispatch('RESUMED', '{"_trace":[]}')
    this.#options.recorder.record('resumed', { session, replayed: missed.length })
  }

  #attach(socket: Socket, session: Session): void {
    socket.data.session = session
    if (socket.data.wire) session.attach(socket.data.wire)
  }

  #updatePresence(session: Session, d: unknown): Refusal | null {
    if (!isPresenceUpdate(d)) return Refused.decodeError
    this.#options.recorder.record('presence', { session, payload: d })
    this.#options.world.setPresence(this.#options.world.bot.id, this.#botPresence(d))
    return null
  }

  #botPresence(update: Json) {
    const status: Status = update.status === 'invisible' ? 'offline' : (update.status as Status)
    const extras = { id: 'ec0b28a579ecb4bd', created_at: this.#options.now() }
    const activities = (update.activities as Activity[]).map(activity => ({ ...extras, ...activity }))
    return { status, activities, clientStatus: { web: status }, at: this.#options.now() }
  }
}
