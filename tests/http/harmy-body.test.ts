import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { applyPresence, type JsonObject, OFFLINE, readUser } from '../../src/domain/presence.ts'
import type { Membership } from '../../src/domain/presences.ts'
import { buildHarmy, type HarmyState } from '../../src/http/harmy.ts'

const ID = '470320681905684500'
const SPOTIFY = {
  id: 'spotify:1',
  type: 2,
  name: 'Spotify',
  details: 'Paper Boats',
  state: 'Ada; Grace',
  timestamps: { start: 1720814201608, end: 1720814322741 },
  party: { id: `spotify:${ID}` },
  sync_id: '56MDdzieU2dTT3YLpCdpcA',
  session_id: 'not shown',
  assets: { large_text: 'Harbour', large_image: 'spotify:ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
  flags: 48,
  created_at: 1720814203334,
}
const USER = { id: ID, username: 'vaq', global_name: 'Vaq', avatar: '5c11d7292c91e510c2b4f07946ea6d72' }

interface Shown {
  user?: JsonObject
  presence?: JsonObject
  memberships?: readonly Membership[]
  homeGuild?: string
  kv?: HarmyState['kv']
  github?: HarmyState['github']
}

/** What harmy shows, parsed back. */
function shown({ user = USER, presence = {}, memberships = [], homeGuild, kv = new Map(), github = null }: Shown = {}) {
  const person = {
    id: ID,
    user: readUser({ ...user, id: ID }) ?? '',
    presence: applyPresence(OFFLINE, presence),
    memberships,
    lastSeenAt: null,
  }
  return JSON.parse(buildHarmy({ person, kv, github, homeGuild }))
}

const playing = (patch: JsonObject = {}) => ({ status: 'dnd', activities: [{ ...SPOTIFY, ...patch }] })

describe('what harmy shows', () => {
  test('has every field of its documents, in their order', () => {
    const account = {
      id: 111227553,
      username: 'vaqqq',
      avatar_url: 'https://avatars.githubusercontent.com/u/111227553?v=4',
      url: 'https://github.com/vaqqq',
      company: null,
      blog: 'https://harmy.gg',
      bio: 'casual coder',
      public_repos: 1,
    }
    const kv = new Map([['First1', 'Key/ValuePair0']])
    const body = shown({ presence: playing(), kv, github: { json: JSON.stringify(account) } })
    expect(JSON.stringify(body)).toBe(
      JSON.stringify({
        presence: {
          userId: ID,
          status: 'dnd',
          global_name: 'Vaq',
          server_name: null,
          avatar: '5c11d7292c91e510c2b4f07946ea6d72',
          spotifyActivity: {
            name: 'Spotify',
            type: 2,
            song: 'Paper Boats',
            artist: 'Ada; Grace',
            applicationId: null,
            timestamps: { start: 1720814201608, end: 1720814322741 },
            party: { id: `spotify:${ID}` },
            syncId: '56MDdzieU2dTT3YLpCdpcA',
            assets: { largeText: 'Harbour', largeImage: 'ab67616d0000b273fa2f0c9e719ca71f2686ddf3' },
            flags: 48,
            createdTimestamp: 1720814203334,
          },
        },
        KV: { First1: 'Key/ValuePair0' },
        github: account,
      }),
    )
  })

  test('is null where there is nothing: no song, no account, no name, no avatar', () => {
    expect(shown({ user: { username: 'vaq' }, presence: { status: 'idle' } })).toEqual({
      presence: {
        userId: ID,
        status: 'idle',
        global_name: null,
        server_name: null,
        avatar: null,
        spotifyActivity: null,
      },
      KV: {},
      github: null,
    })
  })

  test('is Spotify only for the activity whose id is exactly spotify:1', () => {
    expect(shown({ presence: playing({ id: 'spotify:2' }) }).presence.spotifyActivity).toBeNull()
    const activities = [{ ...SPOTIFY, id: 'x', details: 'another' }, SPOTIFY]
    expect(shown({ presence: { status: 'online', activities } }).presence.spotifyActivity.song).toBe('Paper Boats')
  })

  test('keeps its shape when Spotify says nothing', () => {
    expect(
      shown({ presence: { status: 'online', activities: [{ id: 'spotify:1' }] } }).presence.spotifyActivity,
    ).toEqual({
      name: 'Spotify',
      type: 2,
      song: null,
      artist: null,
      applicationId: null,
      timestamps: { start: null, end: null },
      party: { id: null },
      syncId: null,
      assets: { largeText: null, largeImage: null },
      flags: 0,
      createdTimestamp: null,
    })
  })

  test.each([['mp:external/x'], ['spotify:'], ['xspotify:ab'], [7], [null], [{}]])(
    'has no largeImage for %p, which is no picture of Spotify',
    large_image => {
      expect(
        shown({ presence: playing({ assets: { large_image } }) }).presence.spotifyActivity.assets.largeImage,
      ).toBeNull()
    },
  )

  test('writes an application id as a string', () => {
    expect(shown({ presence: playing({ application_id: 12 }) }).presence.spotifyActivity.applicationId).toBe('12')
  })

  const nick = (guildId: string, name: string | null) => ({ guildId, nick: name })
  const names: [name: string | null, memberships: Membership[], homeGuild?: string][] = [
    [null, []],
    [null, [nick('1', null)]],
    ['first', [nick('1', null), nick('2', 'first'), nick('3', 'second')]],
    ['home', [nick('1', 'first'), nick('9', 'home')], '9'],
    ['first', [nick('1', 'first'), nick('9', null)], '9'],
    ['first', [nick('1', 'first')], '9'],
    [null, [nick('9', null)], '9'],
  ]
  for (const [name, memberships, homeGuild] of names) {
    test(`calls the person ${name} given ${JSON.stringify(memberships)} and the home guild ${homeGuild}`, () => {
      const body = shown({ memberships, ...(homeGuild !== undefined && { homeGuild }) })
      expect(body.presence.server_name).toBe(name)
    })
  }

  test('is readable whatever the gateway sends', () => {
    const fields = fc.dictionary(fc.constantFrom(...Object.keys(SPOTIFY)), fc.jsonValue())
    fc.assert(
      fc.property(fields, fc.dictionary(fc.constantFrom(...Object.keys(USER)), fc.jsonValue()), (odd, user) => {
        const { presence } = shown({ user, presence: playing({ ...odd, id: 'spotify:1' }) })
        expect(Object.keys(presence.spotifyActivity)).toHaveLength(11)
        expect(Number.isInteger(presence.spotifyActivity.flags)).toBe(true)
      }),
    )
  })
})
