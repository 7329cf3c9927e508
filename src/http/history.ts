import { type TSchema, Type as t } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import type { Calls } from '../domain/calls.ts'
import { historyOff, invalidQuery, starting, userNotMonitored } from '../domain/errors.ts'
import type { Presences } from '../domain/presences.ts'
import { PUBLIC, whyUnknown } from './access.ts'
import { NOW_PLAYING } from './music-schema.ts'
import { IF_NONE_MATCH, operation, type Parameter, USER_ID } from './openapi.ts'
import { answer, represent } from './representation.ts'
import { envelope } from './response.ts'
import { successOf } from './schema.ts'

const LIMIT = { least: 1, most: 100, fallback: 50 }
const DAYS = { least: 1, most: 30, fallback: 30 }

/** A whole number in a query; the fallback where it is missing. Throws `invalid_query`. */
function whole(
  query: URLSearchParams,
  name: string,
  bounds: { least: number; most: number; fallback: number },
): number {
  const text = query.get(name)
  if (text === null) return bounds.fallback
  const { least, most } = bounds
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  if (most === Number.MAX_SAFE_INTEGER) throw invalidQuery(`${name} must be a time in milliseconds since 1970`)
  throw invalidQuery(`${name} must be a whole number from ${least} to ${most}`)
}

const BEFORE = { least: 0, most: Number.MAX_SAFE_INTEGER, fallback: Number.MAX_SAFE_INTEGER }

const NULLABLE_TEXT = t.Union([t.String(), t.Null()])
const STATUS = t.Union(['online', 'idle', 'dnd', 'offline'].map(status => t.Literal(status)))
const SECONDS = t.Object({ online: t.Integer(), idle: t.Integer(), dnd: t.Integer(), offline: t.Integer() })
const SPENT = t.Object({ name: t.String(), application_id: NULLABLE_TEXT, seconds: t.Integer() })
const STATS = t.Object({
  online_seconds: t.Integer(),
  by_status: SECONDS,
  activities: t.Array(SPENT),
  tracks: t.Integer(),
  tracks_by_day: t.Record(t.String(), t.Integer()),
})

const TRACK = {
  source: 'spotify',
  song: 'Let Go',
  artist: 'Ark Patrol; Veronika Redd',
  album: 'Let Go',
  album_art_url: 'https://i.scdn.co/image/ab67616d0000b27375bf186f00f7b0b88cf5c5b9',
  track_id: '3kdlVcMVsSkbsUy8eQcBjI',
  track_url: 'https://open.spotify.com/track/3kdlVcMVsSkbsUy8eQcBjI',
  timestamps: { start: 1767225600000, end: 1767225832000 },
  duration_ms: 232000,
}
const GAME = { name: 'Hades', application_id: '356869127241072640' }
const EXAMPLE_STATS = {
  online_seconds: 86400,
  by_status: { online: 43200, idle: 43200, dnd: 0, offline: 518400 },
  activities: [{ ...GAME, seconds: 7200 }],
  tracks: 3,
  tracks_by_day: { '2026-01-01': 3 },
}

function told(
  summary: string,
  description: string,
  schema: TSchema,
  example: unknown,
  parameters: readonly Parameter[] = [],
) {
  return operation({
    tag: 'Presence',
    summary,
    description: `Only of people who want it kept (\`.history on\`); of others 404 \`history_off\`. ${description}`,
    parameters: [USER_ID, ...parameters, IF_NONE_MATCH],
    answers: [
      {
        description: 'What is kept',
        content: { 'application/json': successOf(schema) },
        example: { success: true, data: example },
      },
      { status: 304, description: 'Nothing has changed since the given ETag' },
    ],
    failures: [
      userNotMonitored(),
      historyOff(),
      invalidQuery('limit must be a whole number from 1 to 100'),
      starting(),
    ],
  })
}

const number = (name: string, description: string): Parameter => ({
  name,
  in: 'query',
  description,
  schema: t.Integer({ minimum: 0 }),
})

const HISTORY = told(
  'What a person listened to and did',
  'What has ended, and changes of the status, the newest first; what goes on is in the presence. Times are ms since 1970.',
  t.Object({
    tracks: t.Array(t.Object({ ...NOW_PLAYING, played_at: t.Integer(), listened_ms: t.Integer() })),
    activities: t.Array(
      t.Object({ name: t.String(), application_id: NULLABLE_TEXT, started_at: t.Integer(), seconds: t.Integer() }),
    ),
    statuses: t.Array(t.Object({ status: STATUS, at: t.Integer() })),
  }),
  {
    tracks: [{ ...TRACK, played_at: 1767225600120, listened_ms: 232000 }],
    activities: [{ ...GAME, started_at: 1767222000000, seconds: 3600 }],
    statuses: [{ status: 'idle', at: 1767225600000 }],
  },
  [
    number('limit', 'How much of each list, 1 to 100; 50 when it is not given'),
    number('before', 'Only what began before that time, in ms since 1970'),
  ],
)

const STATISTICS = told(
  'How a person spent the last 7 and 30 days',
  'What goes on is counted as far as it went; days are those of UTC.',
  t.Object({ '7': STATS, '30': STATS }),
  { '7': EXAMPLE_STATS, '30': EXAMPLE_STATS },
)

const TOP_TRACKS = told(
  'What a person listened to most',
  'A play counts when it lasted 30 seconds or half the track.',
  t.Array(t.Object({ ...NOW_PLAYING, play_count: t.Integer() })),
  [{ ...TRACK, play_count: 12 }],
  [number('days', 'Of how many days, 1 to 30; 30 when it is not given')],
)

interface HistoryDeps {
  readonly presences: Presences
  readonly calls: Calls
}

/** `/v1/users/:id/history`, `/stats` and `/top-tracks`: the one thing that is read from the database. */
export function historyRoutes({ presences, calls }: HistoryDeps) {
  async function tell(
    request: Request,
    id: string,
    ask: (query: URLSearchParams) => Promise<string>,
  ): Promise<Response> {
    if (!presences.has(id)) throw whyUnknown(presences)
    const data = await ask(new URL(request.url).searchParams)
    return answer(
      represent(() => Buffer.from(envelope(data)), PUBLIC),
      request,
    )
  }

  return new Elysia({ name: 'history' })
    .get(
      '/v1/users/:id/history',
      ({ request, params: { id } }) =>
        tell(request, id, query => {
          return calls.history(id, { limit: whole(query, 'limit', LIMIT), before: whole(query, 'before', BEFORE) })
        }),
      HISTORY,
    )
    .get('/v1/users/:id/stats', ({ request, params: { id } }) => tell(request, id, () => calls.stats(id)), STATISTICS)
    .get(
      '/v1/users/:id/top-tracks',
      ({ request, params: { id } }) => tell(request, id, query => calls.topTracks(id, whole(query, 'days', DAYS))),
      TOP_TRACKS,
    )
}
