import { botMember, guildCreatePayload, memberPayload } from '../gateway/guild-payloads.ts'
import { createRandom, createSnowflakes, type Random } from '../random.ts'
import {
  type Channel,
  type Dispatch,
  type Guild,
  Intent,
  type Json,
  type MemberFields,
  type Presence,
  type User,
} from '../types.ts'
import { buildMember, buildPresence, buildTimestamp } from './builders.ts'
import { createPeople, type PresenceInput } from './people.ts'

/** A new member: who, with what fields, and how they appear. A bare number of members means made-up ones. */
export interface MemberInit extends MemberFields {
  /** Id of a known user, or the fields of a new one; left out: somebody made up. */
  user?: string | Partial<User>
  presence?: PresenceInput
}

export interface GuildInit {
  id?: string
  name?: string
  members?: number | MemberInit[]
  /** How many of `members`, when it is a number, are online. Default: all. */
  online?: number
  /** Names of text channels; default `general`. */
  channels?: string[]
  unavailable?: boolean
}

export interface World {
  readonly bot: User
  readonly random: Random
  readonly guilds: ReadonlyMap<string, Guild>
  user(userId: string): User | undefined
  presence(userId: string): Presence | undefined
  channel(channelId: string): Channel | undefined
  guild(guildId: string): Guild
  /** Guilds that both the bot and this user are in. */
  guildsOf(userId: string): Guild[]
  /** A fresh id; users, guilds and channels are years old, pass the time for anything that happens now. */
  snowflake(atMs?: number): string
  /** A user in no guild yet. */
  addUser(patch?: Partial<User>): User
  /** The bot joins a guild (or it already was there, before anybody connects). */
  addGuild(init?: GuildInit): Guild
  /** The bot is removed: GUILD_DELETE without `unavailable`. */
  removeGuild(guildId: string): void
  /** An outage: GUILD_DELETE with `unavailable: true`; nothing of the guild is sent until it is back. */
  makeGuildUnavailable(guildId: string): void
  makeGuildAvailable(guildId: string): void
  addMember(guildId: string, user?: string | Partial<User>, init?: Omit<MemberInit, 'user'>): User
  removeMember(guildId: string, userId: string): void
  /** `user` patches the user too, as one event, the way Discord reports a rename. */
  updateMember(guildId: string, userId: string, patch: MemberFields & { user?: Partial<User> }): void
  /** GUILD_MEMBER_UPDATE in each shared guild, and a PRESENCE_UPDATE with the changed user fields for those online. */
  updateUser(userId: string, patch: Partial<User>): User
  /** One PRESENCE_UPDATE for each shared guild, as Discord sends it; null goes offline. */
  setPresence(userId: string, presence: PresenceInput): void
  /** The same without telling anybody: state that was there before. */
  placePresence(userId: string, presence: PresenceInput): void
  addChannel(channel: Channel): Channel
}

export interface WorldOptions {
  seed: number
  now: () => number
  botId: string
  emit: (event: Dispatch) => void
}

const WORLD_BEGINS_MS = Date.UTC(2017, 3, 1)

