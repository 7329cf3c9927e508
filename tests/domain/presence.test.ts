import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import {
  applyPresence,
  buildPresence,
  isObject,
  type JsonObject,
  mergeUser,
  OFFLINE,
  readUser,
} from '../../src/domain/presence.ts'

const ID = '94490510688792576'
const NO_PAIRS = new Map<string, string>()

/** The wire presence of a person whose gateway presence is the given one, parsed back. */
function shown(update: JsonObject, user: JsonObject = { id: ID }) {
  const presence = applyPresence(OFFLINE, update)
  const text = buildPresence({ user: readUser(user) ?? '', presence, lastSeenAt: null, kv: NO_PAIRS }, 'null')
  return JSON.parse(text)
}

const song = {
  id: 'spotify:1',
  type: 2,
  name: 'Spotify',
  sync_id: '0O4yYsvGWYhznwzgg4493X',
  details: 'Paper Boats',
  state: 'Ada; Grace',
  assets: { large_text: 'Harbour', large_image: 'spotify:ab67616d0000b273' },
  timestamps: { start: 1, end: 2 },
}

describe('a presence', () => {
  test('of a member without one has every key, offline and empty', () => {
    expect(shown({})).toEqual({
      kv: {},
      discord_user: { id: ID, bot: false, public_flags: 0 },
      discord_status: 'offline',
      active_on_discord_web: false,
      active_on_discord_desktop: false,
      active_on_discord_mobile: false,
      active_on_discord_embedded: false,
      active_on_discord_vr: false,
      listening_to_spotify: false,
      spotify: null,
      activities: [],
      last_seen_at: null,
      now_playing: null,
    })
  })

  test('is active on a platform exactly when client_status has its key', () => {
    const { active_on_discord_web, active_on_discord_mobile, active_on_discord_vr } = shown({
      status: 'online',
      client_status: { web: 'idle', vr: null },
    })
    expect([active_on_discord_web, active_on_discord_mobile, active_on_discord_vr]).toEqual([true, false, true])
  })

  test('that is offline shows no activity and no platform, whatever else was sent', () => {
    const presence = shown({ status: 'offline', client_status: { web: 'online' }, activities: [song] })
    expect(presence).toMatchObject({ activities: [], spotify: null, active_on_discord_web: false })
  })

  test('shows an invisible person as offline', () => {
    expect(shown({ status: 'invisible' }).discord_status).toBe('offline')
  })

  test('keeps the activities in order with every field but their secrets', () => {
    const game = { id: 'a', name: 'Chess', secrets: { join: 'x' }, unheard_of: { deep: [1] } }
    const { activities } = shown({ status: 'dnd', activities: [game, song] })
    expect(activities).toEqual([{ id: 'a', name: 'Chess', unheard_of: { deep: [1] } }, song])
  })

  test('writes ids inside activities as strings', () => {
    const { activities } = shown({ status: 'dnd', activities: [{ application_id: 12, emoji: { id: 34, name: 'x' } }] })
    expect(activities).toEqual([{ application_id: '12', emoji: { id: '34', name: 'x' } }])
  })

  test('shows Spotify from the activity whose id is exactly spotify:1', () => {
    const presence = shown({ status: 'online', activities: [{ ...song, id: 'spotify:2' }, song] })
    expect(presence.listening_to_spotify).toBe(true)
    expect(presence.spotify).toEqual({
      track_id: '0O4yYsvGWYhznwzgg4493X',
      song: 'Paper Boats',
      artist: 'Ada; Grace',
      album: 'Harbour',
      album_art_url: 'https://i.scdn.co/image/ab67616d0000b273',
      timestamps: { start: 1, end: 2 },
    })
    expect(shown({ status: 'online', activities: [{ ...song, id: 'spotify:10' }] }).listening_to_spotify).toBe(false)
  })

  test.each([['mp:external/x/https/example.org/a.png'], ['spotify:'], ['xspotify:ab'], [7], [null], [undefined]])(
    'gives no album art for large_image %p',
    large_image => {
      const presence = shown({ status: 'online', activities: [{ ...song, assets: { large_image } }] })
      expect(presence.spotify.album_art_url).toBeNull()
    },
  )

  test('shows a song of which nothing is known with nulls', () => {
    const presence = shown({ status: 'online', activities: [{ id: 'spotify:1', assets: null, timestamps: [] }] })
    const spotify = { track_id: null, song: null, artist: null, album: null, album_art_url: null, timestamps: null }
    expect(presence).toMatchObject({ listening_to_spotify: true, spotify })
  })

  test('keeps the last good value of a field that is missing or of the wrong type', () => {
    const good = applyPresence(OFFLINE, { status: 'dnd', client_status: { web: 'dnd' }, activities: [song] })
    const odd: JsonObject[] = [
      {},
      { status: null, client_status: null, activities: null },
      { status: 5, client_status: [], activities: {} },
      { status: 'constructor' },
    ]
    for (const update of odd) expect(applyPresence(good, update)).toEqual(good)
  })

  test('drops entries of activities that are not objects', () => {
    expect(shown({ status: 'online', activities: [null, 1, 'x', [], { name: 'ok' }] }).activities).toEqual([
      { name: 'ok' },
    ])
  })

  test('writes pairs named like parts of an object as ordinary data', () => {
    const kv = new Map([
      ['__proto__', 'a'],
      ['constructor', 'b\u2028"\\'],
    ])
    const text = buildPresence({ user: `{"id":"${ID}"}`, presence: OFFLINE, lastSeenAt: null, kv }, 'null')
    expect(Object.entries(JSON.parse(text).kv)).toEqual([...kv])
  })

  test('is readable JSON whatever the gateway sends', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.constant('\ud800'), fc.constant({ id: 'spotify:1', emoji: { id: 1 } }))
    const update = fc.record(
      { status: anything, client_status: anything, activities: fc.oneof(anything, fc.array(anything)) },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(update, fc.dictionary(fc.string(), anything), (presence, user) => {
        const { discord_user, discord_status, activities } = shown(
          { status: 'online', ...presence },
          { ...user, id: ID },
        )
        expect(discord_user.id).toBe(ID)
        expect(typeof discord_user.bot).toBe('boolean')
        expect(Number.isInteger(discord_user.public_flags)).toBe(true)
        expect(['online', 'idle', 'dnd', 'offline']).toContain(discord_status)
        expect(Array.isArray(activities)).toBe(true)
      }),
    )
  })
})

