import { type TSchema, Type as t } from '@sinclair/typebox'
import type { ApiError } from '../domain/errors.ts'
import { KV_KEY, KV_LIMITS } from '../domain/kv-limits.ts'
import { NOW_PLAYING, NOW_PLAYING_EXAMPLE } from './music-schema.ts'

/** What goes over the wire, as JSON Schema for the API document. Nothing is validated with these: answers are made as text. */

const nullable = <S extends TSchema>(schema: S) => t.Union([schema, t.Null()])
const flag = (description: string) => t.Boolean({ description })

export const SNOWFLAKE = t.String({
  pattern: '^\\d{1,20}$',
  description: 'A Discord id',
  examples: ['204255221017214977'],
})

const KEY = t.String({ pattern: KV_KEY.source.replace('+', `{1,${KV_LIMITS.keyLength}}`) })

export const PAIRS = t.Record(KEY, t.String({ maxLength: KV_LIMITS.valueLength }), {
  description: `The user's own key-value pairs, ${KV_LIMITS.keys} at most`,
  examples: [{ location: 'Berlin' }],
})

const TIMESTAMPS = t.Object(
  { start: t.Optional(t.Integer()), end: t.Optional(t.Integer()) },
  { description: 'Unix time in milliseconds', additionalProperties: true },
)

const SPOTIFY = t.Object(
  {
    track_id: nullable(t.String()),
    song: nullable(t.String()),
    artist: nullable(t.String({ description: 'Several are separated by semicolons' })),
    album: nullable(t.String()),
    album_art_url: nullable(t.String({ format: 'uri' })),
    timestamps: nullable(TIMESTAMPS),
  },
  { description: 'The track that is playing' },
)

const DISCORD_USER = t.Object(
  {
    id: SNOWFLAKE,
    bot: t.Boolean(),
    public_flags: t.Integer(),
    username: t.Optional(t.String()),
    global_name: t.Optional(nullable(t.String())),
    avatar: t.Optional(nullable(t.String())),
    discriminator: t.Optional(t.String()),
    banner: t.Optional(nullable(t.String({ description: 'Absent until known: asked for when somebody looks' }))),
    accent_color: t.Optional(nullable(t.Integer({ description: 'Likewise; 0xRRGGBB' }))),
  },
  { additionalProperties: true, description: "Discord's user object as the gateway sent it, unknown keys included" },
)

const LINES = t.Optional(nullable(t.String()))

/** Clients write activities, and Discord checks little of them: what is named here is what theirs send. */
const ACTIVITY = t.Object(
  {
    id: t.Optional(t.String()),
    name: t.Optional(t.String()),
    type: t.Optional(
      t.Integer({ description: '0 playing, 1 streaming, 2 listening, 3 watching, 4 custom, 5 competing' }),
    ),
    state: LINES,
    details: LINES,
    application_id: t.Optional(t.String()),
    created_at: t.Optional(t.Integer({ description: 'Unix time in milliseconds' })),
    timestamps: t.Optional(TIMESTAMPS),
    assets: t.Optional(
      t.Object(
        {
          large_image: t.Optional(t.String()),
          large_text: t.Optional(t.String()),
          small_image: t.Optional(t.String()),
          small_text: t.Optional(t.String()),
        },
        { additionalProperties: true },
      ),
    ),
  },
  { additionalProperties: true, description: "Discord's activity object as the gateway sent it, without secrets" },
)

export const PRESENCE = t.Object({
  kv: PAIRS,
  discord_user: DISCORD_USER,
  discord_status: t.String({ enum: ['online', 'idle', 'dnd', 'offline'] }),
  active_on_discord_web: flag('Active in a browser'),
  active_on_discord_desktop: flag('Active in the desktop app'),
  active_on_discord_mobile: flag('Active on a phone'),
  active_on_discord_embedded: flag('Active on a console'),
  active_on_discord_vr: flag('Active in a headset'),
  listening_to_spotify: t.Boolean(),
  spotify: nullable(SPOTIFY),
  activities: t.Array(ACTIVITY),
  last_seen_at: nullable(
    t.Integer({ description: 'When the person went offline, in Unix milliseconds; null while online, or unknown' }),
  ),
  now_playing: nullable(t.Object(NOW_PLAYING, { description: 'What they listen to, wherever it plays' })),
})

const VERSION = t.String({ description: 'Which Exoix this is', examples: ['1.0.0'] })

export const INFO = t.Object({
  info: t.String(),
  monitored_user_count: t.Integer(),
  version: VERSION,
  discord_invite: nullable(t.String({ format: 'uri' })),
  instance_name: t.Optional(t.String({ description: 'What this instance is called, where its operator says so' })),
  privacy_url: t.Optional(t.String({ format: 'uri', description: 'What is kept of people' })),
  terms_url: t.Optional(t.String({ format: 'uri' })),
})

export const HEALTH = t.Object({
  status: t.Literal('ready'),
  monitored_user_count: t.Integer(),
  version: VERSION,
  uptime_seconds: t.Integer(),
})

