import { buildMember } from '../people/builders.ts'
import type { World } from '../people/world.ts'
import { type Guild, Intent, type Json, type MemberFields, type User, type Viewer } from '../types.ts'

/** Above this many members GUILD_CREATE names almost nobody (docs: Gateway Events, "Guild Create"). */
export const HUGE_GUILD = 75_000

type Readable = Pick<World, 'user' | 'presence' | 'bot'>

/** A complete member object; `user` comes first as the gateway has it: without what only REST tells of a profile. */
export function memberPayload(user: User, fields: MemberFields): Json {
  const { banner: _, accent_color: __, ...told } = user
  return { user: told, ...fields }
}

/** A presence as it stands in lists: only the user's id, no guild (docs: Gateway Events, "Presence Update"). */
export function presencePayload(world: Readable, userId: string): Json | null {
  const presence = world.presence(userId)
  return presence && presence.status !== 'offline' ? { user: { id: userId }, ...presence } : null
}

/**
 * GUILD_CREATE as one viewer gets it. Without the presence intent, or in a huge guild, it names the bot alone; above the
 * large threshold those who are online, have a role or a nickname; below it everybody
 * (docs: Gateway Events, "Request Guild Members" and "Guild Create").
 */
export function guildCreatePayload(world: Readable, guild: Guild, viewer: Viewer): Json {
  const sees = memberFilter(world, guild, viewer)
  const members: Json[] = []
  const presences: Json[] = []
  for (const [userId, fields] of guild.members) {
    if (!sees(userId, fields)) continue
    const user = world.user(userId)
    if (user) members.push(memberPayload(user, fields))
    const presence = viewer.intents & Intent.guildPresences ? presencePayload(world, userId) : null
    if (presence) presences.push(presence)
  }
  const large = guild.members.size > viewer.largeThreshold
  return { ...guildFields(guild), large, member_count: guild.members.size, members, presences }
}

function memberFilter(
  world: Readable,
  guild: Guild,
  viewer: Viewer,
): (userId: string, fields: MemberFields) => boolean {
  if (!(viewer.intents & Intent.guildPresences) || guild.members.size > HUGE_GUILD) return id => id === world.bot.id
  if (guild.members.size <= viewer.largeThreshold) return () => true
  return (id, fields) => {
    const online = (world.presence(id)?.status ?? 'offline') !== 'offline'
    return online || id === world.bot.id || Boolean(fields.nick) || (fields.roles?.length ?? 0) > 0
  }
}

function guildFields(guild: Guild): Json {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    splash: null,
    discovery_splash: null,
    description: null,
    banner: null,
    owner_id: guild.ownerId,
    application_id: null,
    afk_channel_id: null,
    afk_timeout: 300,
    widget_enabled: false,
    widget_channel_id: null,
    verification_level: 0,
    default_message_notifications: 1,
    explicit_content_filter: 0,
    roles: [everyoneRole(guild)],
    emojis: [],
    stickers: [],
    features: [],
    mfa_level: 0,
    system_channel_id: guild.channels[0]?.id ?? null,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    max_members: 500_000,
    vanity_url_code: null,
    premium_tier: 0,
    premium_subscription_count: 0,
    preferred_locale: 'en-US',
    nsfw_level: 0,
    premium_progress_bar_enabled: false,
    joined_at: guild.joinedAt,
    unavailable: false,
    voice_states: [],
    channels: guild.channels,
    threads: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
    embedded_activities: [],
    version: 1,
  }
}

function everyoneRole(guild: Guild): Json {
  return {
    id: guild.id,
    name: '@everyone',
    color: 0,
    hoist: false,
    position: 0,
    permissions: '2248473465835073',
    managed: false,
    mentionable: false,
    flags: 0,
  }
}

/** The bot's own membership of a guild. */
export function botMember(joinedAt: string): MemberFields {
  return buildMember({ joined_at: joinedAt })
}
