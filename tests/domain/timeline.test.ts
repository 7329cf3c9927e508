import { describe, expect, test } from 'bun:test'
import { historyPage, historyStats, topTracks } from '../../src/domain/history-views.ts'
import type { NowPlaying } from '../../src/domain/music.ts'
import type { JsonObject, Status } from '../../src/domain/presence.ts'
import { advance, type Ongoing, type Past } from '../../src/domain/timeline.ts'

const DAY = 86_400_000
const SECOND = 1000

const song = (name: string, times?: { start?: number; end?: number }, rest: Partial<NowPlaying> = {}): NowPlaying => ({
  source: 'spotify',
  song: name,
  artist: 'somebody',
  album: null,
  album_art_url: null,
  track_id: `id of ${name}`,
  track_url: null,
  timestamps: times === undefined ? null : { start: times.start ?? null, end: times.end ?? null },
  duration_ms: times?.start === undefined || times.end === undefined ? null : times.end - times.start,
  ...rest,
})

interface Step {
  readonly at: number
  readonly status?: Status
  readonly playing?: NowPlaying | null
  readonly activities?: readonly JsonObject[]
  /** Nobody is shown any more. */
  readonly gone?: boolean
}

function run(steps: readonly Step[]): { past: Past[]; ongoing: Ongoing | null } {
  const past: Past[] = []
  let ongoing: Ongoing | null = null
  for (const { at, status = 'online', playing = null, activities = [], gone } of steps) {
    const next = advance(ongoing, gone ? null : { status, playing, activities }, at)
    ongoing = next.ongoing
    past.push(...next.ended)
  }
  return { past, ongoing }
}

const plays = (steps: readonly Step[]) =>
  run(steps).past.flatMap(one => (one.kind === 'track' ? [[one.play.song, one.at, one.until, one.listened]] : []))

describe('a track', () => {
  const A = song('a', { start: 0, end: 200_000 })
  const B = song('b', { start: 100_000, end: 300_000 })

  test.each<[string, Step[], ReturnType<typeof plays>]>([
    [
      'by another track',
      [
        { at: 10, playing: A },
        { at: 50_010, playing: B },
      ],
      [['a', 10, 50_010, 50_000]],
    ],
    ['by none', [{ at: 10, playing: A }, { at: 5010 }], [['a', 10, 5010, 5000]]],
    [
      'by going offline',
      [
        { at: 10, playing: A },
        { at: 5010, status: 'offline' },
      ],
      [['a', 10, 5010, 5000]],
    ],
    [
      'by not being shown any more',
      [
        { at: 10, playing: A },
        { at: 5010, gone: true },
      ],
      [['a', 10, 5010, 5000]],
    ],
  ])('ends %s', (_, steps, expected) => {
    expect(plays(steps)).toEqual(expected)
  })

  test('does not end by another presence, a pause or a moved start, and pauses do not count', () => {
    const moved = song('a', { start: 60_000, end: 260_000 })
    const steps: Step[] = [
      { at: 0, playing: A },
      { at: 10_000, playing: A, status: 'idle', activities: [{ name: 'a game', type: 0 }] },
      { at: 20_000, playing: song('a') },
      { at: 50_000, playing: song('a') },
      { at: 60_000, playing: moved },
      { at: 90_000, playing: { ...moved, album: 'told late' } },
    ]
    expect(plays(steps)).toEqual([])
    expect(plays([...steps, { at: 100_000 }])).toEqual([['a', 0, 100_000, 20_000 + 40_000]])
  })

  test('that is told with more and more keeps all of it', () => {
    const { past } = run([
      { at: 0, playing: song('a', { start: 0, end: 9 }, { album: 'an album' }) },
      { at: 1, playing: song('a', undefined, { track_url: 'https://a' }) },
      { at: 2 },
    ])
    expect(past).toMatchObject([{ play: { album: 'an album', timestamps: { start: 0, end: 9 }, duration_ms: 9 } }])
  })

  test('is not listened to for longer than it is, however late its end is told', () => {
    expect(plays([{ at: 0, playing: A }, { at: DAY }])).toEqual([['a', 0, DAY, 200_000]])
    const again = song('a', { start: 200_000, end: 400_000 })
    expect(plays([{ at: 0, playing: A }, { at: 200_000, playing: again }, { at: DAY }])).toEqual([
      ['a', 0, DAY, 400_000],
    ])
  })

  test('without times is listened to while it is there', () => {
    expect(plays([{ at: 0, playing: song('a') }, { at: 500, playing: song('a') }, { at: 900 }])).toEqual([
      ['a', 0, 900, 900],
    ])
  })

  test('without an id is told from others by song, artist and service', () => {
    const of = (rest: Partial<NowPlaying>) => song('a', undefined, { track_id: null, ...rest })
    const steps = [of({}), of({ album: 'x' }), of({ artist: 'other' }), of({ source: 'tidal' })]
    expect(plays(steps.map((playing, at) => ({ at, playing }))).map(([, at]) => at)).toEqual([0, 2])
  })

  test('that follows another within the same millisecond is another all the same', () => {
    expect(plays([{ at: 5, playing: A }, { at: 5, playing: B }, { at: 5 }])).toEqual([
      ['a', 5, 5, 0],
      ['b', 5, 5, 0],
    ])
  })

  test('ends no earlier than it began when older news comes later', () => {
    expect(plays([{ at: 100, playing: A }, { at: 50 }])).toEqual([['a', 100, 100, 0]])
  })
})