export const SERVING_HEALTH = t.Object({
  status: t.Literal('serving'),
  monitored_user_count: t.Integer(),
  version: VERSION,
})

export const FAILURE = t.Object({
  success: t.Literal(false),
  error: t.Object({
    code: t.String({ description: 'For programs' }),
    message: t.String({ description: 'For people' }),
  }),
})

/** The success envelope around a schema. */
export const successOf = (data: TSchema) => t.Object({ success: t.Literal(true), data })

/** What a failing request gets. */
export const failureExample = (error: ApiError) => JSON.parse(error.body) as unknown

export const PRESENCE_EXAMPLE = {
  kv: { location: 'Berlin' },
  discord_user: {
    id: '204255221017214977',
    username: 'ada',
    global_name: 'Ada',
    avatar: 'a_0c4f3b2a1908f7e6d5c4b3a291807f6e',
    discriminator: '0',
    bot: false,
    public_flags: 64,
  },
  discord_status: 'online',
  active_on_discord_web: false,
  active_on_discord_desktop: true,
  active_on_discord_mobile: false,
  active_on_discord_embedded: false,
  active_on_discord_vr: false,
  listening_to_spotify: true,
  spotify: {
    track_id: '0aBcDeFgHiJkLmNoPqRsTu',
    song: 'Night Train',
    artist: 'The Signal Boxes; Mira Voss',
    album: 'Timetables',
    album_art_url: 'https://i.scdn.co/image/ab67616d0000b2730123456789abcdef01234567',
    timestamps: { start: 1767225600000, end: 1767225815000 },
  },
  activities: [
    {
      id: 'spotify:1',
      type: 2,
      name: 'Spotify',
      details: 'Night Train',
      state: 'The Signal Boxes; Mira Voss',
      sync_id: '0aBcDeFgHiJkLmNoPqRsTu',
      assets: { large_image: 'spotify:ab67616d0000b2730123456789abcdef01234567', large_text: 'Timetables' },
      timestamps: { start: 1767225600000, end: 1767225815000 },
    },
  ],
  last_seen_at: null,
  now_playing: NOW_PLAYING_EXAMPLE,
}

export const TEXT = t.String()
export const BINARY = t.String({ format: 'binary' })

const text = (description?: string) => nullable(t.String(description === undefined ? {} : { description }))
const time = nullable(t.Integer({ description: 'Unix time in milliseconds' }))

const SPOTIFY_ACTIVITY = t.Object({
  name: t.String(),
  type: t.Literal(2),
  song: text(),
  artist: text('Several are separated by semicolons'),
  applicationId: text(),
  timestamps: t.Object({ start: time, end: time }),
  party: t.Object({ id: text() }),
  syncId: text('The track'),
  assets: t.Object({ largeText: text('The album'), largeImage: text('The name of a picture at i.scdn.co/image/') }),
  flags: t.Integer(),
  createdTimestamp: time,
})

const GITHUB = t.Object(
  {
    id: t.Integer(),
    username: t.String(),
    avatar_url: text(),
    url: text(),
    company: text(),
    blog: text(),
    bio: text(),
    public_repos: nullable(t.Integer()),
  },
  { description: 'The linked GitHub account, as GitHub described it last' },
)

/** The body of `GET /user/:id`, for the API document. */
export const HARMY = t.Object({
  presence: t.Object({
    userId: SNOWFLAKE,
    status: t.String({ enum: ['online', 'idle', 'dnd', 'offline'] }),
    global_name: text(),
    server_name: text('Nickname'),
    avatar: text('Hash of the avatar'),
    spotifyActivity: nullable(SPOTIFY_ACTIVITY),
  }),
  KV: PAIRS,
  github: nullable(GITHUB),
})

export const HARMY_EXAMPLE = {
  presence: {
    userId: '204255221017214977',
    status: 'online',
    global_name: 'Ada',
    server_name: null,
    avatar: 'a_0c4f3b2a1908f7e6d5c4b3a291807f6e',
    spotifyActivity: {
      name: 'Spotify',
      type: 2,
      song: 'Night Train',
      artist: 'The Signal Boxes; Mira Voss',
      applicationId: null,
      timestamps: { start: 1767225600000, end: 1767225815000 },
      party: { id: 'spotify:204255221017214977' },
      syncId: '0aBcDeFgHiJkLmNoPqRsTu',
      assets: { largeText: 'Timetables', largeImage: 'ab67616d0000b2730123456789abcdef01234567' },
      flags: 48,
      createdTimestamp: 1767225600000,
    },
  },
  KV: { location: 'Berlin' },
  github: {
    id: 1815,
    username: 'ada',
    avatar_url: 'https://avatars.githubusercontent.com/u/1815?v=4',
    url: 'https://github.com/ada',
    company: null,
    blog: '',
    bio: 'engines',
    public_repos: 3,
  },
}
