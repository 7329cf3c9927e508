import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { DropReason } from './frames.ts'
import type { GuildBook } from './guilds.ts'
import { indexPresences, putMembers, readUserId } from './member-list.ts'
import type { MemberRequests } from './member-requests.ts'
import type { OfflineReports } from './offline-reports.ts'

export interface DispatchOptions {
  presences: PresenceStore
  guilds: GuildBook
  offline: OfflineReports
  /** The requests of a shard. */
  requests: (shard: number) => MemberRequests
  dropped: (reason: DropReason, count?: number) => void
  /** Told of every event once it is taken in: whoever answers people reads what they write, names and statuses, too. */
  onEvent: (type: string, data: unknown) => void
}

/** What one event does. A returned reason means that the event could not be used. */
type Handler = (d: JsonObject, shard: number) => DropReason | undefined

/** Everything the gateway says, by event name, turned into changes of the store (docs: Gateway Events). */
export class Dispatch {
  readonly #options: DispatchOptions
  readonly #handlers: ReadonlyMap<string, Handler>

  constructor(options: DispatchOptions) {
    this.#options = options
    this.#handlers = new Map<string, Handler>([
      ['PRESENCE_UPDATE', (d, shard) => this.#presenceUpdate(d, shard)],
      ['READY', (d, shard) => this.#ready(d, shard)],
      ['GUILD_CREATE', (d, shard) => this.#guildCreate(d, shard)],
      ['GUILD_DELETE', (d, shard) => this.#guildDelete(d, shard)],
      ['GUILD_MEMBERS_CHUNK', this.#inGuild((id, d, shard) => void options.requests(shard).chunk(id, d))],
      ['GUILD_MEMBER_ADD', this.#inGuild((id, d, shard) => this.#memberAdd(id, d, shard))],
      ['GUILD_MEMBER_UPDATE', this.#inGuild((id, d, shard) => this.#memberUpdate(id, d, shard))],
      ['GUILD_MEMBER_REMOVE', this.#inGuild((id, d, shard) => this.#memberRemove(id, d, shard))],
      ['RATE_LIMITED', (d, shard) => void options.requests(shard).rateLimited(d)],
      // The bot's own user: nobody is told of it.
      ['USER_UPDATE', () => undefined],
    ])
  }

  /** Takes one event in. What cannot be used is counted and left out; a handler that throws does so to the caller. */
  take(type: string, data: unknown, shard: number): void {
    const handler = this.#handlers.get(type)
    if (handler !== undefined) {
      const reason = isObject(data) ? handler(data, shard) : 'not_an_object'
      if (reason !== undefined) this.#options.dropped(reason)
    }
    this.#options.onEvent(type, data)
  }

  /** For events that are about one guild's member: they mean nothing in a guild that is none of ours. */
  #inGuild(take: (guildId: string, d: JsonObject, shard: number) => DropReason | undefined): Handler {
    return (d, shard) => {
      if (!isSnowflake(d.guild_id)) return 'bad_id'
      if (!this.#options.guilds.has(d.guild_id)) return 'unknown_guild'
      return take(d.guild_id, d, shard)
    }
  }

  #ready(d: JsonObject, shard: number): DropReason | undefined {
    const { guilds, requests } = this.#options
    if (!Array.isArray(d.guilds)) return 'not_an_object'
    requests(shard).forgetLists()
    const ids = d.guilds.map(guild => (isObject(guild) ? guild.id : undefined)).filter(isSnowflake)
    guilds.ready(shard, ids)
    // From a list that is damaged it does not follow that the bot has left anything.
    if (ids.length < d.guilds.length) return 'bad_id'
    for (const gone of guilds.others(shard, ids)) this.#removeGuild(gone, shard)
    return undefined
  }

  #removeGuild(id: string, shard: number): void {
    const { guilds, presences, offline, requests } = this.#options
    requests(shard).forgetGuild(id)
    guilds.removed(id)
    presences.removeGuild(id)
    offline.guildLeft(id)
  }

  #guildCreate(d: JsonObject, shard: number): DropReason | undefined {
    const { guilds, requests } = this.#options
    const { id } = d
    if (!isSnowflake(id)) return 'bad_id'
    if (d.unavailable === true) {
      guilds.unavailable(shard, id)
      return undefined
    }
    guilds.arrived(shard, id, typeof d.name === 'string' ? d.name : id)
    if (this.#takeInitialMembers(id, d)) guilds.completed(id)
    else requests(shard).requestList(id)
    return undefined
  }

  /**
   * True when GUILD_CREATE told everything there is to know about the members. Then who has no presence is offline, and
   * who is not listed has left; otherwise only of those with a presence something is known for certain.
   */
  #takeInitialMembers(id: string, d: JsonObject): boolean {
    const { presences, dropped } = this.#options
    const listed = Array.isArray(d.members) ? d.members : []
    const userIds = new Set(listed.map(readUserId).filter(userId => userId !== undefined))
    const told = indexPresences(d.presences)
    const somebody = [...told.keys()].some(userId => userIds.has(userId))
    const whole = d.large !== true && somebody && userIds.size === listed.length && listed.length >= memberCount(d)
    const members = whole ? listed : listed.filter(member => !isUsable(member) || told.has(readUserId(member) ?? ''))
    const unusable = putMembers(presences, id, { members, presences: d.presences }, whole ? 'offline' : 'unknown')
    if (unusable > 0) dropped('bad_member', unusable)
    if (whole) presences.retainMembers(id, userIds)
    return whole
  }

  #guildDelete(d: JsonObject, shard: number): DropReason | undefined {
    const { guilds, requests } = this.#options
    const { id } = d
    if (!isSnowflake(id)) return 'bad_id'
    if (d.unavailable === true) {
      requests(shard).forgetGuild(id)
      guilds.unavailable(shard, id)
    } else this.#removeGuild(id, shard)
    return undefined
  }

  /** Discord does not tell how who joins appears, so it is asked. */
  #memberAdd(guildId: string, d: JsonObject, shard: number): DropReason | undefined {
    const { presences } = this.#options
    const userId = readUserId(d)
    if (userId === undefined || !presences.putMember(guildId, d, 'awaited')) return 'bad_member'
    const requests = this.#options.requests(shard)
    requests.joined(guildId, userId)
    if (presences.member(userId)?.awaited === true) requests.requestNewcomer(guildId, userId)
    return undefined
  }

  #memberUpdate(guildId: string, d: JsonObject, shard: number): DropReason | undefined {
    const { presences } = this.#options
    const userId = readUserId(d)
    if (userId === undefined) return 'bad_member'
    const { memberships = [] } = presences.member(userId) ?? {}
    const isTheirs = memberships.some(membership => membership.guildId === guildId)
    if (isTheirs) return presences.putMember(guildId, d) ? undefined : 'bad_member'
    this.#askAbout(guildId, userId, shard)
    return undefined
  }