describe('an activity', () => {
  const of = (steps: readonly Step[]) =>
    run(steps).past.flatMap(one => (one.kind === 'activity' ? [[one.name, one.applicationId, one.at, one.until]] : []))
  const game = (rest: JsonObject = {}) => ({ name: 'a game', type: 0, application_id: '1', ...rest })

  test('is one from its first presence to its last, whatever changes in it', () => {
    expect(
      of([
        { at: 0, activities: [game({ details: 'menu' })] },
        { at: 10, activities: [game({ details: 'level' }), game({ state: 'twice' })], status: 'dnd' },
        { at: 20, activities: [game()], playing: song('a') },
        { at: 30 },
        { at: 40, activities: [game()] },
        { at: 50, status: 'offline' },
      ]),
    ).toEqual([
      ['a game', '1', 0, 30],
      ['a game', '1', 40, 50],
    ])
  })

  test('of the same name by another application is another', () => {
    expect(
      of([{ at: 0, activities: [game()] }, { at: 1, activities: [game({ application_id: '2' })] }, { at: 2 }]),
    ).toEqual([
      ['a game', '1', 0, 1],
      ['a game', '2', 1, 2],
    ])
  })

  test('is neither a custom status, nor music, nor anything without a name', () => {
    const activities = [
      { name: 'Custom Status', type: 4, state: 'hi' },
      { name: 'Spotify', type: 2, id: 'spotify:1' },
      { name: 'Apple Music', type: 2 },
      { type: 0 },
      { name: 5, type: 0 },
    ]
    expect(of([{ at: 0, activities }, { at: 1 }])).toEqual([])
  })
})

