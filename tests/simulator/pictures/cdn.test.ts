import { afterEach, describe, expect, test } from 'bun:test'
import { readConfig } from '../../../src/config.ts'
import { Pictures } from '../../../src/domain/discord-cdn.ts'
import { buildSpotify, buildUser, buildWatching } from '../../../src/simulator/people/builders.ts'
import { createRandom } from '../../../src/simulator/random.ts'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import { readPng } from '../../support/png.ts'
import { cleanUp, simulate } from '../support.ts'

afterEach(cleanUp)

const HASH = 'ab'.repeat(16)
const MOVING = `a_${HASH}`
const COVER = `ab67616d0000b273${'c'.repeat(24)}`
const SIGNED = `external/${'s'.repeat(43)}`

/** Pictures at the simulator, the way a presence shows them. */
const picturesOf = (sim: Simulator) =>
  new Pictures({
    ...readConfig({}),
    discordCdnUrl: sim.cdnUrl,
    discordMediaUrl: sim.mediaUrl,
    spotifyCdnUrl: sim.spotifyUrl,
  })

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer())

/** What kind of picture it is, really. */
const lookAt = async (response: Response) => new Bun.Image(await response.arrayBuffer()).metadata()

describe('the CDN', () => {
  async function withAvatar(avatar: string) {
    const sim = await simulate()
    const user = sim.world.addUser({ avatar })
    const get = (file: string, init?: RequestInit) => fetch(`${sim.cdnUrl}/avatars/${user.id}/${file}`, init)
    return { sim, user, get }
  }

  test.each([16, 128, 256])('draws a valid PNG of %i pixels', async size => {
    const { get } = await withAvatar(HASH)
    const response = await get(`${HASH}.png?size=${size}`)
    expect(response.headers.get('content-type')).toBe('image/png')
    const png = readPng(await bytesOf(response))
    expect(png.size).toBe(size)
    expect([png.pixel(0, 0)[3], png.pixel(size - 1, size - 1)[3]]).toEqual([255, 255])
  })

  test('enlarges nothing beyond its original', async () => {
    const { get } = await withAvatar(HASH)
    for (const [asked, size] of [
      [512, 512],
      [1024, 1024],
      [4096, 1024],
    ])
      expect(await lookAt(await get(`${HASH}.png?size=${asked}`))).toEqual({
        format: 'png',
        width: size as number,
        height: size as number,
      })
  })

  test.each(['png', 'jpeg', 'webp'] as const)('draws the same %s of the same hash only', async format => {
    const { sim, user, get } = await withAvatar(HASH)
    const one = await get(`${HASH}.${format}`)
    const bytes = await bytesOf(one)
    expect(await bytesOf(await get(`${HASH}.${format}`))).toEqual(bytes)
    expect(await new Bun.Image(bytes).metadata()).toEqual({ format, width: 128, height: 128 })
    sim.world.updateUser(user.id, { avatar: 'cd'.repeat(16) })
    const other = await get(`${'cd'.repeat(16)}.${format}`)
    expect(other.headers.get('etag')).not.toBe(one.headers.get('etag'))
  })

  test('draws everybody another face', async () => {
    const sim = await simulate()
    const etags = Array.from({ length: 40 }, async (_, index) => {
      const avatar = index.toString(16).padStart(32, '0')
      const { id } = sim.world.addUser({ avatar })
      return (await fetch(`${sim.cdnUrl}/avatars/${id}/${avatar}.webp?size=16`)).headers.get('etag')
    })
    expect(new Set(await Promise.all(etags)).size).toBe(40)
  })

  test.each([`avatars/1/${MOVING}`, 'emojis/1'])('draws %s as a GIF with the colours of the PNG', async path => {
    const sim = await simulate()
    sim.world.addUser({ id: '1', avatar: MOVING })
    const look = async (extension: string) => {
      const file = await (await fetch(`${sim.cdnUrl}/${path}.${extension}?size=128`)).bytes()
      const blurred = await new Bun.Image(file).resize(1, 1, { filter: 'box' }).png().buffer()
      return { file, colour: readPng(blurred).pixel(0, 0) }
    }
    const [gif, png] = [await look('gif'), await look('png')]
    expect(Buffer.from(gif.file).toString('latin1')).toMatch(/^GIF89a\x80\0\x80\0.*NETSCAPE2\.0.*;$/s)
    for (const [channel, value] of gif.colour.entries()) {
      expect(Math.abs(value - (png.colour[channel] ?? 0))).toBeLessThan(8)
    }
  })

  test('answers 304 to the etag it gave', async () => {
    const { get } = await withAvatar(HASH)
    const first = await get(`${HASH}.png`)
    const etag = first.headers.get('etag') as string
    expect(first.headers.get('cache-control')).toContain('max-age')
    expect(first.headers.get('last-modified')).toBeString()
    const again = await get(`${HASH}.png`, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
    expect(await again.text()).toBe('')
  })

  test.each([
    [HASH, `${HASH}.gif`, 415],
    [MOVING, `${MOVING}.gif`, 200],
    [HASH, `${HASH}.webp`, 200],
    [HASH, `${HASH}.jpg`, 200],
    [HASH, `${HASH}.jpeg`, 200],
    [HASH, `${HASH}.bmp`, 415],
    [HASH, `${'cd'.repeat(16)}.png`, 404],
    [HASH, 'nonsense.png', 404],
    [HASH, `${HASH}.png?size=100`, 400],
    [HASH, `${HASH}.png?size=8192`, 400],
    [HASH, `${HASH}.png?size=x`, 400],
  ])('of somebody with avatar %s answers %s with %i', async (avatar, file, status) => {
    const { get } = await withAvatar(avatar)
    expect((await get(file)).status).toBe(status)
  })

  test('has six default avatars', async () => {
    const { sim } = await withAvatar(HASH)
    const get = (index: number) => fetch(`${sim.cdnUrl}/embed/avatars/${index}.png`)
    const etags = await Promise.all([0, 1, 2, 3, 4, 5].map(async index => (await get(index)).headers.get('etag')))
    expect(new Set(etags).size).toBe(6)
    expect((await get(6)).status).toBe(404)
  })

  test.each([
    [`avatar-decoration-presets/${MOVING}.png`, 200],
    [`avatar-decoration-presets/${HASH}.webp`, 404],
    [`guild-tag-badges/1/${HASH}.png?size=32`, 200],
    [`guild-tag-badges/1/${HASH}.gif`, 415],
    [`guild-tag-badges/x/${HASH}.png`, 404],
    ['emojis/1.webp?size=64&animated=true', 200],
    ['emojis/1.gif', 200],
    ['emojis/moss.webp', 404],
    ['app-assets/1/2.png?size=160', 400],
    ['app-assets/1/2.png?size=256', 200],
    ['app-assets/1/drift.png', 404],
    ['banners/1/2.png', 404],
  ])('answers %s with %i', async (path, status) => {
    const sim = await simulate()
    expect((await fetch(`${sim.cdnUrl}/${path}`)).status).toBe(status)
    expect((await fetch(`${sim.cdnUrl}/${path}`, { method: 'POST' })).status).toBe(405)
  })

  test('has decorations one can see an avatar through, which move unless they are not to', async () => {
    const sim = await simulate()
    const get = async (file: string) =>
      readPng(await bytesOf(await fetch(`${sim.cdnUrl}/avatar-decoration-presets/${file}`)))
    const moving = await get(`${MOVING}.png`)
    expect(moving.chunks.filter(name => name === 'fcTL').length).toBeGreaterThan(1)
    const still = await get(`${MOVING}.png?size=128&passthrough=false`)
    expect(new Set(still.chunks)).toEqual(new Set(['IHDR', 'IDAT', 'IEND']))
    expect([still.size, still.pixel(64, 64)[3], still.pixel(0, 0)[3]]).toEqual([128, 0, 0])
    // The line around is at 84 % of the way to the edge.
    expect(still.pixel(64, 10)[3]).toBe(255)
    expect((await get(`${HASH}.png`)).chunks).not.toContain('fcTL')
  })
})

describe('Discord’s media proxy', () => {
  test.each([
    [`${SIGNED}/https/example.org/logo.png`, 'png', 512],
    [`${SIGNED}/https/example.org/logo.png?width=256&height=256`, 'png', 256],
    [`${SIGNED}/https/example.org/logo.jpg?width=100&height=90`, 'jpeg', 90],
    [`${SIGNED}/https/example.org/a/b?format=webp&width=64`, 'webp', 64],
    [`${SIGNED}/%3Fv%3D2/http/example.org/cover.php?width=64`, 'png', 64],
  ])('has /%s as %s of %i pixels', async (path, format, size) => {
    const sim = await simulate()
    const response = await fetch(`${sim.mediaUrl}/${path}`)
    expect(await lookAt(response)).toMatchObject({ format, width: size, height: size })
  })

  test.each([
    [`${SIGNED}/https/example.org/logo.png?width=0`, 400],
    [`${SIGNED}/https/example.org/logo.png?width=9000&height=9000`, 400],
    [`${SIGNED}/ftp/example.org/logo.png`, 404],
    ['external/short/https/example.org/logo.png', 404],
    ['https/example.org/logo.png', 404],
  ])('refuses /%s with %i', async (path, status) => {
    const sim = await simulate()
    expect((await fetch(`${sim.mediaUrl}/${path}`)).status).toBe(status)
  })
})

describe('Spotify’s host', () => {
  test.each([
    ['b273', 640],
    ['1e02', 300],
    ['4851', 64],
  ])('has JPEGs as large as their id says: %s, %i pixels', async (part, size) => {
    const sim = await simulate()
    const response = await fetch(`${sim.spotifyUrl}/image/ab67616d0000${part}${'0'.repeat(24)}`)
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    expect(await lookAt(response)).toEqual({ format: 'jpeg', width: size, height: size })
  })

  test.each([`image/${COVER}0`, `image/${COVER.slice(1)}`, 'image/x', COVER, `image/${COVER}.jpg`])(
    'does not have /%s',
    async path => {
      const sim = await simulate()
      expect((await fetch(`${sim.spotifyUrl}/${path}`)).status).toBe(404)
    },
  )
})

describe('whatever the builders make', () => {
  test('has pictures that can be fetched', async () => {
    const sim = await simulate()
    const pictures = picturesOf(sim)
    const random = createRandom(3)
    const urls = new Set<string | undefined>()
    for (let index = 0; index < 12; index++) {
      const user = sim.world.addUser(buildUser(random, { id: `${index}` }))
      urls
        .add(pictures.avatar(user, 'png', 64))
        .add(pictures.decoration(user, 64))
        .add(pictures.tagBadge(user, 16))
      urls.add(pictures.activity(buildSpotify(random, user.id, 0), 'large', 64))
      urls.add(pictures.activity(buildWatching(random, 0), 'large', 64))
    }
    urls.delete(undefined)
    expect(urls.size).toBeGreaterThan(30)
    for (const url of urls) expect([url, (await fetch(url as string)).status]).toEqual([url, 200])
  })
})

describe('a picture that is to fail', () => {
  async function start() {
    const sim = await simulate()
    const get = (path = '/embed/avatars/0.png', init?: RequestInit) => fetch(sim.cdnUrl + path, init)
    return { sim, get }
  }

  test('does so as often as arranged, and is told in the recorder', async () => {
    const { sim, get } = await start()
    sim.cdnFails(500, 2)
    expect([(await get()).status, (await get()).status, (await get()).status]).toEqual([500, 500, 200])
    expect(sim.recorder.all('cdn').map(({ path, status }) => [path, status])).toEqual([
      ['/cdn/embed/avatars/0.png', 500],
      ['/cdn/embed/avatars/0.png', 500],
      ['/cdn/embed/avatars/0.png', 200],
    ])
    sim.cdnFails(404, Number.POSITIVE_INFINITY)
    expect((await get()).status).toBe(404)
    sim.cdnFails(404, 0)
    expect((await get()).status).toBe(200)
  })

  test('can be one of many', async () => {
    const { sim, get } = await start()
    sim.cdnFails(404, 1, /avatars\/3/)
    expect([(await get()).status, (await get('/embed/avatars/3.png')).status]).toEqual([200, 404])
  })

  test('can come late, or never', async () => {
    const { sim, get } = await start()
    sim.cdnFails({ afterMs: 1 })
    expect(await lookAt(await get())).toMatchObject({ format: 'png' })
    sim.cdnFails({ afterMs: Number.POSITIVE_INFINITY })
    const client = new AbortController()
    const answer = get('/embed/avatars/1.png', { signal: client.signal }).catch(() => 'gone')
    await sim.next('cdn', ({ path }) => path.endsWith('1.png'))
    client.abort()
    expect(await answer).toBe('gone')
  })

  test('can be larger than anybody expects, told beforehand or not', async () => {
    const { sim, get } = await start()
    for (const declared of [true, false]) {
      sim.cdnFails({ megabytes: 3, declared })
      const response = await get()
      expect(response.headers.get('content-length')).toBe(declared ? String(3 * 1024 * 1024) : null)
      expect(response.headers.get('content-type')).toBe('image/png')
      expect((await response.bytes()).length).toBe(3 * 1024 * 1024)
    }
  })

  test('can be no picture at all', async () => {
    const { sim, get } = await start()
    sim.cdnFails({ type: 'image/svg+xml', body: '<svg/>' })
    const response = await get()
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['image/svg+xml', '<svg/>'])
  })
})
