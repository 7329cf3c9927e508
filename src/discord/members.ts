import { GatewayOpcodes } from '@discordjs/core/http-only'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { createSendBudget, type SendBudget } from '../lib/token-bucket.ts'
import type { DropReason } from './frames.ts'
import { createMemberList, type MemberList, putMembers } from './member-list.ts'
import { createStrangers, type Strangers } from './unknown-members.ts'

export interface MembersOptions {
  presences: PresenceStore
  clock: Clock
  log: Log
  /** Sends to a shard's gateway; false when nothing was sent. */
  send: (shard: number, payload: JsonObject) => boolean
  dropped: (reason: DropReason, count?: number) => void
  /** A chunk of a list came, and the list is whole. */
  onProgress: (guildId: string) => void
  onList: (guildId: string) => void
  timing: MembersTiming
}

/** All in milliseconds. */
export interface MembersTiming {
  /** Between two complete lists of one guild (docs: Gateway Events, "Request Guild Members": one in 30 s). */
  listIntervalMs: number
  /** Silence after which a list is taken for lost. */
  chunkMs: number
  /** How long strangers are gathered before they are asked about. */
  gatherMs: number
  /** How long a stranger who was asked about is not asked about again. */
  againMs: number
}

/** Asks Discord who the members are: complete lists, and single people nobody has introduced. */
export interface Members {
  /** Asks for a guild's complete list, presences included, as soon as the limits allow. */
  requestList(shard: number, guildId: string): void
  /** Asks about one person. */
  requestUser(shard: number, guildId: string, userId: string): void
  /** GUILD_MEMBERS_CHUNK. */
  chunk(guildId: string, chunk: JsonObject): void
  /** RATE_LIMITED: op 8 came too early. */
  rateLimited(notice: JsonObject): void
  joined(guildId: string, userId: string): void
  left(guildId: string, userId: string): void
  forgetGuild(guildId: string): void
  /** A new session: whatever was asked for in the old one will not come. */
  forgetShard(shard: number): void
  setConnected(shard: number, connected: boolean): void
}

interface ShardRequests {
  connected: boolean
  budget: SendBudget
  /** Guilds whose list is wanted, and the earliest time to ask. */
  waiting: Map<string, number>
  /** Lists on their way, by guild. */
  active: Map<string, MemberList>
  strangers: Strangers
  cancelTimer: () => void
}

/** At most 107 in any minute: the gateway takes 120 on a connection, and heartbeats need some of them. */
const SEND_BURST = 15
const SEND_INTERVAL_MS = 650
/** Lists under way at once on one shard: more would only arrive in turn, and look lost. */
const LISTS_AT_ONCE = 4

