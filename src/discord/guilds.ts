import type { Clock } from '../lib/clock.ts'

export interface GuildBookOptions {
  clock: Clock
  /** Silence after which guilds that did not arrive are not waited for any more, milliseconds. */
  quietMs: number
  /** Nothing is awaited on this shard any more, or something is again. */
  onComplete: (shard: number, complete: boolean) => void
  /** The bot has come into a guild, all of whose members are known now. */
  onJoined?: (guildId: string, name: string) => void
}

/** A guild that is there but whose list does not come is waited for this many silences. */
const LONGER_PATIENCE = 4

interface ShardGuilds {
  /** Every guild of the shard; true for those that are there. */
  known: Map<string, boolean>
  /** Guilds whose members are on their way. */
  awaited: Set<string>
  connected: boolean
  silences: number
  cancelTimer: () => void
}

/** The shard that tells of a guild (docs: Gateway, "Sharding"). */
export function shardOfGuild(guildId: string, shardCount: number): number {
  return Number((BigInt(guildId) >> 22n) % BigInt(shardCount))
}

export class GuildBook {
  readonly #shards = new Map<number, ShardGuilds>()
  readonly #shardOf = new Map<string, number>()
  readonly #clock: Clock
  readonly #quietMs: number
  readonly #onComplete: (shard: number, complete: boolean) => void
  readonly #onJoined: (guildId: string, name: string) => void
  /** Names of guilds that the bot has just come into. */
  readonly #joining = new Map<string, string>()

  constructor({ clock, quietMs, onComplete, onJoined = () => {} }: GuildBookOptions) {
    this.#clock = clock
    this.#quietMs = quietMs
    this.#onComplete = onComplete
    this.#onJoined = onJoined
  }

  get size(): number {
    return this.#shardOf.size
  }

  /** A guild known from an earlier process, with its members. */
  restore(shard: number, guildId: string): void {
    this.#know(shard, guildId, true)
  }

  /** READY: these guilds of the shard are to arrive. */
  ready(shard: number, guildIds: readonly string[]): void {
    this.#change(shard, guilds => {
      for (const id of guildIds) this.#know(shard, id, false)
      guilds.awaited = new Set(guildIds)
    })
  }

  /** The shard's guilds that are not among these. */
  others(shard: number, guildIds: readonly string[]): string[] {
    const listed = new Set(guildIds)
    return [...this.#at(shard).known.keys()].filter(id => !listed.has(id))
  }

  /** GUILD_CREATE: the guild is there, its member list perhaps not yet. */
  arrived(shard: number, guildId: string, name = ''): void {
    // READY has told of every guild that the bot was in before.
    if (!this.has(guildId)) this.#joining.set(guildId, name)
    this.#change(shard, () => this.#know(shard, guildId, true).awaited.add(guildId))
  }

  /** The guild's member list is in. */
  completed(guildId: string): void {
    const shard = this.#shardOf.get(guildId)
    if (shard === undefined) return
    this.#change(shard, ({ awaited }) => awaited.delete(guildId))
    const name = this.#joining.get(guildId)
    if (this.#joining.delete(guildId)) this.#onJoined(guildId, name ?? '')
  }

  /** An outage: the guild is still ours, but need not be waited for beyond the usual patience. */
  unavailable(shard: number, guildId: string): void {
    this.#change(shard, () => this.#know(shard, guildId, false))
  }

  removed(guildId: string): void {
    const shard = this.#shardOf.get(guildId)
    if (shard !== undefined) this.#change(shard, guilds => this.#forget(guilds, guildId))
  }

  /** Whether the bot is in it, as far as is known. */
  has(guildId: string): boolean {
    return this.#shardOf.has(guildId)
  }

  isLoading(guildId: string): boolean {
    const shard = this.#shardOf.get(guildId)
    return shard !== undefined && this.#at(shard).awaited.has(guildId)
  }

  /** Something came that shows the shard is getting on. */
  progress(guildId: string): void {
    const shard = this.#shardOf.get(guildId)
    if (shard !== undefined) this.#change(shard, () => {})
  }

  /** Connected again, or not: without a connection nothing can arrive, so nobody's patience ends. */
  setConnected(shard: number, connected: boolean): void {
    this.#change(shard, guilds => {
      guilds.connected = connected
    })
  }

  isComplete(shard: number): boolean {
    return this.#at(shard).awaited.size === 0
  }

  #at(shard: number): ShardGuilds {
    const known = this.#shards.get(shard)
    if (known !== undefined) return known
    const created = { known: new Map(), awaited: new Set<string>(), connected: false, silences: 0, cancelTimer() {} }
    this.#shards.set(shard, created)
    return created
  }

  /** Runs a change to what is awaited, and tells when that begins or ends. */
  #change(shard: number, apply: (guilds: ShardGuilds) => void): void {
    const guilds = this.#at(shard)
    const before = guilds.awaited.size === 0
    apply(guilds)
    guilds.silences = 0
    this.#listen(shard, guilds)
    const after = guilds.awaited.size === 0
    if (before !== after) this.#onComplete(shard, after)
  }

  #listen(shard: number, guilds: ShardGuilds): void {
    guilds.cancelTimer()
    guilds.cancelTimer = () => {}
    if (guilds.connected && guilds.awaited.size > 0)
      guilds.cancelTimer = this.#clock.after(this.#quietMs, () => this.#silence(shard))
  }

  #silence(shard: number): void {
    const silences = this.#at(shard).silences + 1
    this.#change(shard, ({ awaited, known }) => {
      for (const id of awaited) if (silences >= LONGER_PATIENCE || known.get(id) !== true) awaited.delete(id)
    })
    this.#at(shard).silences = silences
  }

  #know(shard: number, guildId: string, there: boolean): ShardGuilds {
    const guilds = this.#at(shard)
    guilds.known.set(guildId, there)
    this.#shardOf.set(guildId, shard)
    return guilds
  }

  #forget({ known, awaited }: ShardGuilds, guildId: string): void {
    known.delete(guildId)
    awaited.delete(guildId)
    this.#joining.delete(guildId)
    this.#shardOf.delete(guildId)
  }
}
