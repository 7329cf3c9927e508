import { describe, expect, test } from 'bun:test'
import { Images, type ImagesOptions } from '../../src/card/images.ts'
import { createMetrics } from '../../src/lib/metrics.ts'
import { USER_AGENT } from '../../src/lib/upstream.ts'
import { pngOf } from '../support/png.ts'
import { png, startHost } from './support.ts'

const HOUR = 60 * 60 * 1000
const MINUTE = 60 * 1000

/** Pictures from one host, on a clock that stands still. */
function startImages(host: { url: string }, options: Partial<ImagesOptions> = {}) {
  const metrics = createMetrics()
  const clock = { now: 0 }
  const images = new Images({ hosts: [host.url], metrics, now: () => clock.now, ...options })
  const outcome = (name: string) =>
    Number(new RegExp(`image_fetches_total\\{outcome="${name}"\\} (\\d+)`).exec(metrics.render())?.[1])
  return { get: (url: string) => images.get(url), clock, outcome }
}

const typed = (body: ConstructorParameters<typeof Response>[0], type: string, headers: Record<string, string> = {}) =>
  new Response(body, { headers: { 'content-type': type, ...headers } })

const PNG = pngOf('seed')
const WEBP = Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64')
const GIF = Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64')
const JPEG = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10])

describe('a picture from elsewhere', () => {
  test.each([
    ['image/png', PNG],
    ['image/webp', WEBP],
    ['image/gif', GIF],
    ['image/jpeg', JPEG],
    ['IMAGE/PNG; charset=utf-8', PNG],
  ])('of type %s becomes an address that needs nobody', async (type, bytes) => {
    await using host = startHost(() => typed(bytes, type))
    const expected = `data:${type.split(';')[0]?.toLowerCase()};base64,${Buffer.from(bytes).toString('base64')}`
    expect<string | undefined>(await startImages(host).get(`${host.url}/a`)).toBe(expected)
  })

  test.each<[string, () => Response]>([
    ['a page that says it is a picture', () => typed('<html><script>alert(1)</script>', 'image/png')],
    ['a picture that says it is a page', () => typed(PNG, 'text/html')],
    ['a picture that says it is another', () => typed(PNG, 'image/webp')],
    ['a picture that does not say what it is', () => new Response(PNG)],
    ['an SVG', () => typed('<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml')],
    ['an AVIF', () => typed(PNG, 'image/avif')],
    ['a type that would break out', () => typed(PNG, 'image/png";base64,')],
    ['nothing at all', () => typed(null, 'image/png')],
  ])('is refused when it is %s', async (_, answer) => {
    await using host = startHost(answer)
    const images = startImages(host)
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(images.outcome('refused')).toBe(1)
  })

  test.each([404, 403, 429, 500, 204, 206])('is none with status %d', async status => {
    const body = status === 204 ? null : PNG
    await using host = startHost(() => new Response(body, { status, headers: { 'content-type': 'image/png' } }))
    const images = startImages(host)
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(images.outcome('failed')).toBe(1)
  })

  test('is not looked for where a redirect points', async () => {
    await using other = startHost()
    await using host = startHost(() => Response.redirect(`${other.url}/private`))
    const images = startImages(host, { hosts: [host.url, other.url] })
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(other.asked).toEqual([])
    expect(images.outcome('failed')).toBe(1)
  })

  test('is asked for at the hosts of the settings only', async () => {
    await using host = startHost()
    const images = startImages(host, { hosts: ['http://127.0.0.1:1', `${host.url}/cdn`] })
    for (const path of ['/a', '.evil.example/a', '@127.0.0.1:9/a', '/cdnx/a']) {
      expect(await images.get(host.url + path)).toBeUndefined()
    }
    expect(host.asked).toEqual([])
    expect(await images.get(`${host.url}/cdn/a`)).toStartWith('data:image/png')
  })

  test('may not be larger than half a megabyte, whatever it says of its length', async () => {
    const chunk = new Uint8Array(64 * 1024)
    let sent = 0
    await using host = startHost(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(sent === 0 ? Buffer.concat([PNG, chunk]) : chunk)
              sent += chunk.byteLength
            },
          }),
          { headers: { 'content-type': 'image/png' } },
        ),
    )
    const images = startImages(host, { patience: 60_000 })
    expect(await images.get(`${host.url}/endless`)).toBeUndefined()
    expect(images.outcome('too_large')).toBe(1)
  })

  test('is not read at all when it says that it is larger', async () => {
    await using host = startHost(() => typed(new Uint8Array(1024 * 1024), 'image/png'))
    const images = startImages(host)
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(images.outcome('too_large')).toBe(1)
  })

  test('is never unpacked', async () => {
    const bomb = Bun.gzipSync(Buffer.concat([PNG, new Uint8Array(20 * 1024 * 1024)]))
    await using host = startHost(() => typed(bomb, 'image/png', { 'content-encoding': 'gzip' }))
    const images = startImages(host)
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(images.outcome('refused')).toBe(1)
  })

  test('is asked for under our name', async () => {
    const names: (string | null)[] = []
    await using host = startHost(request => {
      names.push(request.headers.get('user-agent'))
      return png(request)
    })
    await startImages(host).get(`${host.url}/a`)
    expect(names).toEqual([USER_AGENT])
  })

  test.each<[string, () => Response | Promise<Response>]>([
    ['never begins', () => new Promise(() => {})],
    ['never ends', () => typed(new ReadableStream({ start: controller => controller.enqueue(PNG) }), 'image/png')],
  ])('is given up when it %s', async (_, answer) => {
    await using host = startHost(answer)
    const images = startImages(host, { patience: 60_000, longest: 50 })
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    expect(images.outcome('timeout')).toBe(1)
  })

  test('that takes longer than a card can wait is late, and there for the next card', async () => {
    const opened = Promise.withResolvers<void>()
    await using host = startHost(async request => {
      await opened.promise
      return png(request)
    })
    const images = startImages(host, { patience: 50, longest: 60_000 })
    expect(await images.get(`${host.url}/a`)).toBe('late')
    opened.resolve()
    let got = await images.get(`${host.url}/a`)
    while (got === 'late') got = await images.get(`${host.url}/a`)
    expect(got).toStartWith('data:image/png')
    expect(host.asked).toEqual(['/a'])
  })

  test('is none when nobody listens there', async () => {
    const images = startImages({ url: 'http://127.0.0.1:1' })
    expect(await images.get('http://127.0.0.1:1/a')).toBeUndefined()
    expect(images.outcome('failed')).toBe(1)
  })
})

