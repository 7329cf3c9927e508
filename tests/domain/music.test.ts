import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readConfig } from '../../src/config.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { readNowPlaying } from '../../src/domain/music.ts'
import { isObject, type JsonObject } from '../../src/domain/presence.ts'
import { PresenceStore } from '../../src/domain/presence-store.ts'

const pictures = new Pictures(readConfig({}))
const read = (...activities: JsonObject[]) => readNowPlaying(activities, pictures)
const SPOTIFY = { id: 'spotify:1', name: 'Spotify', type: 2, details: 'a song', sync_id: '3kdlVcMVsSkbsUy8eQcBjI' }
const other = (rest: JsonObject = {}) => ({ type: 2, name: 'TIDAL', details: 'another', ...rest })

describe('what is listened to', () => {
  test('is nothing where nobody listens', () => {
    expect(read()).toBeNull()
    expect(read({ type: 0, name: 'Spotify' }, { type: 4, name: 'Custom Status' }, {})).toBeNull()
  })

  test('is Spotify wherever it stands, else the first of its type', () => {
    expect(read(other(), SPOTIFY)).toMatchObject({ source: 'spotify', song: 'a song' })
    expect(read({ type: 0 }, other(), other({ details: 'third' }))).toMatchObject({ source: 'tidal', song: 'another' })
  })

  test('has every key, null where nothing of use is told', () => {
    const bare = {
      source: null,
      song: null,
      artist: null,
      album: null,
      album_art_url: null,
      track_id: null,
      track_url: null,
      timestamps: null,
      duration_ms: null,
    }
    expect(read({ type: 2 })).toEqual(bare)
    const odd = { type: 2, name: 7, details: {}, state: [], assets: 'x', details_url: 1, timestamps: [], sync_id: 5 }
    expect(read(odd)).toEqual(bare)
  })

  test.each([
    ['Apple Music', 'apple_music'],
    ['YouTube Music', 'youtube_music'],
    ['SoundCloud', 'soundcloud'],
    ['Deezer', 'deezer'],
    ['TIDAL Hi-Fi', 'tidal'],
    ['  My  Player 2! ', 'my_player_2'],
    ['音楽', null],
    ['__', null],
  ])('%s is known as %p', (name, source) => {
    expect(read(other({ name }))?.source).toBe(source)
  })

  test('is of the service whose application tells it, whatever it is called', () => {
    expect(read(other({ name: 'a song', application_id: '1177081335727267940' }))?.source).toBe('youtube_music')
    expect(read(other({ name: 'Cider', application_id: '7' }))?.source).toBe('apple_music')
    expect(read({ ...SPOTIFY, application_id: '833617820704440341' })?.source).toBe('spotify')
  })

  test('stands in the wire text of the presence, and changes with it', () => {
    const store = new PresenceStore()
    const shown = () => JSON.parse(store.snapshot('1')?.json ?? '').now_playing
    store.putMember('g', { user: { id: '1' } })
    expect(shown()).toBeNull()
    const tell = (...activities: JsonObject[]) =>
      store.patchPresence({ user: { id: '1' }, status: 'online', activities })
    tell({ type: 0, name: 'a game' }, other({ assets: { large_image: 'mp:external/x/https/y.z' } }))
    expect(shown()).toMatchObject({ source: 'tidal', song: 'another' })
    expect(shown().album_art_url).toStartWith('https://media.discordapp.net/')
    tell({ type: 20, name: 'no music' }, { ...SPOTIFY, type: 0 })
    expect(shown()).toMatchObject({ source: 'spotify' })
    tell({ type: 20, name: 'no music' })
    expect(shown()).toBeNull()
  })

  test('has every key and types of use, whatever comes', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('spotify:1', 'spotify:x', 'mp:external/x/https/y.z', 2, 5),
    )
    const keys = [
      'id',
      'name',
      'type',
      'details',
      'state',
      'assets',
      'timestamps',
      'details_url',
      'sync_id',
      'application_id',
    ]
    const assets = fc.record({ large_image: anything, large_text: anything }, { requiredKeys: [] })
    const activity = fc.record(
      { ...Object.fromEntries(keys.map(key => [key, anything])), assets: fc.oneof(assets, anything) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(activity, fc.jsonValue())), activities => {
        const store = new PresenceStore()
        store.putMember('g', { user: { id: '1' } }, { status: 'online', activities })
        const { now_playing: playing } = JSON.parse(store.snapshot('1')?.json ?? '')
        const list = activities.filter(isObject)
        expect(playing !== null).toBe(list.some(({ id, type }) => id === 'spotify:1' || type === 2))
        if (playing === null) return
        const { timestamps, duration_ms: length, track_url: url, ...texts } = playing
        expect(Object.keys(texts)).toEqual(['source', 'song', 'artist', 'album', 'album_art_url', 'track_id'])
        for (const text of [url, ...Object.values(texts)]) expect(text === null || typeof text === 'string').toBe(true)
        expect(url ?? 'https:').toStartWith('https:')
        expect(length).toBe(
          timestamps === null || timestamps.start === null || timestamps.end === null
            ? null
            : timestamps.end - timestamps.start,
        )
        expect(length ?? 0).toBeGreaterThanOrEqual(0)
      }),
    )
  })

  test.each([
    [{ start: 5, end: 9 }, { start: 5, end: 9 }, 4],
    [{ start: 5 }, { start: 5, end: null }, null],
    [{ end: 9 }, { start: null, end: 9 }, null],
    [{ start: 9, end: 5 }, null, null],
    [{ start: '5', end: 9 }, { start: null, end: 9 }, null],
    [{ start: Number.NaN }, null, null],
    [{}, null, null],
  ])('with times %j has %j and lasts %p', (timestamps, times, length) => {
    expect(read(other({ timestamps }))).toMatchObject({ timestamps: times, duration_ms: length })
  })

  test.each([
    [other({ details_url: 'https://a.example/b' }), 'https://a.example/b'],
    [other({ details_url: 'http://a.example/b' }), null],
    [other({ details_url: 'javascript:alert(1)' }), null],
    [other({ details_url: 'https://a.example/\nb' }), null],
    [other({ details_url: ' https://a.example/b' }), null],
    [other({ details_url: 'https://' }), null],
    [other({ sync_id: 'x' }), null],
    [SPOTIFY, 'https://open.spotify.com/track/3kdlVcMVsSkbsUy8eQcBjI'],
    [{ ...SPOTIFY, sync_id: '../x' }, null],
  ])('%j is at %p', (activity, url) => {
    expect(read(activity)?.track_url).toBe(url)
  })

  test('has art at Spotify, at the CDN or by way of the media proxy', () => {
    const art = (activity: JsonObject, large_image: string) =>
      read({ ...activity, assets: { large_image } })?.album_art_url
    expect(art(SPOTIFY, 'spotify:ab67616d')).toBe('https://i.scdn.co/image/ab67616d')
    expect(art(SPOTIFY, 'mp:external/x/https/y.z')).toBeNull()
    expect(art(other({ application_id: '7' }), '8')).toStartWith('https://cdn.discordapp.com/app-assets/7/8.png')
    expect(art(other(), 'mp:external/x/https/y.z')).toStartWith('https://media.discordapp.net/external/x/https/y.z')
    expect(art(other(), 'nonsense')).toBeNull()
  })
})
