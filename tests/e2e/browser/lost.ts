import { describe, expect } from 'bun:test'
import type { Page } from 'playwright-core'
import { startRelay } from '../../support/swallowing-relay.ts'
import { ADA, hide, inBrowser, join, open, shows, startServer, startSite } from './support.ts'

/** The element on a page of its own, connected through a relay, with the page's clock in the test's hands. */
async function watch() {
  const server = startServer()
  join(server.presences)
  const relay = await startRelay(server.url)
  const site = startSite(`<!doctype html><html lang="en"><title>Ada</title>`, 'default-src * data:')
  const view = await open(site.url, [server.url, relay.url])
  const { page } = view
  await page.clock.install()
  await page.addScriptTag({ url: `${server.url}/embed.js` })
  /** Puts the element on the page. */
  const begin = () =>
    page.locator('body').evaluate((body, html) => {
      body.innerHTML = html
    }, `<discord-presence user="${ADA}" host="${relay.url}"></discord-presence>`)
  return {
    ...view,
    server,
    relay,
    begin,
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
      await relay[Symbol.asyncDispose]()
      await server.stop()
    },
  }
}

/** Lets the page's time pass until the element has said that its connection is lost; gives after how long it did. */
async function timeUntilLost(page: Page): Promise<number> {
  const start = await page.evaluate<number>(`globalThis.lost = undefined
    document.addEventListener('state', ({ detail }) => {
      if (detail === 'lost') globalThis.lost ??= Date.now()
    })
    Date.now()`)
  for (let passed = 0; passed < 120_000; passed += 500) {
    await page.clock.runFor(500)
    const lost = await page.evaluate<number | undefined>('lost')
    if (lost !== undefined) return lost - start
  }
  throw new Error('it was never said')
}

export function lostTests(): void {
  describe('a connection that is dead without an end', () => {
    inBrowser('is noticed within 44 seconds, and another one found', async () => {
      await using view = await watch()
      const { page, server, relay } = view
      await view.begin()
      await shows(page, 'Online')
      relay.loseAll()
      server.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
      const passed = await timeUntilLost(page)
      expect(passed).toBeGreaterThan(10_000)
      expect(passed).toBeLessThanOrEqual(44_000)
      await page.clock.runFor(2000)
      await shows(page, 'Do not disturb')
    })

    for (const event of ['visibilitychange', 'online', 'pageshow'] as const) {
      inBrowser(`is noticed at once when somebody comes back: ${event}`, async () => {
        await using view = await watch()
        const { page, server, relay } = view
        await view.begin()
        await shows(page, 'Online')
        if (event === 'visibilitychange') await page.evaluate(hide(true))
        relay.loseAll()
        server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
        await page.evaluate(
          event === 'visibilitychange'
            ? hide(false)
            : `dispatchEvent(new PageTransitionEvent('${event}', { persisted: true }))`,
        )
        const passed = await timeUntilLost(page)
        await page.clock.runFor(1)
        await shows(page, 'Idle')
        expect(passed).toBeLessThan(3000)
      })
    }

    inBrowser('is given up when nobody answers the attempt, and tried again', async () => {
      await using view = await watch()
      const { page, relay } = view
      relay.loseNew(true)
      await view.begin()
      const passed = await timeUntilLost(page)
      expect(passed).toBeGreaterThan(9000)
      expect(passed).toBeLessThan(11_000)
      relay.loseNew(false)
      await page.clock.runFor(1500)
      await shows(page, 'Online')
    })

    inBrowser('is nothing a page takes a quiet one for: it is asked, answers, and stays', async () => {
      await using view = await watch()
      const { page, sent } = view
      await view.begin()
      await shows(page, 'Online')
      for (let beat = 1; beat <= 3; beat++) {
        await page.clock.runFor(30_000)
        await view.until(() => sent.length === beat + 1)
        // What was asked is answered before the next time passes.
        await page.evaluate(`fetch('${view.server.url}/health')`)
      }
      expect(sent.slice(1)).toEqual(Array.from({ length: 3 }, () => ({ op: 2, d: { subscribe_to_ids: [] } })))
      expect(view.sockets.size).toBe(1)
    })
  })
}
