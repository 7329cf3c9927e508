import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { NOBODY, request, startReadyWorld, type World } from './support.ts'

const STILL = 'ab'.repeat(16)
const MOVING = `a_${'cd'.repeat(16)}`

let world: World
let still: string
let moving: string

beforeAll(async () => {
  world = await startReadyWorld()
  still = await world.join({ avatar: STILL, discriminator: '0' })
  moving = await world.join({ avatar: MOVING, discriminator: '0' })
  await world.settled()
})
afterAll(() => world[Symbol.asyncDispose]())

/** What the CDN was asked for last. */
const asked = () => world.simulator.recorder.all('cdn').at(-1)?.path

async function failure(path: string): Promise<[number, string]> {
  const answer = await world.raw(request(`GET ${path}`))
  expect(answer.json.success).toBe(false)
  return [answer.status, answer.json.error.code]
}

describe('an avatar', () => {
  test.each(['png', 'webp', 'jpg', 'jpeg'])('as %s comes from the CDN at size 1024', async extension => {
    for (const [id, hash] of [
      [still, STILL],
      [moving, MOVING],
    ]) {
      const answer = await world.raw(request(`GET /${id}.${extension}`))
      expect(answer.status).toBe(200)
      expect(asked()).toBe(`/cdn/avatars/${id}/${hash}.${extension}?size=1024`)
      expect(answer.header('content-type')).toBe(`image/${extension === 'jpg' ? 'jpeg' : extension}`)
      expect(answer.bytes.length).toBeGreaterThan(0)
    }
  })

  test('as gif is one where it moves, and the jpg where it does not', async () => {
    expect((await world.get(`/${moving}.gif`)).headers.get('content-type')).toBe('image/gif')
    expect(asked()).toBe(`/cdn/avatars/${moving}/${MOVING}.gif?size=1024`)
    expect((await world.get(`/${still}.gif`)).headers.get('content-type')).toBe('image/jpeg')
    expect(asked()).toBe(`/cdn/avatars/${still}/${STILL}.jpg?size=1024`)
  })

  test('is the same bytes the CDN sent, with three of its headers, kept for minutes only', async () => {
    const original = await fetch(`${world.simulator.cdnUrl}/avatars/${still}/${STILL}.png?size=1024`)
    const answer = await world.raw(request(`GET /${still}.png`))
    expect(answer.bytes).toEqual(Buffer.from(await original.arrayBuffer()))
    expect(answer.header('cache-control')).toBe('public, max-age=300')
    for (const name of ['content-type', 'etag', 'last-modified'])
      expect([name, answer.header(name)]).toEqual([name, original.headers.get(name) ?? 'missing'])
    expect(answer.header('x-simulated-by')).toBeUndefined()
    expect(answer.header('access-control-allow-origin')).toBe('*')
  })

  test('may be revalidated, asked for with HEAD, a slash too many or a query', async () => {
    const etag = (await world.get(`/${still}.png`)).headers.get('etag') ?? ''
    expect((await world.get(`/${still}.png`, { headers: { 'if-none-match': etag } })).status).toBe(304)
    for (const path of [`/${still}.png`, `/${still}.png/`, `//${still}.png`]) {
      const head = await world.raw(request(`HEAD ${path}`))
      expect([head.status, head.header('content-type'), head.bytes.length]).toEqual([200, 'image/png', 0])
    }
    expect((await world.raw(`HEAD /${still}.png HTTP/1.0\r\n\r\n`)).status).toBe(200)
    for (const path of [`/${still}.png/`, `//${still}.png`, `/${still}.png?size=64&evil=../x`]) {
      expect((await world.raw(request(`GET ${path}`))).status).toBe(200)
      expect(asked()).toBe(`/cdn/avatars/${still}/${STILL}.png?size=1024`)
    }
  })

  test('of somebody without one is a default one: by id since the move, by discriminator before', async () => {
    for (const discriminator of ['0', '0001', '1337', '9999']) {
      const id = world.joinOnline({ avatar: null, discriminator })
      await world.settled()
      const index = discriminator === '0' ? Number((BigInt(id) >> 22n) % 6n) : Number(discriminator) % 5
      for (const extension of ['png', 'gif', 'webp', 'jpg', 'jpeg']) {
        const answer = await world.get(`/${id}.${extension}`)
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
        expect(asked()).toStartWith(`/cdn/embed/avatars/${index}.png`)
      }
    }
  })

  test('with a hash that is none is a default one: nothing of it gets into the address', async () => {
    for (const avatar of ['../../../x', 'a_', `${STILL}?x`, STILL.toUpperCase(), 'a'.repeat(31), '', 5, {}]) {
      const id = world.joinOnline({ discriminator: '0' })
      world.simulator.raw('GUILD_MEMBER_UPDATE', {
        guild_id: world.guildId,
        user: { id, username: 'x', avatar, discriminator: '0' },
      })
      await world.settled()
      expect((await world.get(`/${id}.png`)).status).toBe(200)
      expect(asked()).toStartWith('/cdn/embed/avatars/')
    }
  })
})

describe('no avatar', () => {
  test('is there of anybody unknown, whatever the id', async () => {
    for (const id of [NOBODY, 'hello', '0', '%00', '__proto__', 'constructor', '-1', '9'.repeat(400)])
      expect([id, ...(await failure(`/${id}.png`))]).toEqual([id, 404, 'user_not_monitored'])
  })

  test('is there under any other name', async () => {
    for (const path of [
      `/${still}`,
      `/${still}.`,
      `/${still}.PNG`,
      `/${still}.svg`,
      `/${still}.apng`,
      `/${still}.png.gif`,
      `/${still}..png`,
      `/${still}.png.`,
      `/.${still}.png`,
      `/${still}.pngx`,
      `/${still}.png%00`,
      `/${still}.png%0A`,
      `/${still}.png%20`,
      `/${still}%2Epng.png.`,
      `/avatars/${still}.png`,
      `/${still}.png/extra`,
      `/v1/users/${still}.png/kv.png/x`,
    ])
      expect([path, ...(await failure(path))]).toEqual([path, 404, 'not_found'])
  })

  test('comes when the CDN fails, whatever its status: 502', async () => {
    for (const status of [403, 404, 415, 429, 500, 503]) {
      world.simulator.cdnFails(status)
      expect([status, ...(await failure(`/${still}.png`))]).toEqual([status, 502, 'upstream_error'])
    }
    expect((await world.get(`/${still}.png`)).status).toBe(200)
  })

  test('comes when the CDN cannot be reached: 502', async () => {
    await using lost = await startReadyWorld({ config: { discordCdnUrl: 'http://127.0.0.1:9' } })
    const answer = await lost.raw(request(`GET /${lost.people.ada}.png`))
    expect([answer.status, answer.json.error.code]).toEqual([502, 'upstream_error'])
  })
})