  #memberRemove(guildId: string, d: JsonObject, shard: number): DropReason | undefined {
    const { presences, offline, requests } = this.#options
    const userId = readUserId(d)
    if (userId === undefined) return 'bad_member'
    presences.removeMember(guildId, userId)
    offline.left(guildId, userId)
    requests(shard).left(guildId, userId)
    return undefined
  }

  #presenceUpdate(d: JsonObject, shard: number): DropReason | undefined {
    if (this.#options.offline.holds(d) || this.#options.presences.patchPresence(d)) return undefined
    const userId = readUserId(d)
    if (userId === undefined) return 'bad_id'
    if (isSnowflake(d.guild_id) && this.#options.guilds.has(d.guild_id)) this.#askAbout(d.guild_id, userId, shard)
    return undefined
  }

  /** Somebody is spoken of whom nobody has introduced: perhaps they have just left, perhaps we have missed them. */
  #askAbout(guildId: string, userId: string, shard: number): void {
    // While a guild's list is coming in, everybody is unknown.
    if (!this.#options.guilds.isLoading(guildId)) this.#options.requests(shard).requestUser(guildId, userId)
  }
}

const isUsable = (member: unknown) => readUserId(member) !== undefined

/** Guilds that do not say how many members they have are believed to list all of them. */
const memberCount = ({ member_count }: JsonObject) => (typeof member_count === 'number' ? member_count : 0)
