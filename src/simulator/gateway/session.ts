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

export interface SessionInit {
  id: string
  shard: readonly [number, number]
  intents: number
  largeThreshold: number
  identify: Json
  replayBufferSize: number
}

/**
 * A gateway session: it outlives its connections, numbers what it sends and remembers it for a RESUME
 * (docs: Gateway, "Resuming").
 */
export class Session implements Viewer {
  /** Guilds announced in READY whose GUILD_CREATE is still to come; nothing else of theirs is sent before it. */
  readonly pendingGuilds = new Set<string>()
  /** The payload of the IDENTIFY that made it. */
  readonly identify: Json
  readonly largeThreshold: number
  readonly intents: number
  readonly shard: readonly [number, number]
  readonly id: string
  #sequence = 0
  #wire: Wire | null = null
  #detachedAt: number | null = null
  readonly #sent: string[]
  readonly #shardOf = new Map<string, number>()
  readonly #init: SessionInit

  constructor(init: SessionInit) {
    this.#init = init
    this.#sent = new Array(init.replayBufferSize)
    this.id = init.id
    this.shard = init.shard
    this.intents = init.intents
    this.largeThreshold = init.largeThreshold
    this.identify = init.identify
  }

  /** Number of the last dispatch. */
  get sequence(): number {
    return this.#sequence
  }

  get connected(): boolean {
    return this.#wire !== null
  }

  ownsGuild(guildId: string): boolean {
    let shard = this.#shardOf.get(guildId)
    if (shard === undefined) {
      shard = shardKey(guildId) % this.#init.shard[1]
      this.#shardOf.set(guildId, shard)
    }
    return shard === this.#init.shard[0]
  }

  /** Sends a dispatch, or keeps it for the resume when nobody is connected. */
  dispatch(t: string, dataText: string): void {
    this.#sequence++
    const text = `{"t":"${t}","s":${this.#sequence},"op":0,"d":${dataText}}`
    this.#sent[this.#sequence % this.#init.replayBufferSize] = text
    this.#wire?.send(text)
  }

  /** Everything after `sequence`, or null when the buffer does not reach back that far. */
  since(from: number): string[] | null {
    if (this.#sequence - from > this.#init.replayBufferSize) return null
    const missed: string[] = []
    for (let number = from + 1; number <= this.#sequence; number++)
      missed.push(this.#sent[number % this.#init.replayBufferSize] ?? '')
    return missed
  }

  /** Puts a text on the wire as it is, without a sequence number: for hostile input. False when nobody is connected. */
  sendText(text: string): boolean {
    return this.#wire?.send(text) ?? false
  }

  batch(run: () => void): void {
    if (this.#wire) this.#wire.batch(run)
    else run()
  }

  backlog(): number {
    return this.#wire?.backlog() ?? 0
  }

  attach(wire: Wire): void {
    this.#wire = wire
    this.#detachedAt = null
  }

  detach(at: number): void {
    this.#wire = null
    this.#detachedAt = at
  }

  /** The wire in use, if any. */
  wire(): Wire | null {
    return this.#wire
  }

  /** When the last connection was lost, milliseconds; null while connected. */
  detachedAt(): number | null {
    return this.#detachedAt
  }

  /** Drops the buffer: records may hold the session long after its end. */
  release(): void {
    this.#sent.length = 0
  }
}
