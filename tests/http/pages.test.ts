import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { takesHtml } from '../../src/http/compression.ts'
import { ADA, codeOf, head, parse, startServer } from './harness.ts'

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
const NOBODY = '999999999999999999'
const SONG = { type: 2, id: 'spotify:1', name: 'Spotify', details: 'Night Train', state: 'Mira Voss; The "Boxes"' }

/** What previews of links read: content by property. */
const tagsOf = (html: string) =>
  Object.fromEntries(
    Array.from(html.matchAll(/<meta property="(og:[\w:]+)" content="([^"]*)" \/>/g), ([, name, content]) => [
      name as string,
      content as string,
    ]),
  )

/** Whether a page's own policy lets everything in it run. */
function allowsItself(html: string, policy: string): boolean {
  const blocks = html.matchAll(/<(?:script|style)>(.*?)<\/(?:script|style)>/gs)
  return Array.from(blocks, ([, text = '']) => createHash('sha256').update(text).digest('base64')).every(hash =>
    policy.includes(`'sha256-${hash}'`),
  )
}

describe("a person's page", () => {
  test('tells previews of links who it is, what they do, and where the card is', async () => {
    await using server = startServer({ config: { externalUrl: 'https://presence.example' } })
    server.presences.patchPresence({ user: { id: ADA, global_name: 'Ada <3' }, status: 'dnd', activities: [SONG] })
    for (const accept of [BROWSER, { accept: '*/*' }]) {
      const response = await server.get(`/?user=${ADA}`, accept)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('vary')?.split(', ')).toContain('Accept')
      const html = await response.text()
      const doing = 'Do not disturb · Listening to Spotify: Night Train – Mira Voss, The &quot;Boxes&quot;'
      expect(tagsOf(html)).toMatchObject({
        'og:type': 'profile',
        'og:title': 'Ada &lt;3',
        'og:description': doing,
        'og:url': `https://presence.example/?user=${ADA}`,
        'og:image': `https://presence.example/v1/users/${ADA}/card.svg`,
      })
      expect(html).toContain('<title>Ada &lt;3 – live Discord presence</title>')
      expect(html).toContain(`<meta name="description" content="Ada &lt;3: ${doing}"`)
      expect(allowsItself(html, response.headers.get('content-security-policy') ?? '')).toBe(true)
    }
  })

  test('is as new as the presence, and found under the address it was asked for where no other is known', async () => {
    await using server = startServer()
    const ask = async () => await (await server.get(`/?user=${ADA}`, BROWSER)).text()
    expect(tagsOf(await ask())).toMatchObject({
      'og:description': 'Online',
      'og:image': `${server.url}/v1/users/${ADA}/card.svg`,
    })
    const mood = { type: 4, name: 'Custom Status', state: 'at sea\u202e' }
    const activities = [null, mood, { type: 0, name: 'Chess', details: 'Ranked' }]
    server.presences.patchPresence({ user: { id: ADA }, status: 'idle', activities })
    expect(tagsOf(await ask())['og:description']).toBe('Idle · at sea · Playing Chess – Ranked')
  })

  test('tells nothing of hidden and unknown people: it is the page as it always is', async () => {
    await using server = startServer()
    const ask = async (path: string) => await (await server.get(path, BROWSER)).text()
    const usual = await ask('/')
    expect(tagsOf(usual)).toEqual({})
    server.presences.setHidden(ADA, true)
    for (const user of [ADA, NOBODY, 'x', '"><script>', '']) {
      expect(await ask(`/?user=${encodeURIComponent(user)}`)).toBe(usual)
    }
  })

  test('is JSON for who would rather have that', async () => {
    await using server = startServer()
    const response = await server.get(`/?user=${ADA}`, { accept: 'application/json' })
    expect(response.headers.get('content-type')).toStartWith('application/json')
  })

  test.each([
    [null, true],
    ['*/*', true],
    ['text/html', true],
    ['application/json', false],
    ['application/json, */*;q=0.5', false],
    ['text/*;q=0.5, application/json', false],
  ])('goes to who sends Accept %p: %p', (accept, page) => {
    expect(takesHtml(accept)).toBe(page)
  })
})

describe('what does not exist', () => {
  test.each(['/nope', '/nope/at/all', '/nope.html', `/v1/users/${ADA}/nope`, '/metrics/', '/discord'])(
    'is a page for browsers with the same status, and the envelope for everybody else: %s',
    async path => {
      await using server = startServer({ config: { externalUrl: 'https://presence.example/under' } })
      const page = await server.get(path, BROWSER)
      expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(page.headers.get('cache-control')).toBe('no-store')
      expect(page.headers.get('access-control-allow-origin')).toBe('*')
      const html = await page.text()
      expect(html).toContain('href="https://presence.example/under/"')
      expect(html).toContain('href="https://presence.example/under/swagger"')
      expect(allowsItself(html, page.headers.get('content-security-policy') ?? '')).toBe(true)
      expect(html).not.toContain('nope')
      const asked = parse(await server.raw(head('HEAD', path, `Accept: ${BROWSER.accept}`)))
      expect([asked.status, asked.body, asked.headers.get('content-type')?.trim()]).toEqual([
        404,
        '',
        'text/html; charset=utf-8',
      ])
      for (const accept of ['', '*/*', 'application/json']) {
        expect(await codeOf(await server.get(path, { accept }))).toBe('not_found')
      }
      expect(await codeOf(await server.get(path, BROWSER, { method: 'POST' }))).toBe('not_found')
    },
  )

  test('stays in the envelope where it is a person or a pair that is not there', async () => {
    await using server = startServer()
    for (const [path, code] of [
      [`/v1/users/${NOBODY}`, 'user_not_monitored'],
      [`/v1/users/${ADA}/kv/a`, 'kv_not_found'],
    ] as const)
      expect(await codeOf(await server.get(path, BROWSER))).toBe(code)
  })
})

describe('whose an instance is', () => {
  const config = {
    instanceName: 'Quay & Co',
    privacyUrl: 'https://quay.example/privacy?a=1&b=2',
    termsUrl: 'https://quay.example/terms',
  }

  test('stands in what it says of itself, on its page and in the API document', async () => {
    await using server = startServer({ config })
    const { data } = (await (await server.get('/')).json()) as { data: object }
    expect(data).toMatchObject({
      instance_name: config.instanceName,
      privacy_url: config.privacyUrl,
      terms_url: config.termsUrl,
    })
    const html = await (await server.get('/', BROWSER)).text()
    expect(html).toContain('<title>Quay &amp; Co – live Discord presence</title>')
    expect(html).toContain('<b>Quay &amp; Co</b>')
    expect(html).toContain('href="https://quay.example/privacy?a=1&amp;b=2"')
    expect(html).toContain('href="https://quay.example/terms"')
    const { info } = (await (await server.get('/swagger/json')).json()) as { info: Record<string, unknown> }
    expect(info).toMatchObject({ title: 'Quay & Co', termsOfService: config.termsUrl })
    expect(info.description).toContain(config.privacyUrl)
  })

  test('is not said where the operator says nothing', async () => {
    await using server = startServer()
    const { data } = (await (await server.get('/')).json()) as { data: object }
    expect(Object.keys(data)).toEqual(['info', 'monitored_user_count', 'discord_invite', 'version'])
    expect(await (await server.get('/', BROWSER)).text()).not.toContain('class="instance"')
    const { info } = (await (await server.get('/swagger/json')).json()) as { info: object }
    expect(Object.keys(info)).not.toContain('termsOfService')
  })
})
