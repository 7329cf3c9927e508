import { GatewayOpcodes } from '@discordjs/core/http-only'
import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { createSendBudget } from '../lib/token-bucket.ts'
import type { DropReason } from './frames.ts'
import { MemberList, putMembers, readUserId } from './member-list.ts'
import { Newcomers } from './newcomers.ts'
import { UnknownMembers } from './unknown-members.ts'

export interface MemberRequestsOptions {
  presences: PresenceStore
  clock: Clock
  log: Log
  /** Sends to the shard's gateway; false when nothing was sent. */
  send: (payload: JsonObject) => boolean
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
  /** How long unknown people are gathered before they are asked about. */
  gatherMs: number
  /** How long somebody unknown who was asked about is not asked about again. */
  againMs: number
  /** How long people who join are gathered before they are asked about. */
  joinGatherMs: number
  /** How long an answer about who joins is waited for. */
  joinAnswerMs: number
}

/** At most 107 in any minute: the gateway takes 120 on a connection, and heartbeats need some of them. */
const SEND_BURST = 15
const SEND_INTERVAL_MS = 650
/** Lists under way at once: more would only arrive in turn, and look lost. */
const LISTS_AT_ONCE = 4
/** However long Discord says a list has to wait. */
const LONGEST_WAIT_MS = 600_000

/**
 * Asks Discord who the members of one shard's guilds are: complete lists, people who have just joined, and people nobody
 * has introduced.
 */
export class MemberRequests {
  readonly #options: MemberRequestsOptions
  readonly #budget = createSendBudget(SEND_BURST, SEND_INTERVAL_MS)
  readonly #newcomers: Newcomers
  readonly #unknown: UnknownMembers
  /** Guilds whose list is wanted, and the earliest time to ask. */
  readonly #waiting = new Map<string, number>()
  /** Lists on their way, by guild. */
  readonly #active = new Map<string, MemberList>()
  /** When a guild's list was asked for last. */
  readonly #askedAt = new Map<string, number>()
  #connected = false
  #lastNonce = 0
  #cancelTimer = () => {}

  constructor(options: MemberRequestsOptions) {
    const { timing } = options
    this.#options = options
    this.#newcomers = new Newcomers(timing.joinGatherMs, timing.joinAnswerMs)
    this.#unknown = new UnknownMembers(timing.gatherMs, timing.againMs)
  }

  /** Asks for a guild's complete list, presences included, as soon as the limits allow. */
  requestList(guildId: string): void {
    const last = this.#askedAt.get(guildId)
    this.#retry(guildId, last === undefined ? 0 : last + this.#options.timing.listIntervalMs)
    this.#pump()
  }

