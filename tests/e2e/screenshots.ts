/** Makes the README's pictures from the demo: `bun run screenshots`. Give the machine fonts for emojis and Japanese first. */
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { startDemo } from '../../src/commands/demo.ts'
import { PICTURES_LOADED, startChromium } from './browser/chromium.ts'

const FOLDER = join(import.meta.dir, '../../.github/pictures')
/** Bytes: they are downloaded by whoever looks at the README. */
const MOST = 200_000

interface Shot {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly colorScheme: 'light' | 'dark'
}

const SHOTS: readonly Shot[] = [
  { name: 'page-light', width: 1280, height: 800, colorScheme: 'light' },
  { name: 'page-dark', width: 1280, height: 800, colorScheme: 'dark' },
  { name: 'phone', width: 375, height: 720, colorScheme: 'dark' },
]

async function take(browser: Browser, url: string, { name, width, height, colorScheme }: Shot): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' })
  await page.goto(url)
  await page.locator('#presence .pairs').waitFor()
  await page.locator('#presence [data-kind="spotify"]').waitFor()
  // Smooth colours make large files.
  await page.evaluate(`document.body.style.backgroundImage = 'none'`)
  await page.evaluate(PICTURES_LOADED)
  const shot = await page.screenshot({ path: join(FOLDER, `${name}.png`) })
  console.log(`${name}.png: ${shot.byteLength} bytes`)
  if (shot.byteLength > MOST) throw new Error(`${name}.png is too large`)
  await page.close()
}

/** The cards of the demo's first person, standing still. */
async function takeCard(url: string, id: string, theme: 'light' | 'dark'): Promise<void> {
  const card = await fetch(`${url}/v1/users/${id}/card.svg?theme=${theme}&animated=false`)
  const text = await card.text()
  if (!card.ok) throw new Error(`there is no card of ${id}`)
  // The simulator is still drawing what is on it.
  if (card.headers.get('cache-control') !== 'public, max-age=60') return takeCard(url, id, theme)
  console.log(`card-${theme}.svg: ${text.length} bytes`)
  if (text.length > MOST) throw new Error(`card-${theme}.svg is too large`)
  await Bun.write(join(FOLDER, `card-${theme}.svg`), `${text}\n`)
}

let said = ''
const demo = await startDemo({ HOST: '127.0.0.1', PORT: '0' }, text => {
  said = text
})
const id = /users\/(\d+)\/card/.exec(said)?.[1] ?? ''
for (const theme of ['light', 'dark'] as const) await takeCard(demo.url, id, theme)
const browser = await startChromium()
for (const shot of SHOTS) await take(browser, demo.url, shot)
await browser.close()
await demo.stop()
