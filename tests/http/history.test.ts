import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readConfig } from '../../src/config.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { readNowPlaying } from '../../src/domain/music.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'
import { startServing } from '../support/serving.ts'

const ANN = '100000000000000001'
const BEN = '100000000000000002'
const HID = '100000000000000003'
const NOBODY = '999999999999999999'
const ROUTES = ['history', 'stats', 'top-tracks']
const SONG = {
  id: 'spotify:1',
  name: 'Spotify',
  type: 2,
  details: 'Let Go',
  state: 'Ark Patrol',
  sync_id: '3kdlVcMVsSkbsUy8eQcBjI',
  assets: { large_image: 'spotify:ab67616d', large_text: 'An album' },
}

let now = Date.now()
const presences = new PresenceStore({ now: () => now })
const pictures = new Pictures(readConfig({}))
const server = startServing({
  presences,
  history: { readPlaying: activities => readNowPlaying(activities, pictures), clock: { now: () => now } },
})

beforeAll(async () => {
  const { history } = server
  for (const id of [ANN, BEN, HID]) presences.putMember('1', { user: { id } }, { status: 'online', activities: [] })
  await history.on(ANN)
  await history.on(HID)
  presences.setHidden(HID, true)
  // Three plays of a minute each, of which one goes on.
  for (const song of ['a', 'b', 'a']) {
    const start = now
    const timestamps = { start, end: start + 232_000 }
    presences.patchPresence({ user: { id: ANN }, status: 'idle', activities: [{ ...SONG, sync_id: song, timestamps }] })
    now += 60_000
  }
})
afterAll(server.stop)

const get = (path: string, init?: RequestInit) => fetch(server.url + path, init)

/** Status, code and message of a failure; status and data else. */
async function told(path: string) {
  const answer = await get(path)
  const { data, error } = (await answer.json()) as { data?: unknown; error?: { code: string; message: string } }
  return { status: answer.status, ...(error ?? { data }) }
}

describe('the history of a person', () => {
  test('has what ended, the newest first, each track as the presence had it', async () => {
    const { status, data } = (await told(`/v1/users/${ANN}/history`)) as {
      status: number
      data: Record<string, Record<string, unknown>[]>
    }
    expect(status).toBe(200)
    expect(data.tracks?.[1]).toEqual({
      source: 'spotify',
      song: 'Let Go',
      artist: 'Ark Patrol',
      album: 'An album',
      album_art_url: 'https://i.scdn.co/image/ab67616d',
      track_id: 'a',
      track_url: 'https://open.spotify.com/track/a',
      timestamps: { start: now - 180_000, end: now + 52_000 },
      duration_ms: 232_000,
      played_at: now - 180_000,
      listened_ms: 60_000,
    })
    expect(data.tracks?.map(({ track_id }) => track_id)).toEqual(['b', 'a'])
    expect(data.activities).toEqual([])
    expect(data.statuses).toEqual([{ status: 'idle', at: now - 180_000 }])
  })

  test('is as long as was asked for, and before that time', async () => {
    const one = await told(`/v1/users/${ANN}/history?limit=1`)
    expect(one).toMatchObject({ data: { tracks: [{ track_id: 'b' }] } })
    const before = await told(`/v1/users/${ANN}/history?before=${now - 120_000}`)
    expect(before).toMatchObject({ data: { tracks: [{ track_id: 'a' }] } })
    expect(await told(`/v1/users/${ANN}/history?before=0`)).toMatchObject({ data: { tracks: [], statuses: [] } })
  })

  test('has its numbers, and the tracks that were played most', async () => {
    expect(await told(`/v1/users/${ANN}/stats`)).toMatchObject({
      status: 200,
      data: { '7': { online_seconds: 180, by_status: { idle: 180 }, tracks: 3 }, '30': { tracks: 3 } },
    })
    const tops = await told(`/v1/users/${ANN}/top-tracks?days=7`)
    expect(tops).toMatchObject({
      data: [
        { track_id: 'b', play_count: 1 },
        { track_id: 'a', play_count: 1 },
      ],
    })
  })

  test.each([
    'history?limit=0',
    'history?limit=101',
    'history?limit=ten',
    'history?limit=',
    'history?limit=-1',
    'history?before=yesterday',
    'history?before=1.5',
    'top-tracks?days=0',
    'top-tracks?days=31',
  ])('refuses %s with a sentence', async query => {
    expect(await told(`/v1/users/${ANN}/${query}`)).toMatchObject({
      status: 400,
      code: 'invalid_query',
      message: expect.stringMatching(/^(limit|before|days) must be /),
    })
  })

  test.each(ROUTES)('is said to be off of who did not agree, at /%s', async route => {
    expect(await told(`/v1/users/${BEN}/${route}`)).toMatchObject({ status: 404, code: 'history_off' })
  })

  test.each(ROUTES)('of who is hidden is as unknown as anybody’s who was never there, at /%s', async route => {
    const unknown = await told(`/v1/users/${NOBODY}/${route}`)
    expect(unknown).toMatchObject({ status: 404, code: 'user_not_monitored' })
    expect(await told(`/v1/users/${HID}/${route}`)).toEqual(unknown)
  })

  test.each(ROUTES)('answers HEAD, from any origin, and says when nothing has changed, at /%s', async route => {
    const path = `/v1/users/${ANN}/${route}`
    const answer = await get(path, { method: 'HEAD' })
    expect([answer.status, answer.headers.get('Access-Control-Allow-Origin')]).toEqual([200, '*'])
    const etag = (await get(path)).headers.get('ETag') ?? ''
    expect((await get(path, { headers: { 'If-None-Match': etag } })).status).toBe(304)
  })
})
