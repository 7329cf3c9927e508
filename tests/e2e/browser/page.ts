import { describe, expect } from 'bun:test'
import type { Page } from 'playwright-core'
import { ADA, inBrowser, join, open, startServer } from './support.ts'

const shows = (page: Page, text: string | RegExp) => page.locator('#person').getByText(text).first().waitFor()

export function pageTests(): void {
  describe('the live page', () => {
    inBrowser('shows a presence, and every change of it, without asking anybody else', async () => {
      await using server = startServer()
      join(server.presences)
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Live')
      await shows(view.page, 'Online')
      server.presences.patchPresence({
        user: { id: ADA },
        status: 'dnd',
        client_status: { desktop: 'dnd', mobile: 'dnd' },
        activities: [{ type: 0, name: 'Chess', details: 'Endgame', timestamps: { start: Date.now() - 60_000 } }],
      })
      await shows(view.page, 'Do not disturb on desktop and phone')
      await shows(view.page, 'Playing Chess')
      await shows(view.page, /^for 1:\d\d$/)
      server.presences.setKv(ADA, new Map([['location', 'Berlin']]))
      await shows(view.page, 'Berlin')
      expect(view.elsewhere).toEqual([])
      expect(view.problems).toEqual([])
    })

    inBrowser('shows whom the visitor types, pastes or names in the address', async () => {
      await using server = startServer()
      join(server.presences)
      await using view = await open(server.url)
      expect(await view.page.locator('#person').isVisible()).toBe(false)
      await view.page.getByText('1 person is monitored here').waitFor()
      await view.page.getByLabel('Discord user id').fill(`  <@${ADA}> `)
      await view.page.keyboard.press('Enter')
      await shows(view.page, 'Ada')
      expect(new URL(view.page.url()).search).toBe(`?user=${ADA}`)
      await view.page.getByText(`curl ${server.url}/v1/users/${ADA}`).waitFor()
      await using linked = await open(`${server.url}/#${ADA}`)
      await shows(linked.page, 'Ada')
      expect([...view.problems, ...linked.problems]).toEqual([])
    })

    inBrowser('says so when nobody with that id is monitored, and shows them when they join', async () => {
      await using server = startServer()
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, /Nobody with this id is monitored here/)
      join(server.presences)
      await shows(view.page, 'Ada')
      await shows(view.page, 'Live')
    })

    inBrowser('comes back by itself after the server was away', async () => {
      const first = startServer()
      join(first.presences)
      await using view = await open(`${first.url}/?user=${ADA}`)
      await shows(view.page, 'Live')
      await first.stop()
      await shows(view.page, /Connection lost, trying again in \d s/)
      await using second = startServer({ presences: first.presences, port: Number(new URL(first.url).port) })
      second.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
      await shows(view.page, 'Idle')
      await shows(view.page, 'Live')
    })

    inBrowser('shows hostile names as the text they are', async () => {
      await using server = startServer()
      const hostile = '<img src=x onerror=alert(1)>"\'</script><script>alert(2)</script>'
      const activity = { name: hostile, details: hostile, state: hostile, emoji: { name: hostile }, type: 4 }
      join(
        server.presences,
        { global_name: hostile, username: hostile, avatar: hostile },
        {
          status: 'online',
          activities: [
            activity,
            { ...activity, type: 0 },
            { type: 'x', name: 7, timestamps: 'no', assets: [] },
            { name: null },
          ],
        },
      )
      server.presences.setKv(ADA, new Map([['__proto__', hostile]]))
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Live')
      expect(await view.page.locator('#presence h2').textContent()).toBe(hostile)
      expect(await view.page.locator('#presence dd').textContent()).toBe(hostile)
      expect(await view.page.locator('#presence script').count()).toBe(0)
      expect(await view.page.locator('#presence img').count()).toBe(1)
      expect(view.elsewhere).toEqual([])
      expect(view.problems).toEqual([])
    })

    inBrowser('loads pictures of presences from Discord and Spotify, and from nowhere else', async () => {
      await using server = startServer()
      const pictures = [
        'https://evil.example/x.png',
        'mp:external/abc/https/x.png',
        'spotify:abc',
        '123',
        'javascript:1',
        '//evil',
      ]
      const now = Date.now()
      join(
        server.presences,
        {},
        {
          status: 'online',
          activities: pictures.map(large_image => ({
            type: 2,
            name: 'Radio',
            application_id: '9',
            assets: { large_image },
            timestamps: { start: now - 10_000, end: now + 10_000 },
          })),
        },
      )
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Live')
      await view.page.waitForLoadState('networkidle')
      expect(view.elsewhere.sort()).toEqual([
        'https://cdn.discordapp.com/app-assets/9/123.png',
        'https://i.scdn.co/image/abc',
        'https://media.discordapp.net/external/abc/https/x.png',
      ])
      expect(await view.page.getByRole('progressbar').count()).toBe(pictures.length)
      expect(view.problems).toEqual([])
    })
  })

  describe('the page of the API document', () => {
    inBrowser('is drawn, and a route can be tried, without asking anybody else', async () => {
      await using server = startServer()
      await using view = await open(`${server.url}/swagger`)
      await view.page.getByRole('heading', { level: 1, name: /Exoix/ }).waitFor()
      await view.page.locator('.opblock-summary', { hasText: '/health' }).click()
      await view.page.getByRole('button', { name: 'Try it out' }).click()
      await view.page.getByRole('button', { name: 'Execute' }).click()
      await view.page.locator('.live-responses-table').getByText('monitored_user_count').first().waitFor()
      await view.page.locator('.opblock-summary', { hasText: '/v1/users/{id}' }).first().click()
      await view.page.getByText('User is not being monitored by Exoix').first().waitFor()
      expect(view.elsewhere).toEqual([])
      expect(view.problems).toEqual([])
    })
  })
}