describe('a user', () => {
  test('passes through with every key the gateway sent', () => {
    const user = { id: ID, username: 'ada', primary_guild: { tag: 'SHIP' }, clan: null, bot: true, public_flags: 64 }
    expect(JSON.parse(readUser(user) ?? '')).toEqual(user)
  })

  test.each([[null], [[]], [{}], [{ id: 94490510688792580 }], [{ id: 'abc' }], [{ id: '' }]])(
    'without a usable id is refused: %p',
    user => {
      expect(readUser(user)).toBeNull()
    },
  )

  test('takes the fields a partial one carries and keeps the rest and the id', () => {
    const kept = readUser({ id: ID, username: 'ada', avatar: 'a' }) ?? ''
    expect(JSON.parse(mergeUser(kept, { id: '1', avatar: null, public_flags: 'odd' }))).toEqual({
      id: ID,
      username: 'ada',
      avatar: null,
      bot: false,
      public_flags: 0,
    })
  })
})

const FIXTURES = join(import.meta.dir, '../../../shared/fixtures')

describe.skipIf(!existsSync(FIXTURES))('recorded payloads', () => {
  test('every presence in them can be shown', () => {
    let seen = 0
    const visit = (value: unknown): void => {
      if (Array.isArray(value)) value.forEach(visit)
      if (!isObject(value)) return
      Object.values(value).forEach(visit)
      if (!('activities' in value) && !('client_status' in value)) return
      seen++
      expect(shown(value).activities).toBeArray()
    }
    for (const file of readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.json')) visit(JSON.parse(readFileSync(join(FIXTURES, file), 'utf8')))
    }
    expect(seen).toBeGreaterThan(5)
  })
})
