import type { Account } from '../options.ts'
import type { World } from '../people/world.ts'
import { shardKey } from '../random.ts'
import type { BotRecorder } from '../recorder.ts'
import type { Activity, Json, Status } from '../types.ts'
import { isObject, isPresenceUpdate, readIdentify } from './identify.ts'
import type { MemberRequests } from './members.ts'
import { type Refusal, Refused } from './refusals.ts'
import type { SessionControl } from './session.ts'
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

/** What each opcode does; the answer is why the connection must be closed, or null. */
export type GatewayOps = (socket: Socket, op: number, d: unknown) => Refusal | null

export function createGatewayOps(options: GatewayOpsOptions): GatewayOps {
  const { world, sessions, account, recorder, now } = options
  const lastIdentify = new Map<number, number>()

  function handle(socket: Socket, op: number, d: unknown): Refusal | null {
    if (op === Op.heartbeat) return heartbeat(socket, d)
    if (op === Op.identify) return identify(socket, d)
    if (op === Op.resume) return resume(socket, d)
    if (!AFTER_READY.includes(op)) return Refused.unknownOpcode
    const { session } = socket.data
    if (!session) return Refused.notAuthenticated
    if (op === Op.presence) return updatePresence(session, d)
    if (op === Op.members) return options.memberRequests.handle(session, d) ? null : Refused.decodeError
    return null
  }

  function heartbeat(socket: Socket, d: unknown): Refusal | null {
    if (d !== null && d !== undefined && !Number.isInteger(d)) return Refused.decodeError
    sendOp(socket, 11, null)
    recorder.record('heartbeat', { session: socket.data.session, sequence: (d as number | undefined) ?? null })
    return null
  }

  function identify(socket: Socket, d: unknown): Refusal | null {
    if (socket.data.session) return Refused.alreadyAuthenticated
    const payload = isObject(d) ? d : {}
    const order = readIdentify(d, { ...account, guildsOnShard })
    if ('code' in order || !mayIdentify(order.shard[0])) {
      recorder.record('identify', { session: null, payload })
      if ('code' in order) return order
      sendOp(socket, 9, false)
      return null
    }
    const session = sessions.open(order, payload)
    attach(socket, session)
    recorder.record('identify', { session, payload })
    world.placePresence(world.bot.id, botPresence((payload.presence as Json) ?? { status: 'online', activities: [] }))
    sessions.welcome(session)
    return null
  }

  /** One IDENTIFY for each bucket and interval, and no more than the session start limit (docs: Gateway, "Max Concurrency"). */
  function mayIdentify(shardId: number): boolean {
    const bucket = shardId % account.maxConcurrency
    const last = lastIdentify.get(bucket)
    const tooSoon = last !== undefined && now() - last < options.identifyIntervalMs
    if (tooSoon || account.sessionStartRemaining <= 0) {
      const rule = tooSoon ? 'max concurrency' : 'session start limit'
      recorder.record('violation', { rule, detail: `shard ${shardId} identified too often` })
      return false
    }
    account.sessionStartRemaining--
    lastIdentify.set(bucket, now())
    return true
  }

  function guildsOnShard(shardId: number, shardCount: number): number {
    let count = 0
    for (const id of world.guilds.keys()) if (shardKey(id) % shardCount === shardId) count++
    return count
  }

  function resume(socket: Socket, d: unknown): Refusal | null {
    if (socket.data.session) return Refused.alreadyAuthenticated
    if (!isObject(d) || typeof d.token !== 'string' || typeof d.session_id !== 'string') return Refused.decodeError
    const from = d.seq
    if (typeof from !== 'number' || !Number.isInteger(from)) return Refused.decodeError
    const session = sessions.find(d.session_id)
    recorder.record('resume', { session, payload: d })
    if (d.token !== account.token) return Refused.authenticationFailed
    if (session && (from > session.sequence || from < 0)) return Refused.invalidSequence
    const missed = session?.since(from) ?? null
    if (session && missed) takeOver(socket, session, missed)
    else sendOp(socket, 9, false)
    return null
  }

  function takeOver(socket: Socket, session: SessionControl, missed: string[]): void {
    session.wire()?.close(4000, 'Session resumed elsewhere.')
    for (const text of missed) socket.data.wire?.send(text)
    attach(socket, session)
    session.dispatch('RESUMED', '{"_trace":[]}')
    recorder.record('resumed', { session, replayed: missed.length })
  }

  function attach(socket: Socket, session: SessionControl): void {
    socket.data.session = session
    if (socket.data.wire) session.attach(socket.data.wire)
  }

  function updatePresence(session: SessionControl, d: unknown): Refusal | null {
    if (!isPresenceUpdate(d)) return Refused.decodeError
    recorder.record('presence', { session, payload: d })
    world.setPresence(world.bot.id, botPresence(d))
    return null
  }

  function botPresence(update: Json) {
    const status: Status = update.status === 'invisible' ? 'offline' : (update.status as Status)
    const extras = { id: 'ec0b28a579ecb4bd', created_at: now() }
    const activities = (update.activities as Activity[]).map(activity => ({ ...extras, ...activity }))
    return { status, activities, clientStatus: { web: status }, at: now() }
  }

  return handle
}