export function createMembers(options: MembersOptions): Members {
  const { presences, clock, log, send, dropped, onProgress, onList, timing } = options
  const shards = new Map<number, ShardRequests>()
  const shardOf = new Map<string, number>()
  const askedAt = new Map<string, number>()
  let lastNonce = 0

  function at(shard: number): ShardRequests {
    const known = shards.get(shard)
    if (known !== undefined) return known
    const created: ShardRequests = {
      connected: false,
      budget: createSendBudget(SEND_BURST, SEND_INTERVAL_MS),
      waiting: new Map(),
      active: new Map(),
      strangers: createStrangers(timing.gatherMs, timing.againMs),
      cancelTimer() {},
    }
    shards.set(shard, created)
    return created
  }

  const activeList = (guildId: string) => shards.get(shardOf.get(guildId) ?? -1)?.active.get(guildId)

  /** Sends what may be sent now, and comes back when more may be. */
  function pump(shard: number): void {
    const requests = at(shard)
    requests.cancelTimer()
    requests.cancelTimer = () => {}
    if (!requests.connected) return
    reviveLost(shard, requests)
    while (requests.budget.freeAt() <= clock.now() && sendNext(shard, requests)) requests.budget.spend(clock.now())
    if (!requests.connected) return
    const next = nextTurn(requests)
    if (next < Number.POSITIVE_INFINITY)
      requests.cancelTimer = clock.after(Math.max(1, next - clock.now()), () => pump(shard))
  }

  function reviveLost(shard: number, { active }: ShardRequests): void {
    for (const [guildId, list] of active) {
      if (clock.now() - list.heardAt < timing.chunkMs) continue
      log.warn('a member list did not arrive; asking again', { shard, guild: guildId, members: list.seen.size })
      retry(shard, guildId, (askedAt.get(guildId) ?? 0) + timing.listIntervalMs)
    }
  }

  function retry(shard: number, guildId: string, notBefore: number): void {
    const { active, waiting } = at(shard)
    active.delete(guildId)
    waiting.set(guildId, notBefore)
  }

  /** Sends one request, if any is due; false when there is none or nothing can be sent. */
  function sendNext(shard: number, { strangers, waiting, active }: ShardRequests): boolean {
    const now = clock.now()
    const people = strangers.take(now)
    if (people !== undefined) return request(shard, people.guildId, nextNonce(), { user_ids: people.userIds })
    if (active.size >= LISTS_AT_ONCE) return false
    for (const [guildId, notBefore] of waiting) {
      if (notBefore > now) continue
      const list = createMemberList(nextNonce(), now)
      if (!request(shard, guildId, list.nonce, { query: '', limit: 0 })) return false
      waiting.delete(guildId)
      active.set(guildId, list)
      askedAt.set(guildId, now)
      return true
    }
    return false
  }

  function request(shard: number, guildId: string, nonce: string, who: JsonObject): boolean {
    const d = { guild_id: guildId, presences: true, nonce, ...who }
    const sent = send(shard, { op: GatewayOpcodes.RequestGuildMembers, d })
    // The connection is going down; what is still wanted is asked for on the next one.
    if (!sent) at(shard).connected = false
    return sent
  }

  const nextNonce = () => String(++lastNonce)

  function nextTurn({ budget, strangers, waiting, active }: ShardRequests): number {
    let next = strangers.nextAt()
    if (active.size < LISTS_AT_ONCE) for (const notBefore of waiting.values()) next = Math.min(next, notBefore)
    next = Math.max(next, budget.freeAt())
    for (const { heardAt } of active.values()) next = Math.min(next, heardAt + timing.chunkMs)
    return next
  }

  function advance(guildId: string, list: MemberList, { chunk_index, chunk_count }: JsonObject): void {
    list.heardAt = clock.now()
    onProgress(guildId)
    if (list.count(chunk_index, chunk_count)) finish(guildId, list)
  }

  function finish(guildId: string, list: MemberList): void {
    const shard = shardOf.get(guildId) ?? 0
    // The bot itself is always a member: a list of nobody is a mistake, not news.
    if (!list.plausible) retry(shard, guildId, list.askedAt + timing.listIntervalMs)
    else {
      at(shard).active.delete(guildId)
      presences.retainMembers(guildId, list.seen)
      log.debug('member list complete', { shard, guild: guildId, members: list.seen.size })
      onList(guildId)
    }
    pump(shard)
  }

  return {
    requestList(shard, guildId) {
      shardOf.set(guildId, shard)
      const last = askedAt.get(guildId)
      retry(shard, guildId, last === undefined ? 0 : last + timing.listIntervalMs)
      pump(shard)
    },
    requestUser(shard, guildId, userId) {
      const { strangers } = at(shard)
      const before = strangers.nextAt()
      if (!strangers.add(guildId, userId, clock.now())) return dropped('too_many_strangers')
      if (strangers.nextAt() < before) pump(shard)
    },
    chunk(guildId, chunk) {
      const active = activeList(guildId)
      // Some servers do not echo the nonce.
      const list = chunk.nonce === undefined || chunk.nonce === active?.nonce ? active : undefined
      const members = Array.isArray(chunk.members) ? chunk.members : []
      // Presences were asked for, so who has none is offline; a chunk without the field tells nothing.
      const absent = Array.isArray(chunk.presences) ? 'offline' : 'unknown'
      const batch = { members, presences: chunk.presences }
      const unusable = putMembers(presences, guildId, batch, absent, list?.accept)
      if (unusable > 0) dropped('bad_member', unusable)
      if (list !== undefined) advance(guildId, list, chunk)
    },
    rateLimited({ opcode, retry_after, meta }) {
      if (opcode !== GatewayOpcodes.RequestGuildMembers || !isObject(meta) || !isSnowflake(meta.guild_id)) return
      const list = activeList(meta.guild_id)
      if (list === undefined || (meta.nonce !== undefined && meta.nonce !== list.nonce)) return
      const wait = typeof retry_after === 'number' && retry_after > 0 ? retry_after * 1000 : timing.listIntervalMs
      const shard = shardOf.get(meta.guild_id) ?? 0
      retry(shard, meta.guild_id, clock.now() + Math.min(wait, 600_000))
      log.debug('a member list has to wait', { shard, guild: meta.guild_id, waitMs: wait })
      pump(shard)
    },
    joined: (guildId, userId) => activeList(guildId)?.joined(userId),
    left: (guildId, userId) => activeList(guildId)?.left(userId),
    forgetGuild(guildId) {
      const requests = shards.get(shardOf.get(guildId) ?? -1)
      requests?.active.delete(guildId)
      requests?.waiting.delete(guildId)
      requests?.strangers.forgetGuild(guildId)
    },
    forgetShard(shard) {
      const { active, waiting } = at(shard)
      active.clear()
      waiting.clear()
    },
    setConnected(shard, connected) {
      const requests = at(shard)
      requests.connected = connected
      // What was under way may still be replayed, so its patience begins anew.
      for (const list of requests.active.values()) list.heardAt = clock.now()
      pump(shard)
    },
  }
}