/** The people, guilds and presences of the simulated Discord; every change is emitted as the gateway events it causes. */
export function createWorld(options: WorldOptions): World {
  const { emit, now } = options
  const random = createRandom(options.seed)
  const nextId = createSnowflakes(WORLD_BEGINS_MS)
  const nextRecentId = createSnowflakes(now())
  const snowflake = (atMs?: number) => (atMs === undefined ? nextId() : nextRecentId(atMs))
  const guilds = new Map<string, Guild>()
  const channels = new Map<string, Channel>()
  const people = createPeople({ random, now, botId: options.botId, nextId })

  const timestamp = () => buildTimestamp(now())

  function guild(guildId: string): Guild {
    const found = guilds.get(guildId)
    if (!found) throw new Error(`the simulated bot is in no guild ${guildId}`)
    return found
  }

  function member(guildId: string, userId: string): MemberFields {
    const found = guild(guildId).members.get(userId)
    if (!found) throw new Error(`user ${userId} is no member of guild ${guildId}`)
    return found
  }

  function guildsOf(userId: string): Guild[] {
    return [...guilds.values()].filter(candidate => candidate.members.has(userId))
  }

  function placeMember(target: Guild, init: MemberInit): User {
    const { user: who, presence, ...fields } = init
    const user = typeof who === 'string' ? people.known(who) : people.add(who)
    target.members.set(user.id, buildMember({ joined_at: timestamp(), ...fields }))
    if (presence !== undefined) people.place(user.id, presence)
    return user
  }

  function addGuild(init: GuildInit = {}): Guild {
    const id = init.id ?? snowflake()
    if (guilds.has(id)) throw new Error(`the simulated bot is in guild ${id} already`)
    const created: Guild = {
      id,
      name: init.name ?? `Guild ${guilds.size + 1}`,
      ownerId: options.botId,
      joinedAt: timestamp(),
      members: new Map([[options.botId, botMember(timestamp())]]),
      channels: [],
      unavailable: init.unavailable ?? false,
    }
    guilds.set(id, created)
    for (const name of init.channels ?? ['general']) addChannel(textChannel(snowflake(), id, name))
    for (const newcomer of membersToPlace(init, random, now())) placeMember(created, newcomer)
    if (!created.unavailable) announceGuild(created)
    return created
  }

  function announceGuild(target: Guild): void {
    const d = (viewer: Parameters<typeof guildCreatePayload>[2]) => guildCreatePayload(world, target, viewer)
    emit({ t: 'GUILD_CREATE', guildId: target.id, intents: Intent.guilds, d })
  }

  function removeGuild(guildId: string): void {
    const gone = guild(guildId)
    guilds.delete(guildId)
    for (const channel of gone.channels) channels.delete(channel.id)
    emit({ t: 'GUILD_DELETE', guildId, intents: Intent.guilds, d: { id: guildId } })
  }

  function makeGuildUnavailable(guildId: string): void {
    guild(guildId).unavailable = true
    emit({ t: 'GUILD_DELETE', guildId, intents: Intent.guilds, d: { id: guildId, unavailable: true } })
  }

  function makeGuildAvailable(guildId: string): void {
    const target = guild(guildId)
    target.unavailable = false
    announceGuild(target)
  }

  function addMember(guildId: string, who?: string | Partial<User>, init: Omit<MemberInit, 'user'> = {}): User {
    const target = guild(guildId)
    const user = placeMember(target, { ...init, user: who } as MemberInit)
    const d = { ...memberPayload(user, member(guildId, user.id)), guild_id: guildId }
    emitGuild(guildId, 'GUILD_MEMBER_ADD', Intent.guildMembers, d)
    if (people.presence(user.id)) emitPresence(guildId, user.id)
    return user
  }

  function removeMember(guildId: string, userId: string): void {
    const user = people.known(userId)
    if (!guild(guildId).members.delete(userId)) throw new Error(`user ${userId} is no member of guild ${guildId}`)
    emitGuild(guildId, 'GUILD_MEMBER_REMOVE', Intent.guildMembers, { guild_id: guildId, user })
  }

  function updateMember(guildId: string, userId: string, patch: MemberFields & { user?: Partial<User> }): void {
    const { user, ...fields } = patch
    guild(guildId).members.set(userId, { ...member(guildId, userId), ...fields })
    if (user) people.patch(userId, user)
    emitMemberUpdate(guildId, userId)
  }

  function updateUser(userId: string, patch: Partial<User>): User {
    const user = people.patch(userId, patch)
    for (const shared of guildsOf(userId)) {
      emitMemberUpdate(shared.id, userId)
      if (people.presence(userId)) emitPresence(shared.id, userId, { ...patch, id: userId })
    }
    return user
  }

  function setPresence(userId: string, presence: PresenceInput): void {
    people.known(userId)
    people.place(userId, presence)
    for (const shared of guildsOf(userId)) emitPresence(shared.id, userId)
  }

  function emitGuild(guildId: string, t: string, intents: number, d: Json): void {
    if (!guild(guildId).unavailable) emit({ t, guildId, intents, d })
  }

  function emitMemberUpdate(guildId: string, userId: string): void {
    const d = { ...memberPayload(people.known(userId), member(guildId, userId)), guild_id: guildId }
    // The bot's own member is reported whatever the intents (docs: Gateway, "Caveats").
    emitGuild(guildId, 'GUILD_MEMBER_UPDATE', userId === options.botId ? 0 : Intent.guildMembers, d)
  }

  function emitPresence(guildId: string, userId: string, user: Json = { id: userId }): void {
    const presence = people.shown(userId)
    emitGuild(guildId, 'PRESENCE_UPDATE', Intent.guildPresences, { user, guild_id: guildId, ...presence })
  }

  function addChannel(channel: Channel): Channel {
    channels.set(channel.id, channel)
    if (channel.guild_id !== undefined) guild(channel.guild_id).channels.push(channel)
    return channel
  }

  const world: World = {
    get bot() {
      return people.bot
    },
    random,
    guilds,
    user: people.user,
    presence: people.presence,
    channel: channelId => channels.get(channelId),
    guild,
    guildsOf,
    snowflake,
    addUser: people.add,
    addGuild,
    removeGuild,
    makeGuildUnavailable,
    makeGuildAvailable,
    addMember,
    removeMember,
    updateMember,
    updateUser,
    setPresence,
    placePresence: people.place,
    addChannel,
  }
  return world
}

function textChannel(id: string, guildId: string, name: string): Channel {
  return { id, type: 0, guild_id: guildId, name, position: 0, topic: null, nsfw: false, permission_overwrites: [] }
}

function* membersToPlace(init: GuildInit, random: Random, at: number): Iterable<MemberInit> {
  if (Array.isArray(init.members)) return yield* init.members
  const count = init.members ?? 0
  const online = init.online ?? count
  for (let index = 0; index < count; index++) {
    const status = random.pick(['online', 'idle', 'dnd'] as const)
    yield index < online ? { presence: buildPresence({ status, at }) } : {}
  }
}
