import type { Clock } from '../lib/clock.ts'

export interface GuildBookOptions {
  clock: Clock
  /** Silence after which guilds that did not arrive are not waited for any more, milliseconds. */
  quietMs: number
  /** Nothing is awaited on this shard any more, or something is again. */
  onComplete: (shard: number, complete: boolean) => void
}

/** Which guilds the bot is in, and whose members are still on their way. */
export interface GuildBook {
  readonly size: number
  /** A guild known from an earlier process, with its members. */
  restore(shard: number, guildId: string): void
  /** READY: these guilds of the shard are to arrive. */
  ready(shard: number, guildIds: readonly string[]): void
  /** The shard's guilds that are not among these. */
  others(shard: number, guildIds: readonly string[]): string[]
  /** GUILD_CREATE: the guild is there, its member list perhaps not yet. */
  arrived(shard: number, guildId: string): void
  /** The guild's member list is in. */
  completed(guildId: string): void
  /** An outage: the guild is still ours, but need not be waited for beyond the usual patience. */
  unavailable(shard: number, guildId: string): void
  removed(guildId: string): void
  isLoading(guildId: string): boolean
  /** Something came that shows the shard is getting on. */
  progress(guildId: string): void
  /** Connected again, or not: without a connection nothing can arrive, so nobody's patience ends. */
  setConnected(shard: number, connected: boolean): void
  isComplete(shard: number): boolean
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

export function createGuildBook({ clock, quietMs, onComplete }: GuildBookOptions): GuildBook {
  const shards = new Map<number, ShardGuilds>()
  const shardOf = new Map<string, number>()

  function at(shard: number): ShardGuilds {
    const known = shards.get(shard)
    if (known !== undefined) return known
    const created = { known: new Map(), awaited: new Set<string>(), connected: false, silences: 0, cancelTimer() {} }
    shards.set(shard, created)
    return created
  }

  /** Runs a change to what is awaited, and tells when that begins or ends. */
  function change(shard: number, apply: (guilds: ShardGuilds) => void): void {
    const guilds = at(shard)
    const before = guilds.awaited.size === 0
    apply(guilds)
    guilds.silences = 0
    listen(shard, guilds)
    const after = guilds.awaited.size === 0
    if (before !== after) onComplete(shard, after)
  }

  function listen(shard: number, guilds: ShardGuilds): void {
    guilds.cancelTimer()
    guilds.cancelTimer = () => {}
    if (guilds.connected && guilds.awaited.size > 0) guilds.cancelTimer = clock.after(quietMs, () => silence(shard))
  }

  function silence(shard: number): void {
    const silences = at(shard).silences + 1
    change(shard, ({ awaited, known }) => {
      for (const id of awaited) if (silences >= LONGER_PATIENCE || known.get(id) !== true) awaited.delete(id)
    })
    at(shard).silences = silences
  }

  function know(shard: number, guildId: string, there: boolean): ShardGuilds {
    const guilds = at(shard)
    guilds.known.set(guildId, there)
    shardOf.set(guildId, shard)
    return guilds
  }

  function forget({ known, awaited }: ShardGuilds, guildId: string): void {
    known.delete(guildId)
    awaited.delete(guildId)
    shardOf.delete(guildId)
  }

  return {
    get size() {
      return shardOf.size
    },
    restore: (shard, guildId) => void know(shard, guildId, true),
    ready(shard, guildIds) {
      change(shard, guilds => {
        for (const id of guildIds) know(shard, id, false)
        guilds.awaited = new Set(guildIds)
      })
    },
    others(shard, guildIds) {
      const listed = new Set(guildIds)
      return [...at(shard).known.keys()].filter(id => !listed.has(id))
    },
    arrived(shard, guildId) {
      change(shard, () => know(shard, guildId, true).awaited.add(guildId))
    },
    completed(guildId) {
      const shard = shardOf.get(guildId)
      if (shard !== undefined) change(shard, ({ awaited }) => awaited.delete(guildId))
    },
    unavailable(shard, guildId) {
      change(shard, () => know(shard, guildId, false))
    },
    removed(guildId) {
      const shard = shardOf.get(guildId)
      if (shard !== undefined) change(shard, guilds => forget(guilds, guildId))
    },
    isLoading(guildId) {
      const shard = shardOf.get(guildId)
      return shard !== undefined && at(shard).awaited.has(guildId)
    },
    progress(guildId) {
      const shard = shardOf.get(guildId)
      if (shard !== undefined) change(shard, () => {})
    },
    setConnected(shard, connected) {
      change(shard, guilds => {
        guilds.connected = connected
      })
    },
    isComplete: shard => at(shard).awaited.size === 0,
  }
}
