import { describe, expect, test } from 'bun:test'
import { ADA, head, parse } from '../http/harness.ts'
import { GAME, HASH, inspect, MOOD, SONG, startCards, startHost } from './support.ts'

const PATH = `/v1/users/${ADA}/card.svg`

describe('GET /v1/users/:id/card.svg', () => {
  test('is a picture of the presence that brings its pictures along', async () => {
    await using host = startHost()
    await using server = startCards(host)
    const response = await server.get(PATH)
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/svg+xml; charset=utf-8',
      'cache-control': 'public, max-age=60',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox",
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
      etag: expect.stringMatching(/^W\/"/),
      vary: 'Accept-Encoding',
    })
    const { images, texts } = inspect(await response.text())
    expect(texts).toEqual(expect.arrayContaining(['Ada Lovelace', 'deep work', 'Lumen Drift', 'Paper Lanterns']))
    expect(images).toHaveLength(7)
  })

  test('asks for every picture once, small, and for nothing else', async () => {
    await using host = startHost()
    await using server = startCards(host)
    await server.card()
    expect(host.asked.sort()).toEqual([
      `/app-assets/901/111.png?size=128`,
      `/avatar-decoration-presets/a_${HASH}.png`,
      `/avatar-decoration-presets/a_${HASH}.png?size=256&passthrough=false`,
      `/avatars/${ADA}/${HASH}.webp?size=128`,
      `/emojis/110.webp?size=64&animated=true`,
      `/external/abc/https/example.org/logo.png?width=64&height=64`,
      `/guild-tag-badges/880000000000000001/${HASH}.png?size=32`,
      `/image/ab67616d0000b273`,
    ])
    await server.card('theme=light')
    expect(host.asked).toHaveLength(8)
  })

  test('asks for still pictures when nothing is to move, and for no decoration or tag that is hidden', async () => {
    await using host = startHost()
    await using server = startCards(host)
    server.show([MOOD], { avatar: `a_${HASH}` })
    await server.card('animated=false&hideTag=true')
    expect(host.asked.sort()).toEqual([
      `/avatar-decoration-presets/a_${HASH}.png?size=256&passthrough=false`,
      `/avatars/${ADA}/a_${HASH}.webp?size=128`,
      `/emojis/110.webp?size=64`,
    ])
    await server.card('hideDecoration=true')
    expect(host.asked).toContain(`/avatars/${ADA}/a_${HASH}.gif?size=128`)
  })

  test('asks for signed art with the query that signs it', async () => {
    await using host = startHost()
    await using server = startCards(host)
    server.show([{ ...GAME, assets: { large_image: 'mp:attachments/1/2/v.png?ex=1&is=2&hm=3&' } }], { avatar: null })
    await server.card('hideDecoration=true&hideTag=true')
    expect(host.asked).toContain('/attachments/1/2/v.png?ex=1&is=2&hm=3&width=128&height=128')
  })

  test('tells times as Discord does: as text too, none of 0, and what is left where only the end is told', async () => {
    await using host = startHost()
    await using server = startCards(host)
    const now = Date.now()
    const texts = async (activity: object) => {
      server.show([{ ...GAME, ...activity }])
      return inspect(await server.card('animated=false')).texts.join(' | ')
    }
    const [start, end] = [now - 61_000, now + 121_000]
    expect(await texts({ timestamps: { start: `${start}`, end: `${end}` } })).toMatch(/1:0\d \| 3:02/)
    expect(await texts({ timestamps: { end } })).toContain('2 min left')
    expect(await texts({ timestamps: { start: 0 } })).not.toMatch(/for \d/)
    expect(await texts({ type: 6, name: 'Hang Status', state: 'brb' })).toContain('Hanging out | Gonna BRB')
  })

  test('has what stands in for pictures that do not come', async () => {
    await using host = startHost(() => new Response('no', { status: 500 }))
    await using server = startCards(host)
    const { images, texts } = inspect(await server.card())
    expect(images).toEqual([])
    expect(texts).toEqual(expect.arrayContaining(['A', ':moss: deep work', 'L', '♪']))
  })

  test('shows a change at once, and what has not changed with the same ETag', async () => {
    await using host = startHost()
    await using server = startCards(host)
    server.show([GAME])
    const first = await server.get(PATH)
    expect((await server.get(PATH)).headers.get('etag')).toBe(first.headers.get('etag'))
    const again = await server.get(PATH, { 'if-none-match': first.headers.get('etag') ?? '' })
    expect(again.status).toBe(304)
    server.show([SONG])
    const changed = await server.get(PATH, { 'if-none-match': first.headers.get('etag') ?? '' })
    expect(inspect(await changed.text()).texts).toContain('Paper Lanterns')
  })

  test('is drawn anew for other options, and once for the same ones said differently', async () => {
    await using host = startHost()
    await using server = startCards(host)
    const etag = async (query: string) => (await server.get(`${PATH}?${query}`)).headers.get('etag')
    expect(await etag('theme=light')).not.toBe(await etag('theme=dark'))
    expect(await etag('theme=dark&bg=zzz&x=1')).toBe(await etag(''))
  })

  test('is drawn once for everybody who asks at the same time', async () => {
    await using host = startHost()
    await using server = startCards(host)
    const cards = await Promise.all(Array.from({ length: 50 }, () => server.card()))
    expect(new Set(cards).size).toBe(1)
    expect(host.asked).toHaveLength(8)
  })

  test.each(['gzip', 'zstd'])('is sent with %s to who accepts that', async encoding => {
    await using host = startHost()
    await using server = startCards(host)
    const response = await server.get(PATH, { 'accept-encoding': encoding })
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect(inspect(await response.text()).texts).toContain('Ada Lovelace')
  })

  test('answers HEAD and preflight, without a Host header too', async () => {
    await using host = startHost()
    await using server = startCards(host)
    const told = parse(await server.raw(head('HEAD', `${PATH}?theme=light`)))
    expect([told.status, told.body]).toEqual([200, ''])
    const { length } = await server.card('theme=light')
    expect(Number(told.headers.get('content-length'))).toBeGreaterThanOrEqual(length)
    expect((await server.get(PATH, {}, { method: 'OPTIONS' })).status).toBe(204)
    const odd = `GET ${PATH}?theme=light HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n`
    expect(parse(await server.raw(odd)).status).toBe(200)
    expect((await server.get(`/${PATH}/`)).status).toBe(200)
  })

  test('counts pictures by what came of them', async () => {
    await using host = startHost(() => new Response(null, { status: 404 }))
    await using server = startCards(host)
    await server.card()
    const numbers = await (await server.get('/metrics')).text()
    expect(numbers).toContain('exoix_image_fetches_total{outcome="failed"} 8')
    expect(numbers).toContain('exoix_image_fetches_total{outcome="fetched"} 0')
  })

  test('is not written: no other method has a meaning here', async () => {
    await using host = startHost()
    await using server = startCards(host)
    expect((await server.get(PATH, {}, { method: 'POST' })).status).toBe(404)
  })
})

