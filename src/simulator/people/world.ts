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
import { APPLICATIONS } from './catalogue.ts'
import { People, type PresenceInput } from './people.ts'

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

export interface WorldOptions {
  seed: number
  now: () => number
  botId: string
  emit: (event: Dispatch) => void
}

const WORLD_BEGINS_MS = Date.UTC(2017, 3, 1)

/** The people, guilds and presences of the simulated Discord; every change is emitted as the gateway events it causes. */
export class World {
  readonly #emit: (event: Dispatch) => void
  readonly #now: () => number
  readonly random: Random
  readonly #nextId = createSnowflakes(WORLD_BEGINS_MS)
  readonly #nextRecentId: (atMs?: number) => string
  readonly guilds = new Map<string, Guild>()
  /** What has registered with Discord, by id. */
  readonly applications = new Map(APPLICATIONS.map(application => [application.id, application]))
  readonly #channels = new Map<string, Channel>()
  readonly #people: People
  readonly #options: WorldOptions

  constructor(options: WorldOptions) {
    this.#options = options
    this.#emit = options.emit
    this.#now = options.now
    this.random = createRandom(options.seed)
    this.#nextRecentId = createSnowflakes(this.#now())
    this.#people = new People({ random: this.random, now: this.#now, botId: options.botId, nextId: this.#nextId })
  }

  get bot(): User {
    return this.#people.bot
  }

  user(userId: string): User | undefined {
    return this.#people.user(userId)
  }

  presence(userId: string): Presence | undefined {
    return this.#people.presence(userId)
  }

  /** A user in no guild yet. */
  addUser(patch?: Partial<User>): User {
    return this.#people.add(patch)
  }

  /** What {@link setPresence} does without telling anybody: state that was there before. */
  placePresence(userId: string, presence: PresenceInput): void {
    this.#people.place(userId, presence)
  }

  /** A fresh id; users, guilds and channels are years old, pass the time for anything that happens now. */
  snowflake(atMs?: number): string {
    return atMs === undefined ? this.#nextId() : this.#nextRecentId(atMs)
  }

  guild(guildId: string): Guild {
    const found = this.guilds.get(guildId)
    if (!found) throw new Error(`the simulated bot is in no guild ${guildId}`)
    return found
  }

  /** Guilds that both the bot and this user are in. */
  guildsOf(userId: string): Guild[] {
    return [...this.guilds.values()].filter(candidate => candidate.members.has(userId))
  }