describe('pictures that were asked for', () => {
  test('are asked for once by many at the same time, and kept', async () => {
    await using host = startHost()
    const images = startImages(host)
    const all = await Promise.all(Array.from({ length: 20 }, () => images.get(`${host.url}/a`)))
    expect(new Set(all).size).toBe(1)
    await images.get(`${host.url}/a`)
    expect(host.asked).toEqual(['/a'])
  })

  test('are asked after once they are an hour old, and stay when nothing has changed', async () => {
    const etags: (string | null)[] = []
    await using host = startHost(request => {
      etags.push(request.headers.get('if-none-match'))
      if (etags.at(-1) === '"1"') return new Response(null, { status: 304 })
      return typed(PNG, 'image/png', { etag: '"1"' })
    })
    const images = startImages(host)
    const first = await images.get(`${host.url}/a`)
    images.clock.now = HOUR
    expect(await images.get(`${host.url}/a`)).toBe(first as never)
    images.clock.now = 2 * HOUR - 1
    await images.get(`${host.url}/a`)
    expect(etags).toEqual([null, '"1"'])
    expect(images.outcome('unchanged')).toBe(1)
  })

  test('stay for a minute when they cannot be asked after', async () => {
    let answer = () => png({ url: 'first' })
    await using host = startHost(() => answer())
    const images = startImages(host)
    const first = await images.get(`${host.url}/a`)
    answer = () => new Response(null, { status: 500 })
    images.clock.now = HOUR
    expect(await images.get(`${host.url}/a`)).toBe(first as never)
    answer = () => png({ url: 'second' })
    expect(await images.get(`${host.url}/a`)).toBe(first as never)
    images.clock.now = HOUR + MINUTE
    expect(await images.get(`${host.url}/a`)).not.toBe(first as never)
  })

  test('and did not come are not asked for again within a minute', async () => {
    let status = 404
    await using host = startHost(request => (status === 200 ? png(request) : new Response(null, { status })))
    const images = startImages(host)
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    status = 200
    images.clock.now = MINUTE - 1
    expect(await images.get(`${host.url}/a`)).toBeUndefined()
    images.clock.now = MINUTE
    expect(await images.get(`${host.url}/a`)).toStartWith('data:image/png')
    expect(host.asked).toHaveLength(2)
  })

  test('are asked for 16 at a time of each host', async () => {
    const sixteen = Promise.withResolvers<void>()
    const opened = Promise.withResolvers<void>()
    let most = 0
    let now = 0
    await using host = startHost(async request => {
      most = Math.max(most, ++now)
      if (now === 16) sixteen.resolve()
      await opened.promise
      now--
      return png(request)
    })
    await using other = startHost()
    const images = startImages(host, { hosts: [host.url, other.url], patience: 60_000, longest: 60_000 })
    const all = Array.from({ length: 40 }, (_, index) => images.get(`${host.url}/${index}`))
    expect(await images.get(`${other.url}/a`)).toStartWith('data:image/png')
    await sixteen.promise
    opened.resolve()
    expect((await Promise.all(all)).every(uri => uri?.startsWith('data:'))).toBe(true)
    expect(most).toBe(16)
  })

  test('beyond those that may wait are left out, and nothing is held against them', async () => {
    const opened = Promise.withResolvers<void>()
    await using host = startHost(async request => {
      await opened.promise
      return png(request)
    })
    const images = startImages(host, { patience: 60_000, longest: 60_000 })
    const waiting = Array.from({ length: 16 + 256 }, (_, index) => images.get(`${host.url}/${index}`))
    expect(await images.get(`${host.url}/last`)).toBe('late')
    expect(images.outcome('crowded')).toBe(1)
    opened.resolve()
    await Promise.all(waiting)
    expect(await images.get(`${host.url}/last`)).toStartWith('data:image/png')
  })

  test('take no more memory than is theirs: what was not used for longest is asked for again', async () => {
    const large = Buffer.concat([PNG, Buffer.alloc(500_000)])
    await using host = startHost(() => typed(large, 'image/png'))
    const images = startImages(host)
    for (let index = 0; index < 60; index++) {
      await images.get(`${host.url}/${index}`)
      await images.get(`${host.url}/0`)
    }
    expect(host.asked).toHaveLength(60)
    await images.get(`${host.url}/1`)
    expect(host.asked).toHaveLength(61)
  })
})
