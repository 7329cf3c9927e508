import { describe, expect } from 'bun:test'
import { createRandom } from '../../../src/simulator/random.ts'
import { goodEvents } from '../../drills/support/fuzz/events.ts'
import { createMutator } from '../../drills/support/fuzz/mutate.ts'
import { ADA, cdnUrl, inBrowser, join, open, shows, startServer } from './support.ts'

const MARKUP = '<img src=x onerror=alert(1)>"\'</script><script>alert(2)</script>'
const MUTATIONS = 400

/** What runs, loads or leads elsewhere, inside the elements of a page. */
const DANGEROUS =
  'script, iframe, object, embed, link, style, base, form, [onerror], [onload], [style], [href^="javascript"]'

export function hostileTests(): void {
  describe('hostile presences', () => {
    inBrowser('become text, whatever field markup stands in', async () => {
      await using server = startServer()
      const hostile = { name: MARKUP, details: MARKUP, state: MARKUP, emoji: { name: MARKUP, id: MARKUP } }
      const activities = [
        { ...hostile, type: 4 },
        { ...hostile, type: 0, assets: { large_image: MARKUP, large_text: MARKUP, small_image: MARKUP } },
        { type: 'x', name: 7, timestamps: 'no', assets: [] },
        { name: null },
      ]
      const user = { global_name: MARKUP, username: MARKUP, avatar: MARKUP, primary_guild: { tag: MARKUP } }
      join(server.presences, user, { status: 'online', activities })
      server.presences.setKv(ADA, new Map([['__proto__', MARKUP]]))
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Online')
      expect(await view.page.locator('.name').textContent()).toBe(MARKUP)
      expect(await view.page.locator('.value').textContent()).toBe(MARKUP)
      expect(await view.page.locator('#presence').locator(DANGEROUS).count()).toBe(0)
      expect(await view.page.locator('#presence img').count()).toBe(1)
      expect(view.elsewhere).toEqual([`${cdnUrl()}/embed/avatars/3.png`])
      expect(view.problems).toEqual([])
    })

    inBrowser('of 10,000 activities or any shape at all leave the page standing', async () => {
      await using server = startServer()
      join(server.presences)
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Online')
      const activities = Array.from({ length: 10_000 }, (_, index) => ({ name: `Game ${index}` }))
      server.presences.patchPresence({ user: { id: ADA }, activities })
      await shows(view.page, 'and 9992 more activities')
      // Each of the following is drawn, not just the last before the next frame.
      await view.page.evaluate('globalThis.requestAnimationFrame = draw => void draw()')
      const random = createRandom(5)
      const mutate = createMutator(random)
      const good = goodEvents(random).flatMap(({ t, d }) => (t === 'PRESENCE_UPDATE' ? [d] : []))
      for (let made = 0; made < MUTATIONS; made++) {
        const odd = mutate.value(random.pick(good))
        const { user, ...presence } = Object(odd)
        server.presences.patchPresence({ ...presence, user: { ...Object(user), id: ADA } })
      }
      const last = { user: { id: ADA, global_name: 'Still here' }, status: 'idle', activities: [] }
      server.presences.patchPresence(last)
      await shows(view.page, 'Still here')
      await shows(view.page, 'Idle')
      expect(await view.page.locator('#presence').locator(DANGEROUS).count()).toBe(0)
      expect(view.problems).toEqual([])
    })
  })
}
