/** JSON objects as they go over the wire; unknown keys are welcome, Discord adds some every month. */
export type Json = Record<string, unknown>

export type Status = 'online' | 'idle' | 'dnd' | 'offline'

/** A user object (docs: Resources, User). */
export interface User extends Json {
  id: string
  username: string
  avatar?: string | null
  bot?: boolean
}

/** A guild member without its `user` (docs: Resources, Guild, "Guild Member Object"). */
export interface MemberFields extends Json {
  nick?: string | null
  roles?: string[]
  joined_at?: string
}

export interface Activity extends Json {
  name: string
  type: number
}

/** A presence without `user` and `guild_id` (docs: Gateway Events, "Presence Update"). */
export interface Presence extends Json {
  status: Status
  activities: Activity[]
  client_status: Record<string, string>
}

export interface Channel extends Json {
  id: string
  type: number
  guild_id?: string
}

export interface Message extends Json {
  id: string
  channel_id: string
  guild_id?: string
  author: User
  content: string
}

/** A guild as the simulator keeps it; `members` maps user ids to member fields. */
export interface Guild {
  readonly id: string
  readonly name: string
  readonly ownerId: string
  readonly joinedAt: string
  readonly members: Map<string, MemberFields>
  readonly channels: Channel[]
  unavailable: boolean
}

/** What a session may see: decides who receives an event and what is left out of it. */
export interface Viewer {
  readonly intents: number
  readonly largeThreshold: number
}

/** One thing that happened, on its way to the sessions that may see it. */
export interface Dispatch {
  t: string
  /** The guild it belongs to; null: only shard 0 gets it (docs: Gateway, "Sharding"). */
  guildId: string | null
  /** Any one of these intents lets it through; 0: no intent is needed. */
  intents: number
  /** The same payload for everybody, or one made for each viewer (null: this viewer gets nothing). */
  d: Json | ((viewer: Viewer) => Json | null)
}

/** Gateway intents (docs: Gateway, "List of Intents"). */
export const Intent = {
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  messageContent: 1 << 15,
} as const

/** Every documented intent bit; any other one is refused with 4013. */
export const ALL_INTENTS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 24, 25].reduce(
  (bits, bit) => bits | (1 << bit),
  0,
)

/** Application flags that switch privileged intents on (docs: Resources, Application, "Application Flags"). */
export const ApplicationFlag = {
  gatewayPresence: 1 << 12,
  gatewayPresenceLimited: 1 << 13,
  gatewayGuildMembers: 1 << 14,
  gatewayGuildMembersLimited: 1 << 15,
  gatewayMessageContent: 1 << 18,
  gatewayMessageContentLimited: 1 << 19,
} as const
