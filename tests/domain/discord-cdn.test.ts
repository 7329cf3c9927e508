import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { readConfig } from '../../src/config.ts'
import { Pictures } from '../../src/domain/discord-cdn.ts'
import type { JsonObject } from '../../src/domain/presence.ts'

const ADA = '204255221017214977'
const HASH = '0123456789abcdef0123456789abcdef'
const MOVING = `a_${HASH}`
const CDN = 'https://cdn.discordapp.com'
const MEDIA = 'https://media.discordapp.net'
const COVER = 'ab67616d0000b27375bf186f00f7b0b88cf5c5b9'

const pictures = new Pictures(readConfig({}))

/** What somebody could put in the place of an id, a hash or a path. */
const TRICKS: readonly unknown[] = [
  undefined,
  null,
  7,
  true,
  [],
  {},
  [HASH],
  { toString: () => HASH },
  '',
  '.',
  '..',
  '//evil.example',
  'https://evil.example/x.png',
  'javascript:alert(1)',
  'constructor',
  '__proto__',
  `../../${HASH}`,
  `${HASH}\n`,
  `\n${HASH}`,
  `${HASH}\u0000`,
  `${HASH}?x=`,
  `${HASH}#`,
  `${HASH}/..`,
  `${HASH}"onload="x`,
  HASH.toUpperCase(),
  '１２３',
  '9'.repeat(1_000_000),
]

describe('an avatar', () => {
  test.each([
    ['png', HASH, `${HASH}.png`],
    ['webp', HASH, `${HASH}.webp`],
    ['jpg', HASH, `${HASH}.jpg`],
    ['jpeg', HASH, `${HASH}.jpeg`],
    ['gif', HASH, `${HASH}.jpg`],
    ['gif', MOVING, `${MOVING}.gif`],
    ['png', MOVING, `${MOVING}.png`],
    ['../x', HASH, `${HASH}.png`],
  ])('as %s of %s is %s', (extension, avatar, file) => {
    expect(pictures.avatar({ id: ADA, avatar }, extension, 1024)).toBe(`${CDN}/avatars/${ADA}/${file}?size=1024`)
  })

  // (204255221017214977 >> 22) % 6 is 3.
  test.each([
    ['0', '3'],
    [undefined, '3'],
    [null, '3'],
    ['x', '3'],
    ['1337\n', '3'],
    [1337, '3'],
    ['0000', '0'],
    ['0005', '0'],
    ['1337', '2'],
  ])(
    'of somebody without one and the discriminator %p has the index %s, and exists as PNG only',
    (discriminator, index) => {
      for (const avatar of [...TRICKS, 'a_', HASH.slice(1), `${HASH}0`]) {
        for (const extension of ['png', 'gif', 'jpg']) {
          const url = pictures.avatar({ id: ADA, avatar, discriminator }, extension, 1024)
          expect(url).toBe(`${CDN}/embed/avatars/${index}.png`)
        }
      }
    },
  )

  test('of somebody without a usable id is the first default one', () => {
    for (const id of TRICKS) expect(pictures.avatar({ id, avatar: HASH }, 'png', 64)).toBe(`${CDN}/embed/avatars/0.png`)
  })

  test.each([
    [64, 64],
    [65, 128],
    [1, 16],
    [0, 16],
    [-5, 16],
    [Number.NaN, 16],
    [100.5, 128],
    [4096, 4096],
    [5000, 4096],
    [Number.POSITIVE_INFINITY, 4096],
  ])('of %p pixels is asked for at %i', (asked, size) => {
    expect(pictures.avatar({ id: ADA, avatar: HASH }, 'png', asked)).toEndWith(`?size=${size}`)
  })
})

