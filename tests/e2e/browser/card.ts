import { afterAll, beforeAll, describe, expect } from 'bun:test'
import type { Page } from 'playwright-core'
import { startTestApp, type TestApp } from '../../support/app.ts'
import { found } from './chromium.ts'
import { ADA, inBrowser, newContext } from './support.ts'

const HASH = '0123456789abcdef0123456789abcdef'
/** What a careful site sends, and a little less than GitHub does. */
const POLICY = "default-src 'none'; img-src http://127.0.0.1:*"

let exoix: TestApp
/** Somebody else's page, with one card on it. */
let site: Bun.Server<undefined>

async function start(): Promise<void> {
  if (!found) return
  exoix = await startTestApp({ world: simulator => void simulator.world.addGuild({ members: [ada()] }) })
  await exoix.ready()
  // The simulator draws its pictures when they are first asked for, which may take longer than a card waits.
  let drawn: string | null = null
  while (drawn !== 'public, max-age=60') {
    drawn = (await fetch(`${exoix.url}/v1/users/${ADA}/card.svg`)).headers.get('cache-control')
  }
  site = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: page })
}

async function stop(): Promise<void> {
  await site?.stop(true)
  await exoix?.[Symbol.asyncDispose]()
}

function ada() {
  const now = Date.now()
  const assets = { large_image: `spotify:ab67616d0000b273${HASH.slice(0, 24)}` }
  return {
    user: {
      id: ADA,
      username: 'ada',
      global_name: 'Ada <b>"Lovelace"</b>',
      avatar: HASH,
      public_flags: 64,
      primary_guild: { tag: 'ENGN', identity_enabled: true, identity_guild_id: '880000000000000001', badge: HASH },
      avatar_decoration_data: { asset: `a_${HASH}` },
    },
    presence: {
      status: 'online' as const,
      activities: [
        {
          type: 4,
          name: 'Custom Status',
          state: 'deep work & tea',
          emoji: { name: 'moss', id: '1100000000000000003' },
        },
        {
          ...{ type: 2, id: 'spotify:1', name: 'Spotify', details: 'Paper Lanterns', state: 'Hollow Coast' },
          ...{ timestamps: { start: now - 60_000, end: now + 600_000 }, assets },
        },
      ],
    },
  }
}

function page(request: Request): Response {
  const { pathname, search } = new URL(request.url)
  if (pathname === '/favicon.ico') return new Response(null, { status: 204 })
  return new Response(`<!doctype html><img src="${exoix.url}/v1/users${pathname}/card.svg${search}">`, {
    headers: { 'content-type': 'text/html', 'content-security-policy': POLICY },
  })
}

/** Shows the card of a person on the site, once the browser has drawn it. */
async function show(path: string) {
  const context = await newContext()
  const tab = await context.newPage()
  const problems: string[] = []
  const asked: string[] = []
  tab.on('console', message => message.type() === 'error' && problems.push(message.text()))
  tab.on('request', request => asked.push(request.url()))
  await tab.goto(`http://127.0.0.1:${site.port}/${path}`, { waitUntil: 'load' })
  return { tab, problems, asked, [Symbol.asyncDispose]: () => context.close() }
}

const sizeOf = (tab: Page) =>
  tab.evaluate<number[]>('[document.images[0].naturalWidth, document.images[0].naturalHeight]')

/** How many different colours a part of the card has, as the browser shows it. */
async function coloursIn(tab: Page, part: { x: number; y: number; width: number; height: number }): Promise<number> {
  const box = await tab.locator('img').boundingBox()
  if (box === null) throw new Error('the card is not shown')
  const shot = await tab.screenshot({ clip: { ...part, x: box.x + part.x, y: box.y + part.y } })
  // On a page of its own: the site's policy allows no data.
  const empty = await tab.context().newPage()
  const colours = await empty.evaluate<number>(`(async () => {
    const source = await fetch('data:image/png;base64,${shot.toString('base64')}')
    const image = await createImageBitmap(await source.blob())
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
    canvas.drawImage(image, 0, 0)
    const { data } = canvas.getImageData(0, 0, image.width, image.height)
    return new Set(new Uint32Array(data.buffer)).size
  })()`)
  await empty.close()
  return colours
}

const AVATAR = { x: 40, y: 30, width: 40, height: 40 }
const NAME = { x: 116, y: 25, width: 120, height: 22 }
const COVER = { x: 30, y: 125, width: 50, height: 50 }
const TITLE = { x: 101, y: 132, width: 100, height: 22 }

export function cardTests(): void {
  describe('a card on somebody’s site', () => {
    beforeAll(start)
    afterAll(stop)

    inBrowser('is drawn with its pictures and words, and asks nobody for anything', async () => {
      await using view = await show(ADA)
      expect(await sizeOf(view.tab)).toEqual([410, 208])
      for (const part of [AVATAR, NAME, COVER, TITLE]) expect(await coloursIn(view.tab, part)).toBeGreaterThan(8)
      expect(view.asked.filter(url => !url.startsWith(`http://127.0.0.1:${site.port}/`))).toEqual([
        `${exoix.url}/v1/users/${ADA}/card.svg`,
      ])
      expect(view.problems).toEqual([])
    })

    inBrowser('tells the time of a song as it passes, by itself', async () => {
      await using view = await show(ADA)
      const look = async () => (await view.tab.locator('img').screenshot()).toString('base64')
      const first = await look()
      while ((await look()) === first);
      expect(view.asked).toHaveLength(2)
      // A card that stands still shows that it was the song which moved.
      await using still = await show(`${ADA}?animated=false`)
      const [before, after] = [await still.tab.locator('img').screenshot(), await still.tab.locator('img').screenshot()]
      expect(after.equals(before)).toBe(true)
    })

    inBrowser('is drawn when nothing is known of the person', async () => {
      await using view = await show('1?theme=light')
      expect(await sizeOf(view.tab)).toEqual([410, 96])
      expect(await coloursIn(view.tab, { x: 104, y: 20, width: 150, height: 24 })).toBeGreaterThan(8)
      expect(view.problems).toEqual([])
    })

    inBrowser('is a picture and nothing more where it is opened by itself', async () => {
      await using view = await show('1')
      const response = await view.tab.goto(`${exoix.url}/v1/users/${ADA}/card.svg`)
      expect(response?.status()).toBe(200)
      expect(await view.tab.evaluate<string>('document.documentElement.namespaceURI')).toBe(
        'http://www.w3.org/2000/svg',
      )
      expect(await view.tab.evaluate<string>('self.origin')).toBe('null')
      expect(view.problems).toEqual([])
    })
  })
}
