import { shardKey } from '../random.ts'
import type { Json, Viewer } from '../types.ts'

/** One WebSocket as a session sees it. */
export interface Wire {
  /** False when the socket is gone. */
  send(text: string): boolean
  close(code: number, reason: string): void
  /** Sends what `run` sends in as few system calls as possible. */
  batch(run: () => void): void
  /** Bytes waiting to be sent. */
  backlog(): number
}

/**
 * A gateway session: it outlives its connections, numbers what it sends and remembers it for a RESUME
 * (docs: Gateway, "Resuming").
 */
export interface Session extends Viewer {
  readonly id: string
  readonly shard: readonly [number, number]
  /** The payload of the IDENTIFY that made it. */
  readonly identify: Json
  /** Number of the last dispatch. */
  readonly sequence: number
  readonly connected: boolean
  /** Guilds announced in READY whose GUILD_CREATE is still to come; nothing else of theirs is sent before it. */
  readonly pendingGuilds: Set<string>
  /** Sends a dispatch, or keeps it for the resume when nobody is connected. */
  dispatch(t: string, dataText: string): void
  /** Puts a text on the wire as it is, without a sequence number: for hostile input. False when nobody is connected. */
  sendText(text: string): boolean
  ownsGuild(guildId: string): boolean
  batch(run: () => void): void
  backlog(): number
}

/** The part of a session only the gateway touches. */
export interface SessionControl extends Session {
  attach(wire: Wire): void
  detach(at: number): void
  /** The wire in use, if any. */
  wire(): Wire | null
  /** When the last connection was lost, milliseconds; null while connected. */
  detachedAt(): number | null
  /** Everything after `sequence`, or null when the buffer does not reach back that far. */
  since(sequence: number): string[] | null
  /** Drops the buffer: records may hold the session long after its end. */
  release(): void
}

export interface SessionInit {
  id: string
  shard: readonly [number, number]
  intents: number
  largeThreshold: number
  identify: Json
  replayBufferSize: number
}

export function createSession(init: SessionInit): SessionControl {
  let sequence = 0
  let wire: Wire | null = null
  let detachedAt: number | null = null
  const sent: string[] = new Array(init.replayBufferSize)
  const shardOf = new Map<string, number>()

  function ownsGuild(guildId: string): boolean {
    let shard = shardOf.get(guildId)
    if (shard === undefined) {
      shard = shardKey(guildId) % init.shard[1]
      shardOf.set(guildId, shard)
    }
    return shard === init.shard[0]
  }

  function dispatch(t: string, dataText: string): void {
    sequence++
    const text = `{"t":"${t}","s":${sequence},"op":0,"d":${dataText}}`
    sent[sequence % init.replayBufferSize] = text
    wire?.send(text)
  }

  function since(from: number): string[] | null {
    if (sequence - from > init.replayBufferSize) return null
    const missed: string[] = []
    for (let number = from + 1; number <= sequence; number++) missed.push(sent[number % init.replayBufferSize] ?? '')
    return missed
  }

  return {
    id: init.id,
    shard: init.shard,
    intents: init.intents,
    largeThreshold: init.largeThreshold,
    identify: init.identify,
    pendingGuilds: new Set(),
    get sequence() {
      return sequence
    },
    get connected() {
      return wire !== null
    },
    dispatch,
    sendText: text => wire?.send(text) ?? false,
    ownsGuild,
    batch: run => (wire ? wire.batch(run) : run()),
    backlog: () => wire?.backlog() ?? 0,
    attach(next) {
      wire = next
      detachedAt = null
    },
    detach(at) {
      wire = null
      detachedAt = at
    },
    wire: () => wire,
    detachedAt: () => detachedAt,
    since,
    release() {
      sent.length = 0
    },
  }
}