describe('a decoration', () => {
  const of = (asset: unknown, size?: number) => pictures.decoration({ avatar_decoration_data: { asset } }, size)

  test('is the moving original, or a still one of the size asked for', () => {
    expect(of(MOVING)).toBe(`${CDN}/avatar-decoration-presets/${MOVING}.png`)
    expect(of(HASH)).toBe(`${CDN}/avatar-decoration-presets/${HASH}.png`)
    expect(of(MOVING, 160)).toBe(`${CDN}/avatar-decoration-presets/${MOVING}.png?size=256&passthrough=false`)
    const moving = pictures.decoration({ avatar_decoration_data: { asset: MOVING } }, 160, true)
    expect(moving).toBe(`${CDN}/avatar-decoration-presets/${MOVING}.png?size=256&passthrough=true`)
  })

  test('is nowhere when it is anything else', () => {
    for (const trick of TRICKS) {
      expect(of(trick)).toBeUndefined()
      expect(pictures.decoration({ avatar_decoration_data: trick })).toBeUndefined()
    }
  })
})

describe('a banner', () => {
  test('is still, or moves where it can', () => {
    expect(pictures.banner({ id: ADA, banner: HASH }, 'webp', 512)).toBe(`${CDN}/banners/${ADA}/${HASH}.webp?size=512`)
    expect(pictures.banner({ id: ADA, banner: HASH }, 'gif', 512)).toBeUndefined()
    expect(pictures.banner({ id: ADA, banner: MOVING }, 'gif', 300)).toBe(
      `${CDN}/banners/${ADA}/${MOVING}.gif?size=512`,
    )
  })

  test('is nowhere when a part of it is anything else', () => {
    for (const trick of TRICKS) {
      expect(pictures.banner({ id: ADA, banner: trick }, 'webp', 512)).toBeUndefined()
      expect(pictures.banner({ id: trick, banner: HASH }, 'webp', 512)).toBeUndefined()
    }
  })
})

describe('a nameplate', () => {
  const plate = (asset: unknown) => pictures.nameplate({ collectibles: { nameplate: { asset } } })

  test('is the still one of its folder', () => {
    const asset = 'nameplates/nameplates_v3/twilight-2/'
    expect(plate(asset)).toBe(`${CDN}/assets/collectibles/${asset}static.png`)
  })

  test('is nowhere when it is anything else', () => {
    const odd = [
      'nameplates/',
      'nameplates/a',
      'plates/a/',
      '/nameplates/a/',
      'nameplates//a/',
      'nameplates/../a/',
      'nameplates/a/?x=/',
    ]
    for (const trick of [...TRICKS, ...odd, `nameplates/${'a'.repeat(300)}/`]) expect(plate(trick)).toBeUndefined()
    for (const collectibles of [null, [], 'x', {}, { nameplate: null }]) {
      expect(pictures.nameplate({ collectibles })).toBeUndefined()
    }
  })
})

describe('the badge of a server tag', () => {
  const tag = { identity_enabled: true, identity_guild_id: ADA, badge: HASH, tag: 'MOSS' }

  test('is at the server’s id, under the field’s newer or older name', () => {
    const url = `${CDN}/guild-tag-badges/${ADA}/${HASH}.png`
    expect(pictures.tagBadge({ primary_guild: tag })).toBe(url)
    expect(pictures.tagBadge({ clan: tag })).toBe(url)
    expect(pictures.tagBadge({ primary_guild: tag, clan: null })).toBe(url)
    expect(pictures.tagBadge({ primary_guild: tag }, 20)).toBe(`${url}?size=32`)
  })

  test('is not shown by somebody who took the tag off', () => {
    for (const identity_enabled of [false, null, undefined, 'true', 1])
      expect(pictures.tagBadge({ primary_guild: { ...tag, identity_enabled } })).toBeUndefined()
    expect(pictures.tagBadge({ primary_guild: null, clan: tag })).toBeUndefined()
    expect(pictures.tagBadge({})).toBeUndefined()
  })

  test('is nowhere when a part of it is anything else', () => {
    for (const trick of TRICKS) {
      expect(pictures.tagBadge({ primary_guild: { ...tag, badge: trick } })).toBeUndefined()
      expect(pictures.tagBadge({ primary_guild: { ...tag, identity_guild_id: trick } })).toBeUndefined()
      if (trick !== undefined) expect(pictures.tagBadge({ primary_guild: trick, clan: tag })).toBeUndefined()
    }
  })
})