describe('a card of somebody nothing is told of', () => {
  const answers = async (server: ReturnType<typeof startCards>, id: string, query = '') => {
    const response = await server.get(`/v1/users/${id}/card.svg?${query}`)
    response.headers.delete('date')
    return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() }
  }

  test('says how to be monitored, like any other card', async () => {
    await using host = startHost()
    await using server = startCards(host, { config: { discordInvite: 'https://discord.gg/example' } })
    const { status, headers, body } = await answers(server, '1')
    expect(status).toBe(200)
    expect(headers['cache-control']).toBe('public, max-age=60')
    expect(inspect(body).texts).toEqual([
      'Not monitored',
      'Join the Discord server to appear here',
      'discord.gg/example',
    ])
  })

  test('says it without an invite where there is none', async () => {
    await using host = startHost()
    await using server = startCards(host)
    expect(inspect((await answers(server, '1')).body).texts).toEqual([
      'Not monitored',
      'Join a server its bot is in to appear here',
    ])
  })

  test.each(['ready', 'starting', 'reconnecting'] as const)(
    'is the same for hidden, unknown and impossible people while %s',
    async readiness => {
      await using host = startHost()
      await using server = startCards(host, { readiness })
      server.presences.setHidden(ADA, true)
      const unknown = await answers(server, '1')
      for (const id of [ADA, '2', '@me', 'x', '%00', '9'.repeat(300), '%3Cscript%3E', '__proto__']) {
        expect(await answers(server, id)).toEqual(unknown)
      }
      expect(await answers(server, ADA, 'theme=light')).toEqual(await answers(server, '1', 'theme=light'))
      expect(host.asked).toEqual([])
    },
  )

  test('is for a moment only while nobody knows yet', async () => {
    await using host = startHost()
    await using server = startCards(host, { readiness: 'starting' })
    const { headers, body } = await answers(server, '1')
    expect(headers['cache-control']).toBe('public, max-age=5')
    expect(inspect(body).texts[0]).toStartWith('Starting')
    expect((await answers(server, ADA)).headers['cache-control']).toBe('public, max-age=60')
  })
})
