import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readConfig } from '../../src/config.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import { applyPresence, OFFLINE, readUser } from '../../src/domain/presence.ts'
import { buildImages } from '../../src/http/images.ts'
import { ADA, codeOf, KEY, startServer } from './harness.ts'

const HASH = '0123456789abcdef0123456789abcdef'
const CDN = 'https://cdn.discordapp.com'
const COVER = 'ab67616d0000b27375bf186f00f7b0b88cf5c5b9'
const SONG = { type: 2, id: 'spotify:1', name: 'Spotify', assets: { large_image: `spotify:${COVER}` } }
const OTHER_SONG = { type: 2, name: 'Tidal', application_id: '77', assets: { large_image: '88' } }
const GAME = { type: 0, name: 'Chess', application_id: '901', assets: { large_image: '111', small_image: '112' } }

const pictures = new Pictures(readConfig({}))

function imagesOf(user: object, activities: readonly unknown[] = []) {
  const presence = applyPresence(OFFLINE, { status: 'online', activities })
  return JSON.parse(buildImages({ user: readUser({ id: ADA, ...user }) ?? '', presence }, pictures))
}

describe('the pictures of a person', () => {
  test('are null where there are none, but for the default avatar', () => {
    expect(imagesOf({ discriminator: '0' })).toEqual({
      avatar: `${CDN}/embed/avatars/${(BigInt(ADA) >> 22n) % 6n}.png`,
      avatar_decoration: null,
      banner: null,
      nameplate: null,
      tag_badge: null,
      custom_status_emoji: null,
      album_art: null,
      activities: [],
    })
  })

  test('are where Discord keeps them, moving where they move', () => {
    const user = {
      avatar: `a_${HASH}`,
      banner: HASH,
      avatar_decoration_data: { asset: `a_${HASH}` },
      collectibles: { nameplate: { asset: 'nameplates/a/b/' } },
      primary_guild: { identity_enabled: true, identity_guild_id: '88', badge: HASH },
    }
    const mood = { type: 4, name: 'Custom Status', emoji: { name: 'moss', id: '110', animated: true } }
    expect(imagesOf(user, [mood])).toEqual({
      avatar: `${CDN}/avatars/${ADA}/a_${HASH}.gif?size=1024`,
      avatar_decoration: `${CDN}/avatar-decoration-presets/a_${HASH}.png`,
      banner: `${CDN}/banners/${ADA}/${HASH}.png?size=1024`,
      nameplate: `${CDN}/assets/collectibles/nameplates/a/b/static.png`,
      tag_badge: `${CDN}/guild-tag-badges/88/${HASH}.png?size=128`,
      custom_status_emoji: `${CDN}/emojis/110.webp?size=128&animated=true`,
      album_art: null,
      activities: [{ large_image: null, small_image: null }],
    })
  })

  test('of activities are in step with them, and the album is Spotify’s first', () => {
    const { activities, album_art } = imagesOf({}, [GAME, OTHER_SONG, SONG])
    expect(activities).toEqual([
      {
        large_image: `${CDN}/app-assets/901/111.png?size=512`,
        small_image: `${CDN}/app-assets/901/112.png?size=256`,
      },
      { large_image: `${CDN}/app-assets/77/88.png?size=512`, small_image: null },
      { large_image: `https://i.scdn.co/image/${COVER}`, small_image: null },
    ])
    expect(album_art).toBe(`https://i.scdn.co/image/${COVER}`)
    expect(imagesOf({}, [GAME, OTHER_SONG]).album_art).toBe(`${CDN}/app-assets/77/88.png?size=512`)
    expect(imagesOf({}, [{ ...SONG, assets: {} }, OTHER_SONG]).album_art).toBeNull()
    const elsewhere = { large_image: 'mp:external/abc/https/example.org/cover.png' }
    expect(imagesOf({}, [{ ...SONG, assets: elsewhere }]).album_art).toBeNull()
  })

  test('are addresses or null, whatever Discord sends', () => {
    const value = fc.anything({ maxDepth: 3, withBigInt: false, withDate: false })
    const user = fc.record({
      avatar: value,
      banner: value,
      collectibles: value,
      primary_guild: value,
      avatar_decoration_data: value,
    })
    const activity = fc.record({ type: value, id: value, assets: value, emoji: value, application_id: value })
    fc.assert(
      fc.property(user, fc.array(fc.oneof(activity, value), { maxLength: 4 }), (given, activities) => {
        const { activities: rows, ...rest } = imagesOf(
          JSON.parse(JSON.stringify(given)),
          JSON.parse(JSON.stringify(activities)),
        )
        for (const address of [...Object.values(rest), ...rows.flatMap(Object.values)]) {
          if (address !== null)
            expect(address).toMatch(/^https:\/\/(cdn\.discordapp\.com|media\.discordapp\.net|i\.scdn\.co)\/[^\s"<>]+$/)
        }
      }),
    )
  })
})

describe('GET /v1/users/:id/images', () => {
  const read = async (response: Response) => ((await response.json()) as { data: { avatar: string } }).data

  test('answers with the hosts of the settings, and 304 until the person changes', async () => {
    await using server = startServer({ config: { discordCdnUrl: 'https://cdn.example' } })
    server.presences.patchPresence({ user: { id: ADA, avatar: HASH } })
    const first = await server.get(`/v1/users/${ADA}/images`)
    expect(first.headers.get('access-control-allow-origin')).toBe('*')
    expect((await read(first)).avatar).toBe(`https://cdn.example/avatars/${ADA}/${HASH}.png?size=1024`)
    const known = { 'If-None-Match': first.headers.get('etag') ?? '' }
    expect((await server.get(`/v1/users/${ADA}/images`, known)).status).toBe(304)
    server.presences.patchPresence({ user: { id: ADA, avatar: null } })
    expect((await server.get(`/v1/users/${ADA}/images`, known)).status).toBe(200)
  })

  test('answers the owner of a key for @me, HEAD without a body, and nobody for who is unknown or hidden', async () => {
    await using server = startServer()
    const own = await server.get('/v1/users/@me/images', { Authorization: KEY })
    expect([own.status, own.headers.get('cache-control')]).toEqual([200, 'private, no-cache'])
    expect(await codeOf(await server.get('/v1/users/@me/images'))).toBe('no_permission')
    const head = await server.get(`/v1/users/${ADA}/images`, {}, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    server.presences.setHidden(ADA, true)
    for (const id of [ADA, '1', 'ada']) {
      expect(await codeOf(await server.get(`/v1/users/${id}/images`))).toBe('user_not_monitored')
    }
  })
})