describe('an emoji', () => {
  test('is WebP, moving where it moves', () => {
    expect(pictures.emoji({ id: ADA, name: 'moss' }, 44)).toBe(`${CDN}/emojis/${ADA}.webp?size=64`)
    expect(pictures.emoji({ id: ADA, animated: true }, 32)).toBe(`${CDN}/emojis/${ADA}.webp?size=32&animated=true`)
    expect(pictures.emoji({ id: ADA, animated: 'yes' }, 32)).toBe(`${CDN}/emojis/${ADA}.webp?size=32`)
  })

  test('is nowhere when it is one of Unicode, or anything else', () => {
    for (const trick of [...TRICKS, { name: '🌱' }, { name: '🌱', id: null }]) {
      expect(pictures.emoji(trick, 32)).toBeUndefined()
      expect(pictures.emoji({ id: trick }, 32)).toBeUndefined()
    }
  })
})

describe('the art of an activity', () => {
  const art = (image: unknown, application_id: unknown = '901234567890123001') =>
    pictures.activity({ application_id, assets: { large_image: image, small_image: image } }, 'large', 160)
  const SIGNED = 'external/rqJdUc_gEj_38ku0G14If-M0XfkyY0CSaGfaWRAydOU'

  test.each([
    ['1187398273842384', `${CDN}/app-assets/901234567890123001/1187398273842384.png?size=256`],
    [`spotify:${COVER}`, `https://i.scdn.co/image/${COVER}`],
    [`mp:${SIGNED}/https/example.org/logo.png`, `${MEDIA}/${SIGNED}/https/example.org/logo.png?width=256&height=256`],
    [
      `mp:${SIGNED}/%3Fv%3D2%26w%3D%C3%A9/https/example.org:8080/a-b_c~d/cover@2x.jpg`,
      `${MEDIA}/${SIGNED}/%3Fv%3D2%26w%3D%C3%A9/https/example.org:8080/a-b_c~d/cover@2x.jpg?width=256&height=256`,
    ],
    ['mp:app-assets/1/2.png', `${MEDIA}/app-assets/1/2.png?width=256&height=256`],
    ['mp:attachments/1/2/v.png?ex=1&is=2&hm=3&', `${MEDIA}/attachments/1/2/v.png?ex=1&is=2&hm=3&width=256&height=256`],
    ['mp:external/a?b', `${MEDIA}/external/a?b&width=256&height=256`],
    ['mp:external/a/b.png?', `${MEDIA}/external/a/b.png?width=256&height=256`],
    ['mp:external/a/b.png?width=9999&x=%C3%A9&height', `${MEDIA}/external/a/b.png?x=%C3%A9&width=256&height=256`],
    ['mp:external/a?u=https://example.org/../x', `${MEDIA}/external/a?u=https://example.org/../x&width=256&height=256`],
  ])('%s is at %s', (image, url) => {
    expect(art(image)).toBe(url)
  })

  test('is the large or the small one', () => {
    const activity = { application_id: '1', assets: { large_image: '2', small_image: '3' } }
    expect(pictures.activity(activity, 'large', 16)).toBe(`${CDN}/app-assets/1/2.png?size=16`)
    expect(pictures.activity(activity, 'small', 16)).toBe(`${CDN}/app-assets/1/3.png?size=16`)
    expect(pictures.activity({ ...activity, assets: { large_image: '2' } }, 'small', 16)).toBeUndefined()
  })

  test.each([
    'drift',
    'twitch:somebody',
    'youtube:dQw4w9WgXcQ',
    'SPOTIFY:ab',
    'mp:',
    'mp:external',
    'mp:/external/a',
    'mp://evil.example/a',
    'mp:external//a',
    'mp:external/a/',
    'mp:external/./a',
    'mp:external/../a',
    'mp:external/a/..',
    'mp:external/%2e%2E/a',
    'mp:external/.%2e/a',
    'mp:external/a?b?c',
    'mp:external/a?b#c',
    'mp:external/a?b"c',
    'mp:external/a?b=%0d',
    'mp:external/../a?b',
    'mp:?a/b',
    'mp:external/a#b',
    'mp:external/a%',
    'mp:external/a%0a',
    'mp:external/a%7f',
    'mp:external/a\\b',
    'mp:external/a b',
    'mp:external/a"b',
    "mp:external/a'b",
    'mp:external/a<b>',
    'mp:external/a&b',
    'mp:external/url(a)',
    'mp:external/ä',
    'mp:external/a\n',
    `spotify:${COVER}?x`,
    `spotify:${COVER}\n`,
    `spotify:../${COVER}`,
    'spotify:',
    `spotify:${COVER.toUpperCase()}`,
    `spotify:${'a'.repeat(65)}`,
  ])('is nowhere when it is %p', image => {
    expect(art(image)).toBeUndefined()
  })

  test('is nowhere when it is too long', () => {
    for (const image of [`mp:external/${'a'.repeat(2048)}`, `mp:external/${'%41'.repeat(1_000_000)}`])
      expect(art(image)).toBeUndefined()
  })

  test('of an application without a usable id, or a picture of no text, is nowhere', () => {
    for (const trick of TRICKS) {
      expect(pictures.activity({ application_id: trick, assets: { large_image: '2' } }, 'large', 16)).toBeUndefined()
      expect(pictures.activity({ application_id: '1', assets: trick }, 'large', 16)).toBeUndefined()
      expect(art(trick)).toBeUndefined()
    }
  })
})

