import { describe, expect } from 'bun:test'
import { ADA, inBrowser, join, newContext, startServer } from './support.ts'

const BO = '204255221017214978'
/** A telephone on a slow network, as Lighthouse has it: bytes a second, milliseconds, and how much slower its processor is. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 184_000, uploadThroughput: 84_000 }
const SLOWER = 4

/** Adds up how far things on the page move that nobody has touched. */
const WATCH_SHIFTS = `globalThis.shifted = 0
new PerformanceObserver(list => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.shifted += value
}).observe({ type: 'layout-shift', buffered: true })`

function startWithMuch() {
  const server = startServer({ config: { featuredUsers: [ADA, BO, '204255221017214979'] } })
  const now = Date.now()
  const song = { type: 2, id: 'spotify:1', name: 'Spotify', details: 'Paper Boats', state: 'Ada' }
  const activities = [
    { type: 4, state: 'at sea' },
    { ...song, timestamps: { start: now - 60_000, end: now + 120_000 } },
    { type: 0, name: 'Chess', details: 'Endgame', timestamps: { start: now - 60_000 } },
  ]
  join(server.presences, {}, { status: 'dnd', activities })
  join(server.presences, { id: BO, username: 'bo', global_name: 'Bo' })
  server.presences.setKv(ADA, new Map(Array.from({ length: 500 }, (_, index) => [`key${index}`, 'x'.repeat(40)])))
  return server
}

export function steadyTests(): void {
  describe('the live page on a slow network', () => {
    for (const [path, done] of [
      ['/', 'Paper Boats'],
      [`/?user=${ADA}`, 'Paper Boats'],
      [`/?user=${BO}`, '@bo'],
      ['/?user=7', 'Nobody with this id'],
      [`/embed/${ADA}`, 'Paper Boats'],
    ] as const) {
      for (const [width, height] of [
        [375, 720],
        [1280, 800],
      ] as const) {
        inBrowser(`moves nothing about: ${path} at ${width} by ${height}`, async () => {
          await using server = startWithMuch()
          const context = await newContext({ viewport: { width, height }, reducedMotion: 'reduce' })
          const page = await context.newPage()
          const devtools = await context.newCDPSession(page)
          await devtools.send('Network.enable')
          await devtools.send('Network.emulateNetworkConditions', SLOW)
          await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOWER })
          await page.addInitScript(WATCH_SHIFTS)
          await page.goto(server.url + path)
          await page.locator('discord-presence').getByText(done).first().waitFor()
          await page.waitForLoadState('networkidle')
          // What the last frame moved is counted with the next.
          await page.evaluate('new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))')
          expect(await page.evaluate<number>('shifted')).toBeLessThan(0.05)
          const person = await page.locator('discord-presence[user]').last().boundingBox()
          expect(person?.y).toBeLessThan(height / 2)
          await context.close()
        })
      }
    }
  })
}