describe('what is told of it', () => {
  const now = 40 * DAY
  const long = song('long', { start: 0, end: 200_000 })
  const short = song('short', { start: 0, end: 20_000 })
  const steps: Step[] = [
    { at: now - 35 * DAY, playing: long },
    { at: now - 20 * DAY, status: 'idle', playing: short },
    { at: now - 20 * DAY + 9 * SECOND, status: 'idle' },
    { at: now - 20 * DAY + 10 * SECOND, status: 'idle', playing: short },
    { at: now - 20 * DAY + 20 * SECOND, status: 'idle', playing: long },
    { at: now - 20 * DAY + 60 * SECOND, status: 'dnd', activities: [{ name: 'a game', type: 0 }] },
    { at: now - 10 * DAY, status: 'dnd', activities: [{ name: 'other', type: 0, application_id: '7' }] },
    { at: now - 100 * SECOND, playing: long, activities: [{ name: 'other', type: 0, application_id: '7' }] },
  ]
  const look = { ...run(steps), now }

  test('a page has each list newest first, what goes on in none, and changes of the status with the last', () => {
    const page = historyPage(look, { limit: 50, before: now })
    expect(page.tracks.map(track => [track.song, track.played_at, track.listened_ms])).toEqual([
      ['long', now - 20 * DAY + 20 * SECOND, 40_000],
      ['short', now - 20 * DAY + 10 * SECOND, 10_000],
      ['short', now - 20 * DAY, 9000],
      ['long', now - 35 * DAY, 200_000],
    ])
    expect(Object.keys(page.tracks[0] ?? {})).toEqual([...Object.keys(long), 'played_at', 'listened_ms'])
    expect(page.activities).toEqual([
      {
        name: 'a game',
        application_id: null,
        started_at: now - 20 * DAY + 60 * SECOND,
        seconds: 10 * 86_400 - 60,
      },
    ])
    expect(page.statuses).toEqual([
      { status: 'online', at: now - 100 * SECOND },
      { status: 'dnd', at: now - 20 * DAY + 60 * SECOND },
      { status: 'idle', at: now - 20 * DAY },
    ])
  })

  test('a page has no more of each than was asked for, and nothing from that time on', () => {
    const before = now - 20 * DAY + 60 * SECOND
    const page = historyPage(look, { limit: 1, before })
    expect(page.tracks.map(({ played_at }) => played_at)).toEqual([now - 20 * DAY + 20 * SECOND])
    expect(page.activities).toEqual([])
    expect(page.statuses).toEqual([{ status: 'idle', at: now - 20 * DAY }])
  })

  test('numbers count the last days only, and what goes on as far as it went', () => {
    const { '7': week, '30': month } = historyStats(look)
    expect(week).toEqual({
      online_seconds: 7 * 86_400,
      by_status: { online: 100, idle: 0, dnd: 7 * 86_400 - 100, offline: 0 },
      activities: [{ name: 'other', application_id: '7', seconds: 7 * 86_400 }],
      tracks: 1,
      tracks_by_day: { '1970-02-09': 1 },
    })
    expect(month).toMatchObject({
      online_seconds: 30 * 86_400,
      by_status: { idle: 60, offline: 0 },
      activities: [
        { name: 'other', seconds: 10 * 86_400 },
        { name: 'a game', seconds: 10 * 86_400 - 60 },
      ],
      // Nine of twenty seconds are no play, ten are; the one that goes on has gone on long enough.
      tracks: 3,
      tracks_by_day: { '1970-01-21': 2, '1970-02-09': 1 },
    })
  })

  test('the most played tracks come first, then those played last; skipped ones do not count', () => {
    const tops = topTracks(look, 30)
    expect(tops.map(({ song, play_count }) => [song, play_count])).toEqual([
      ['long', 1],
      ['short', 1],
    ])
    expect(topTracks(look, 7)).toEqual([])
    const again = [...look.past, ...look.past.filter(one => one.kind === 'track' && one.play.song === 'short')]
    expect(topTracks({ ...look, past: again }, 30).map(({ song, play_count }) => [song, play_count])).toEqual([
      ['short', 2],
      ['long', 1],
    ])
  })

  test('of nobody is empty', () => {
    const empty = { past: [], ongoing: null, now }
    expect(historyPage(empty, { limit: 50, before: now })).toEqual({ tracks: [], activities: [], statuses: [] })
    expect(historyStats(empty)['7']).toMatchObject({ online_seconds: 0, tracks: 0, tracks_by_day: {} })
    expect(topTracks(empty, 30)).toEqual([])
  })
})
