import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { DropReason } from './frames.ts'
import type { GuildBook } from './guilds.ts'
import { putMembers } from './member-list.ts'
import type { Members } from './members.ts'

export interface DispatchOptions {
  presences: PresenceStore
  guilds: GuildBook
  members: Pick<
    Members,
    'requestList' | 'requestUser' | 'chunk' | 'rateLimited' | 'joined' | 'left' | 'forgetGuild' | 'forgetShard'
  >
  dropped: (reason: DropReason, count?: number) => void
  /** Everything that is no bookkeeping of members and presences. */
  onOther: (type: string, data: unknown) => void
}

/** What one event does. A returned reason means that the event could not be used. */
type Handler = (d: JsonObject, shard: number) => DropReason | undefined

/** Takes one event in. What cannot be used is counted and left out; a handler that throws does so to the caller. */
export type Dispatch = (type: string, data: unknown, shard: number) => void

/** Everything the gateway says, by event name, turned into changes of the store (docs: Gateway Events). */
export function createDispatch({ presences, guilds, members, dropped, onOther }: DispatchOptions): Dispatch {
  /** For events that are about one guild's member. */
  const inGuild =
    (take: (guildId: string, d: JsonObject, shard: number) => DropReason | undefined): Handler =>
    (d, shard) =>
      isSnowflake(d.guild_id) ? take(d.guild_id, d, shard) : 'bad_id'

  function ready(d: JsonObject, shard: number): DropReason | undefined {
    onOther('READY', d)
    if (!Array.isArray(d.guilds)) return 'not_an_object'
    members.forgetShard(shard)
    const ids = d.guilds.map(guild => (isObject(guild) ? guild.id : undefined)).filter(isSnowflake)
    guilds.ready(shard, ids)
    // From a list that is damaged it does not follow that the bot has left anything.
    if (ids.length < d.guilds.length) return 'bad_id'
    for (const gone of guilds.others(shard, ids)) removeGuild(gone)
    return undefined
  }

  function removeGuild(id: string): void {
    guilds.removed(id)
    presences.removeGuild(id)
  }

  function guildCreate(d: JsonObject, shard: number): DropReason | undefined {
    const { id } = d
    if (!isSnowflake(id)) return 'bad_id'
    if (d.unavailable === true) {
      guilds.unavailable(shard, id)
      return undefined
    }
    guilds.arrived(shard, id)
    if (takeInitialMembers(id, d)) guilds.completed(id)
    else members.requestList(shard, id)
    return undefined
  }

  /** True when GUILD_CREATE told everything there is to know about the members. */
  function takeInitialMembers(id: string, d: JsonObject): boolean {
    const list = Array.isArray(d.members) ? d.members : []
    const small = d.large !== true
    const batch = { members: list, presences: d.presences }
    const seen = new Set<string>()
    const unusable = small ? putSmall(id, batch, seen) : putPresent(id, batch)
    if (unusable > 0) dropped('bad_member', unusable)
    const whole = small && unusable === 0 && seen.size > 0 && list.length >= memberCount(d)
    if (whole) presences.retainMembers(id, seen)
    return whole
  }

  /** Small guilds list everybody, so who has no presence is offline. */
  function putSmall(id: string, batch: Parameters<typeof putMembers>[2], seen: Set<string>): number {
    return putMembers(presences, id, batch, 'offline', userId => seen.add(userId).has(userId))
  }

  /** Large guilds list some; only of those with a presence something is known for certain. */
  function putPresent(id: string, { members: list, presences: told }: Parameters<typeof putMembers>[2]): number {
    const online = new Set(Array.isArray(told) ? told.filter(isObject).map(readUserId) : [])
    const present = list.filter(member => isObject(member) && online.has(readUserId(member)))
    return putMembers(presences, id, { members: present, presences: told }, 'unknown')
  }

  function guildDelete(d: JsonObject, shard: number): DropReason | undefined {
    const { id } = d
    if (!isSnowflake(id)) return 'bad_id'
    members.forgetGuild(id)
    if (d.unavailable === true) guilds.unavailable(shard, id)
    else removeGuild(id)
    return undefined
  }

  function memberAdd(guildId: string, d: JsonObject): DropReason | undefined {
    const userId = readUserId(d)
    if (userId === undefined || !presences.putMember(guildId, d)) return 'bad_member'
    members.joined(guildId, userId)
    return undefined
  }

  function memberUpdate(guildId: string, d: JsonObject): DropReason | undefined {
    return presences.putMember(guildId, d) ? undefined : 'bad_member'
  }

  function memberRemove(guildId: string, d: JsonObject): DropReason | undefined {
    const userId = readUserId(d)
    if (userId === undefined) return 'bad_member'
    presences.removeMember(guildId, userId)
    members.left(guildId, userId)
    return undefined
  }

  function presenceUpdate(d: JsonObject, shard: number): DropReason | undefined {
    if (presences.patchPresence(d)) return undefined
    const userId = readUserId(d)
    if (userId === undefined) return 'bad_id'
    // While a guild's list is coming in, everybody is a stranger.
    if (isSnowflake(d.guild_id) && !guilds.isLoading(d.guild_id)) members.requestUser(shard, d.guild_id, userId)
    return undefined
  }

  function membersChunk(guildId: string, d: JsonObject): undefined {
    members.chunk(guildId, d)
  }

  function rateLimited(d: JsonObject): undefined {
    members.rateLimited(d)
  }

  const handlers: ReadonlyMap<string, Handler> = new Map<string, Handler>([
    ['PRESENCE_UPDATE', presenceUpdate],
    ['READY', ready],
    ['GUILD_CREATE', guildCreate],
    ['GUILD_DELETE', guildDelete],
    ['GUILD_MEMBERS_CHUNK', inGuild(membersChunk)],
    ['GUILD_MEMBER_ADD', inGuild(memberAdd)],
    ['GUILD_MEMBER_UPDATE', inGuild(memberUpdate)],
    ['GUILD_MEMBER_REMOVE', inGuild(memberRemove)],
    ['RATE_LIMITED', rateLimited],
    // The bot's own user: nobody is told of it.
    ['USER_UPDATE', () => undefined],
  ])

  return (type, data, shard) => {
    const handler = handlers.get(type)
    if (handler === undefined) return onOther(type, data)
    const reason = isObject(data) ? handler(data, shard) : 'not_an_object'
    if (reason !== undefined) dropped(reason)
  }
}

function readUserId({ user }: JsonObject): string | undefined {
  return isObject(user) && isSnowflake(user.id) ? user.id : undefined
}

/** Guilds that do not say how many members they have are believed to list all of them. */
const memberCount = ({ member_count }: JsonObject) => (typeof member_count === 'number' ? member_count : 0)