describe('an album cover', () => {
  test('is asked for at the host of the settings', () => {
    const mirrored = new Pictures({ ...readConfig({}), spotifyCdnUrl: 'http://127.0.0.1:9/covers' })
    const activity = { id: 'spotify:1', assets: { large_image: `spotify:${COVER}` } }
    expect(mirrored.activity(activity, 'large', 64)).toBe(`http://127.0.0.1:9/covers/image/${COVER}`)
  })
})

describe('whatever Discord sends', () => {
  const part = fc.oneof(
    fc.constantFrom(
      ADA,
      HASH,
      MOVING,
      COVER,
      'external',
      'https',
      '/',
      '..',
      '.',
      '//',
      '%2e',
      '%',
      '?',
      '#',
      '@',
      '\\',
      '"',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
  )
  const text = fc
    .tuple(
      fc.constantFrom('', 'mp:', 'mp:external/', 'spotify:', 'https://i.scdn.co/image/'),
      fc.array(part, { maxLength: 6 }),
    )
    .map(([start, parts]) => start + parts.join(''))
  const anything = fc.oneof({ weight: 3, arbitrary: text }, fc.anything())
  const object = fc.dictionary(
    fc.constantFrom('id', 'asset', 'badge', 'identity_guild_id', 'large_image', '__proto__'),
    anything,
  )
  const SAFE = /^(https:\/\/[a-z.]+)((?:\/[\w.~%=+,@:-]+)+)(\?[\w.~%=+,@:/&-]+)?$/
  const HOSTS = [CDN, MEDIA, 'https://i.scdn.co']

  function check(url: string | undefined): void {
    if (url === undefined) return
    const [, host, path] = SAFE.exec(url) ?? []
    expect(HOSTS).toContain(host as string)
    expect(path).not.toContain('..')
    // Nothing in it means anything else to whoever fetches it.
    expect(new URL(url).href).toBe(url)
    expect(url.length).toBeLessThan(2200)
  }

  test('an address is a known host, safe characters and a query of ours', () => {
    fc.assert(
      fc.property(anything, object, fc.string(), fc.double(), (value, fields, extension, size) => {
        const tag = { identity_enabled: true, badge: HASH, identity_guild_id: ADA, ...fields }
        const user: JsonObject = { ...fields, avatar: value, discriminator: value, avatar_decoration_data: fields }
        check(pictures.avatar(user, extension, size))
        check(pictures.avatar({ ...user, id: ADA }, extension, size))
        check(pictures.decoration(user, size))
        check(pictures.tagBadge({ primary_guild: tag }))
        check(pictures.emoji(fields, size))
        check(pictures.emoji({ id: value }, size))
        check(pictures.activity({ application_id: ADA, assets: fields }, 'large', size))
        check(pictures.activity({ application_id: value, assets: { large_image: value } }, 'large', size))
      }),
      { numRuns: 3000 },
    )
  })
})
