import type { Random } from '../random.ts'
import type { Activity, Json, MemberFields, Presence, Status, User } from '../types.ts'
import { EMOJIS, GAMES, type Game, NAMES, SONGS, type Song, STATUS_TEXTS, type StatusText } from './catalogue.ts'

/**
 * A user object with the fields the gateway sends today (docs: Resources, User), decorations included for some.
 * `patch` wins over what is made up; give an `id`.
 */
export function buildUser(random: Random, patch: Partial<User> & { id: string }): User {
  const name = random.pick(NAMES)
  const guildTag = random.chance(0.3) ? buildGuildTag(random) : null
  return {
    username: `${name.toLowerCase()}_${random.hex(6)}`,
    public_flags: random.chance(0.2) ? 256 : 0,
    primary_guild: guildTag,
    clan: guildTag,
    global_name: random.chance(0.8) ? name : null,
    display_name_styles: random.chance(0.1) ? { font_id: 3, effect_id: 2, colors: [random.int(0, 0xffffff)] } : null,
    discriminator: '0',
    collectibles: random.chance(0.15) ? { nameplate: buildNameplate() } : null,
    bot: false,
    avatar_decoration_data: random.chance(0.2) ? buildDecoration(random) : null,
    avatar: random.chance(0.85) ? random.hex(32) : null,
    ...patch,
  }
}

function buildGuildTag(random: Random): Json {
  const tag = random.base62(4).toUpperCase()
  return { tag, identity_guild_id: '880000000000000001', identity_enabled: true, badge: random.hex(32) }
}

function buildNameplate(): Json {
  const asset = 'nameplates/simulator/aurora/'
  return {
    sku_id: '1390000000000000001',
    palette: 'teal',
    label: 'COLLECTIBLES_AURORA_NP_A11Y',
    expires_at: null,
    asset,
  }
}

function buildDecoration(random: Random): Json {
  return { sku_id: '1390000000000000002', expires_at: null, asset: `a_${random.hex(32)}` }
}

/** What a member object holds beside its user (docs: Resources, Guild, "Guild Member Object"). */
export function buildMember(patch: MemberFields = {}): MemberFields {
  return {
    roles: [],
    premium_since: null,
    pending: false,
    nick: null,
    mute: false,
    joined_at: '2024-06-18T21:52:05.463000+00:00',
    flags: 0,
    deaf: false,
    communication_disabled_until: null,
    banner: null,
    avatar: null,
    ...patch,
  }
}

/** Options of {@link buildPresence}; what is left out is what a plain desktop client would send. */
export interface PresenceInit {
  status?: Status
  activities?: Activity[]
  /** Platform to status; default: desktop with the status itself. */
  clientStatus?: Record<string, string>
  /** Milliseconds; when Discord handled it. */
  at?: number
}

/** A presence with `game` repeating the first activity and `processed_at_timestamp`, as the gateway sends them. */
export function buildPresence(init: PresenceInit = {}): Presence {
  const status = init.status ?? 'online'
  const activities = status === 'offline' ? [] : (init.activities ?? [])
  const clientStatus: Record<string, string> = status === 'offline' ? {} : (init.clientStatus ?? { desktop: status })
  return {
    status,
    processed_at_timestamp: init.at ?? Date.now(),
    game: activities[0] ?? null,
    client_status: clientStatus,
    activities,
  }
}

/** The activity of a Spotify listener: `id` is always `spotify:1`, the times bracket the track. */
export function buildSpotify(
  random: Random,
  userId: string,
  startedAt: number,
  song: Song = random.pick(SONGS),
): Activity {
  return {
    type: 2,
    timestamps: { start: startedAt, end: startedAt + song.length },
    sync_id: song.trackId,
    state: song.artist,
    session_id: random.hex(32),
    party: { id: `spotify:${userId}` },
    name: 'Spotify',
    id: 'spotify:1',
    flags: 48,
    details: song.title,
    created_at: startedAt,
    assets: { large_text: song.album, large_image: `spotify:${song.art}` },
  }
}

/** A game with rich presence. */
export function buildGame(random: Random, startedAt: number, game: Game = random.pick(GAMES)): Activity {
  const { art, smallText, seats = 1 } = game
  return {
    type: 0,
    timestamps: { start: startedAt },
    session_id: random.hex(32),
    name: game.name,
    id: random.hex(16),
    details: game.details,
    state: game.state,
    flags: 0,
    created_at: startedAt,
    application_id: game.applicationId,
    ...(art !== undefined && {
      assets: {
        large_image: art.large,
        large_text: game.name,
        ...(art.small !== undefined && { small_image: art.small, small_text: smallText }),
      },
    }),
    ...(seats > 1 && { party: { id: random.hex(16), size: [random.int(1, seats), seats] } }),
  }
}

/** A custom status: one of one's own, or any with an emoji, half of which are custom ones. */
export function buildCustomStatus(random: Random, at: number, status: StatusText = anyStatus(random)): Activity {
  const { text, emoji } = status
  const said = { ...(text !== null && { state: text }), ...(emoji !== undefined && { emoji }) }
  return { type: 4, name: 'Custom Status', id: 'custom', ...said, created_at: at }
}

function anyStatus(random: Random): StatusText {
  return { text: random.pick(STATUS_TEXTS), emoji: random.chance(0.5) ? random.pick(EMOJIS) : { name: '🌱' } }
}

/** Something watched through a browser extension: `media` art comes from an external address. */
export function buildWatching(random: Random, startedAt: number): Activity {
  return {
    type: 3,
    timestamps: { start: startedAt },
    session_id: `h:${random.hex(28)}`,
    platform: 'desktop',
    name: 'Streambox',
    id: random.hex(16),
    flags: 192,
    details: 'Viewing home page',
    created_at: startedAt,
    assets: { large_image: `mp:external/${random.base62(43)}/https/example.org/logo.png` },
    application_id: '901234567890123009',
  }
}

/** Discord's way to write a time: microseconds and an offset. */
export function buildTimestamp(at: number): string {
  return new Date(at).toISOString().replace('Z', '000+00:00')
}
