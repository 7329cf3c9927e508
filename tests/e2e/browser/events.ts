import { describe, expect } from 'bun:test'
import { ADA, inBrowser, join, open, startServer, startSite } from './support.ts'

/** What the README tells people to paste, with something to look at. */
const page = (url: string) => `<!doctype html><html lang="en"><title>Ada</title><ol></ol><script>
const events = new EventSource('${url}/v1/users/${ADA}/events')

events.onmessage = ({ data }) => {
  const presence = JSON.parse(data)
  document.querySelector('ol').append(Object.assign(document.createElement('li'), { textContent: presence.discord_status }))
}
</script>`

const policy = (url: string) => `default-src 'none'; script-src 'unsafe-inline'; connect-src ${url}`

export function eventTests(): void {
  describe('EventSource on a page elsewhere', () => {
    inBrowser('tells how somebody is, every change, and how they are after a restart', async () => {
      const first = startServer()
      join(first.presences)
      await using site = startSite(page(first.url), policy(first.url))
      await using view = await open(site.url, [first.url])
      const item = (at: number) => view.page.locator('li').nth(at)
      await item(0).waitFor()
      first.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
      await item(1).waitFor()
      await first.stop()
      await using _second = startServer({ presences: first.presences, port: Number(new URL(first.url).port) })
      await item(2).waitFor()
      expect(await view.page.locator('li').allTextContents()).toEqual(['online', 'dnd', 'dnd'])
    })
  })
}
