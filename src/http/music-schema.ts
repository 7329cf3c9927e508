import { Type as t } from '@sinclair/typebox'

const text = t.Union([t.String(), t.Null()])
const time = t.Union([t.Number({ description: 'Unix time in milliseconds' }), t.Null()])

/** What somebody listens to, or has listened to, as JSON Schema. */
export const NOW_PLAYING = {
  source: t.Union([t.String({ description: '`spotify`, `youtube_music`, …: lower snake case' }), t.Null()]),
  song: text,
  artist: text,
  album: text,
  album_art_url: text,
  track_id: text,
  track_url: text,
  timestamps: t.Union([t.Object({ start: time, end: time }), t.Null()]),
  duration_ms: t.Union([t.Number(), t.Null()]),
}

export const NOW_PLAYING_EXAMPLE = {
  source: 'spotify',
  song: 'Night Train',
  artist: 'The Signal Boxes; Mira Voss',
  album: 'Timetables',
  album_art_url: 'https://i.scdn.co/image/ab67616d0000b2730123456789abcdef01234567',
  track_id: '0aBcDeFgHiJkLmNoPqRsTu',
  track_url: 'https://open.spotify.com/track/0aBcDeFgHiJkLmNoPqRsTu',
  timestamps: { start: 1767225600000, end: 1767225815000 },
  duration_ms: 215000,
}
