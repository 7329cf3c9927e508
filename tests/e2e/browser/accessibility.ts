import { describe, expect } from 'bun:test'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { ADA, inBrowser, join, open, shows, startServer } from './support.ts'

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const WIDTHS = [375, 768, 1280, 1920]
const SCHEMES = ['light', 'dark'] as const

/** Somebody who does everything the element can show. */
function startWithAll() {
  const server = startServer({ config: { featuredUsers: [ADA, '204255221017214978'] } })
  const now = Date.now()
  const song = { start: now - 60_000, end: now + 120_000 }
  const guild = { tag: 'SHIP', identity_guild_id: '7', identity_enabled: true, badge: 'c'.repeat(32) }
  const activities = [
    { type: 4, state: 'at sea', emoji: { name: 'wave', id: '5' } },
    { type: 2, id: 'spotify:1', name: 'Spotify', details: 'Paper Boats', state: 'Ada; Grace', timestamps: song },
    { type: 0, name: 'Chess', details: 'W'.repeat(300), state: 'x', assets: { large_image: 'spotify:ab' } },
    { type: 1, name: 'Twitch', details: 'بث مباشر', url: 'https://www.twitch.tv/ada' },
    ...Array.from({ length: 8 }, (_, index) => ({
      type: index % 7,
      name: `Game ${index}`,
      timestamps: { end: now + 1e6 },
    })),
  ]
  join(
    server.presences,
    { primary_guild: guild, public_flags: 2 ** 20 - 1, accent_color: 0xff8800 },
    { status: 'dnd', client_status: { vr: 'dnd', web: 'dnd' }, activities },
  )
  join(server.presences, { id: '204255221017214978', global_name: 'Bo the '.repeat(20) }, { status: 'offline' })
  const long = 'https://example.org/'.repeat(40)
  server.presences.setKv(
    ADA,
    new Map([
      ['location', 'Oslo'],
      ['k'.repeat(200), long],
      ['site', 'https://ada.example'],
      ...Array.from({ length: 500 }, (_, index) => [`key${index}`, `value ${index}`] as const),
    ]),
  )
  return server
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  const { violations: found } = (await page.evaluate(`axe.run({ resultTypes: ['violations'] })`)) as AxeResults
  const grave = found.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  return grave.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.target.join(' ')).join(', ')}`)
}

export function accessibilityTests(): void {
  describe('the live page is for everybody', () => {
    inBrowser('passes axe, and needs no scrolling sideways, on phones and desktops, light and dark', async () => {
      await using server = startWithAll()
      const folder = mkdtempSync(joinPath(tmpdir(), 'exoix-pages-'))
      console.log(`screenshots: ${folder}`)
      await using view = await open(server.url, [], { reducedMotion: 'reduce' })
      const { page } = view
      await shows(page, 'Paper Boats')
      for (const width of WIDTHS) {
        for (const colorScheme of SCHEMES) {
          await page.setViewportSize({ width, height: 900 })
          await page.emulateMedia({ colorScheme })
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
          const sides = await page
            .locator('header, main, footer')
            .evaluateAll(all => all.map(part => part.getBoundingClientRect()))
          for (const { left, right } of sides) expect([left >= 16, right <= width - 16]).toEqual([true, true])
          // The width changes nothing of what axe looks at but what is scrolled.
          if (width === 375 || width === 1280) expect(await violations(page)).toEqual([])
          await page.screenshot({ path: joinPath(folder, `${width}-${colorScheme}.png`), fullPage: true })
        }
      }
    })
  })

  describe('the API page is for everybody', () => {
    for (const colorScheme of SCHEMES) {
      inBrowser(`passes axe, with a route open, ${colorScheme}, and leads back`, async () => {
        await using server = startWithAll()
        await using view = await open(`${server.url}/swagger#/KV/putV1UsersByIdKvByKey`, [], { colorScheme })
        const { page } = view
        await page.getByRole('button', { name: 'Try it out' }).waitFor()
        expect(await violations(page)).toEqual([])
        const levels = await page
          .getByRole('heading')
          .evaluateAll(all =>
            all.map(heading => Number(heading.getAttribute('aria-level') ?? heading.tagName.slice(1))),
          )
        expect(levels[0]).toBe(1)
        expect(levels.every((level, at) => level <= (levels[at - 1] ?? 0) + 1)).toBe(true)
        await page.getByRole('link', { name: 'Live page' }).click()
        await shows(page, 'Paper Boats')
      })
    }
  })
}
