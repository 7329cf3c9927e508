import { type TSchema, Type as t } from '@sinclair/typebox'
import { PAIRS, SNOWFLAKE } from './schema.ts'

const nullable = <S extends TSchema>(schema: S) => t.Union([schema, t.Null()])
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