  /** Asks about somebody nobody has introduced. */
  requestUser(guildId: string, userId: string): void {
    const before = this.#unknown.nextAt()
    if (!this.#unknown.add(guildId, userId, this.#now())) this.#options.dropped('too_many_strangers')
    else if (this.#unknown.nextAt() < before) this.#pump()
  }

  /** Asks how somebody appears who has just joined, and whose presence is awaited. */
  requestNewcomer(guildId: string, userId: string): void {
    const before = this.#newcomers.nextAt()
    if (!this.#newcomers.add(guildId, userId, this.#now())) this.#options.presences.presumeOffline(userId)
    else if (this.#newcomers.nextAt() < before) this.#pump()
  }

  /** GUILD_MEMBERS_CHUNK. */
  chunk(guildId: string, chunk: JsonObject): void {
    const active = this.#active.get(guildId)
    // Some servers do not echo the nonce.
    const list = chunk.nonce === undefined || chunk.nonce === active?.nonce ? active : undefined
    const members = Array.isArray(chunk.members) ? chunk.members : []
    // Presences were asked for, so who has none is offline; a chunk without the field tells nothing.
    const absent = Array.isArray(chunk.presences) ? 'offline' : 'unknown'
    const { presences, dropped } = this.#options
    const batch = { members, presences: chunk.presences }
    const unusable = putMembers(presences, guildId, batch, absent, list && (id => list.accept(id)))
    if (unusable > 0) dropped('bad_member', unusable)
    if (absent === 'offline') for (const member of members) this.#newcomers.delete(guildId, readUserId(member) ?? '')
    if (Array.isArray(chunk.not_found)) this.#notFound(guildId, chunk.not_found.filter(isSnowflake))
    if (list !== undefined) this.#advance(guildId, list, chunk)
  }

  /** RATE_LIMITED: op 8 came too early. */
  rateLimited({ opcode, retry_after, meta }: JsonObject): void {
    if (opcode !== GatewayOpcodes.RequestGuildMembers || !isObject(meta) || !isSnowflake(meta.guild_id)) return
    const { guild_id: guildId, nonce } = meta
    if (typeof nonce === 'string') this.#presumeOffline(this.#newcomers.takeRefused(nonce))
    const list = this.#active.get(guildId)
    if (list === undefined || (nonce !== undefined && nonce !== list.nonce)) return
    const { timing, log } = this.#options
    const waitMs = typeof retry_after === 'number' && retry_after > 0 ? retry_after * 1000 : timing.listIntervalMs
    this.#retry(guildId, this.#now() + Math.min(waitMs, LONGEST_WAIT_MS))
    log.debug('a member list has to wait', { guild: guildId, waitMs })
    this.#pump()
  }

  joined(guildId: string, userId: string): void {
    this.#active.get(guildId)?.joined(userId)
  }

  left(guildId: string, userId: string): void {
    this.#active.get(guildId)?.left(userId)
    this.#newcomers.delete(guildId, userId)
  }

  forgetGuild(guildId: string): void {
    this.#active.delete(guildId)
    this.#waiting.delete(guildId)
    this.#unknown.forgetGuild(guildId)
    this.#newcomers.forgetGuild(guildId)
  }

  /** A new session: lists asked for in the old one will not come. */
  forgetLists(): void {
    this.#active.clear()
    this.#waiting.clear()
  }

  setConnected(connected: boolean): void {
    this.#connected = connected
    // What was under way may still be replayed, so its patience begins anew.
    for (const list of this.#active.values()) list.heardAt = this.#now()
    if (connected) this.#newcomers.askAgain(this.#now())
    this.#pump()
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }

  /** Sends what may be sent now, and comes back when more may be. */
  #pump(): void {
    this.#cancelTimer()
    this.#cancelTimer = () => {}
    if (!this.#connected) return
    this.#reviveLost()
    while (this.#budget.freeAt() <= this.#now() && this.#sendNext()) this.#budget.spend(this.#now())
    if (!this.#connected) return
    const next = this.#nextTurn()
    if (next === Number.POSITIVE_INFINITY) return
    this.#cancelTimer = this.#options.clock.after(Math.max(1, next - this.#now()), () => this.#pump())
  }

  /** Whatever has not been answered in time. */
  #reviveLost(): void {
    this.#presumeOffline(this.#newcomers.takeOverdue(this.#now()))
    const { timing, log } = this.#options
    for (const [guildId, list] of this.#active) {
      if (this.#now() - list.heardAt < timing.chunkMs) continue
      log.warn('a member list did not arrive; asking again', { guild: guildId, members: list.seen.size })
      this.#retry(guildId, list.askedAt + timing.listIntervalMs)
    }
  }

  #retry(guildId: string, notBefore: number): void {
    this.#active.delete(guildId)
    this.#waiting.set(guildId, notBefore)
  }

  /** Sends one request, if any is due; false when there is none or nothing can be sent. */
  #sendNext(): boolean {
    const now = this.#now()
    const nonce = String(++this.#lastNonce)
    const people = this.#newcomers.take(now, nonce) ?? this.#unknown.take(now)
    if (people !== undefined) return this.#request(people.guildId, nonce, { user_ids: people.userIds })
    if (this.#active.size >= LISTS_AT_ONCE) return false
    for (const [guildId, notBefore] of this.#waiting) {
      if (notBefore > now) continue
      if (!this.#request(guildId, nonce, { query: '', limit: 0 })) return false
      this.#waiting.delete(guildId)
      this.#active.set(guildId, new MemberList(nonce, now))
      this.#askedAt.set(guildId, now)
      return true
    }
    return false
  }

  #request(guildId: string, nonce: string, who: JsonObject): boolean {
    const d = { guild_id: guildId, presences: true, nonce, ...who }
    const sent = this.#options.send({ op: GatewayOpcodes.RequestGuildMembers, d })
    // The connection is going down; what is still wanted is asked for on the next one.
    if (!sent) this.#connected = false
    return sent
  }

  #nextTurn(): number {
    let next = Math.min(this.#newcomers.nextAt(), this.#unknown.nextAt())
    if (this.#active.size < LISTS_AT_ONCE) next = Math.min(next, ...this.#waiting.values())
    next = Math.max(next, this.#budget.freeAt())
    for (const { heardAt } of this.#active.values()) next = Math.min(next, heardAt + this.#options.timing.chunkMs)
    return next
  }

  #notFound(guildId: string, userIds: readonly string[]): void {
    // In another guild the answer may still come.
    this.#presumeOffline(userIds.filter(userId => this.#newcomers.delete(guildId, userId)))
  }

  /** Discord will not say how these appear. */
  #presumeOffline(userIds: readonly string[]): void {
    for (const userId of userIds) this.#options.presences.presumeOffline(userId)
  }

  #advance(guildId: string, list: MemberList, { chunk_index, chunk_count }: JsonObject): void {
    list.heardAt = this.#now()
    this.#options.onProgress(guildId)
    if (list.count(chunk_index, chunk_count)) this.#finish(guildId, list)
  }

  #finish(guildId: string, list: MemberList): void {
    const { presences, log, onList, timing } = this.#options
    // The bot itself is always a member: a list of nobody is a mistake, not news.
    if (!list.plausible) this.#retry(guildId, list.askedAt + timing.listIntervalMs)
    else {
      this.#active.delete(guildId)
      presences.retainMembers(guildId, list.seen)
      log.debug('member list complete', { guild: guildId, members: list.seen.size })
      onList(guildId)
    }
    this.#pump()
  }
}