  /** The bot joins a guild (or it already was there, before anybody connects). */
  addGuild(init: GuildInit = {}): Guild {
    const id = init.id ?? this.snowflake()
    if (this.guilds.has(id)) throw new Error(`the simulated bot is in guild ${id} already`)
    const created: Guild = {
      id,
      name: init.name ?? `Guild ${this.guilds.size + 1}`,
      ownerId: this.#options.botId,
      joinedAt: this.#timestamp(),
      members: new Map([[this.#options.botId, botMember(this.#timestamp())]]),
      channels: [],
      unavailable: init.unavailable ?? false,
    }
    this.guilds.set(id, created)
    for (const name of init.channels ?? ['general']) this.addChannel(textChannel(this.snowflake(), id, name))
    for (const newcomer of membersToPlace(init, this.random, this.#now())) this.#placeMember(created, newcomer)
    if (!created.unavailable) this.#announceGuild(created)
    return created
  }

  /** The bot is removed: GUILD_DELETE without `unavailable`. */
  removeGuild(guildId: string): void {
    const gone = this.guild(guildId)
    this.guilds.delete(guildId)
    for (const channel of gone.channels) this.#channels.delete(channel.id)
    this.#emit({ t: 'GUILD_DELETE', guildId, intents: Intent.guilds, d: { id: guildId } })
  }

  /** An outage: GUILD_DELETE with `unavailable: true`; nothing of the guild is sent until it is back. */
  makeGuildUnavailable(guildId: string): void {
    this.guild(guildId).unavailable = true
    this.#emit({ t: 'GUILD_DELETE', guildId, intents: Intent.guilds, d: { id: guildId, unavailable: true } })
  }

  makeGuildAvailable(guildId: string): void {
    const target = this.guild(guildId)
    target.unavailable = false
    this.#announceGuild(target)
  }

  /** Nobody is told how who joins appears: GUILD_MEMBER_ADD has no presence, and no PRESENCE_UPDATE follows it. */
  addMember(guildId: string, who?: string | Partial<User>, init: Omit<MemberInit, 'user'> = {}): User {
    const target = this.guild(guildId)
    const user = this.#placeMember(target, { ...init, user: who } as MemberInit)
    const d = { ...memberPayload(user, this.#member(guildId, user.id)), guild_id: guildId }
    this.#emitGuild(guildId, 'GUILD_MEMBER_ADD', Intent.guildMembers, d)
    return user
  }

  removeMember(guildId: string, userId: string): void {
    const user = this.#people.known(userId)
    if (!this.guild(guildId).members.delete(userId)) throw new Error(`user ${userId} is no member of guild ${guildId}`)
    this.#emitGuild(guildId, 'GUILD_MEMBER_REMOVE', Intent.guildMembers, { guild_id: guildId, user })
  }

  /** `user` patches the user too, as one event, the way Discord reports a rename. */
  updateMember(guildId: string, userId: string, patch: MemberFields & { user?: Partial<User> }): void {
    const { user, ...fields } = patch
    this.guild(guildId).members.set(userId, { ...this.#member(guildId, userId), ...fields })
    if (user) this.#people.patch(userId, user)
    this.#emitMemberUpdate(guildId, userId)
  }

  /** GUILD_MEMBER_UPDATE in each shared guild, and a PRESENCE_UPDATE with the changed user fields for those online. */
  updateUser(userId: string, patch: Partial<User>): User {
    const user = this.#people.patch(userId, patch)
    for (const shared of this.guildsOf(userId)) {
      this.#emitMemberUpdate(shared.id, userId)
      if (this.#people.presence(userId)) this.#emitPresence(shared.id, userId, { ...patch, id: userId })
    }
    return user
  }

  /** One PRESENCE_UPDATE for each shared guild, as Discord sends it; null goes offline. */
  setPresence(userId: string, presence: PresenceInput): void {
    this.#people.known(userId)
    this.#people.place(userId, presence)
    for (const shared of this.guildsOf(userId)) this.#emitPresence(shared.id, userId)
  }

  addChannel(channel: Channel): Channel {
    this.#channels.set(channel.id, channel)
    if (channel.guild_id !== undefined) this.guild(channel.guild_id).channels.push(channel)
    return channel
  }

  channel(channelId: string): Channel | undefined {
    return this.#channels.get(channelId)
  }

  #timestamp(): string {
    return buildTimestamp(this.#now())
  }

  #member(guildId: string, userId: string): MemberFields {
    const found = this.guild(guildId).members.get(userId)
    if (!found) throw new Error(`user ${userId} is no member of guild ${guildId}`)
    return found
  }

  #placeMember(target: Guild, init: MemberInit): User {
    const { user: who, presence, ...fields } = init
    const user = typeof who === 'string' ? this.#people.known(who) : this.#people.add(who)
    target.members.set(user.id, buildMember({ joined_at: this.#timestamp(), ...fields }))
    if (presence !== undefined) this.#people.place(user.id, presence)
    return user
  }

  #announceGuild(target: Guild): void {
    const d = (viewer: Parameters<typeof guildCreatePayload>[2]) => guildCreatePayload(this, target, viewer)
    this.#emit({ t: 'GUILD_CREATE', guildId: target.id, intents: Intent.guilds, d })
  }

  #emitGuild(guildId: string, t: string, intents: number, d: Json): void {
    if (!this.guild(guildId).unavailable) this.#emit({ t, guildId, intents, d })
  }

  #emitMemberUpdate(guildId: string, userId: string): void {
    const d = { ...memberPayload(this.#people.known(userId), this.#member(guildId, userId)), guild_id: guildId }
    // The bot's own member is reported whatever the intents (docs: Gateway, "Caveats").
    this.#emitGuild(guildId, 'GUILD_MEMBER_UPDATE', userId === this.#options.botId ? 0 : Intent.guildMembers, d)
  }

  #emitPresence(guildId: string, userId: string, user: Json = { id: userId }): void {
    const presence = this.#people.shown(userId)
    this.#emitGuild(guildId, 'PRESENCE_UPDATE', Intent.guildPresences, { user, guild_id: guildId, ...presence })
  }
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
