import { describe, expect } from 'bun:test'
import { PICTURES_LOADED } from './chromium.ts'
import { ADA, cdnUrl, hide, inBrowser, join, open, shows, startServer, startSite } from './support.ts'

const BO = '204255221017214978'

/** A policy that allows what the README says the element needs, and nothing else. */
function strict(hosts: readonly string[]): string {
  const [scripts, sockets] = [hosts.join(' '), hosts.map(host => host.replace('http', 'ws')).join(' ')]
  const pictures = `${scripts} ${cdnUrl()} https://media.discordapp.net https://i.scdn.co`
  return `default-src 'none'; script-src ${scripts}; connect-src ${sockets}; img-src ${pictures}`
}

const element = (user = ADA, attributes = '') => `<discord-presence user="${user}" ${attributes}></discord-presence>`
const script = (url: string, attributes = 'async') => `<script src="${url}/embed.js" ${attributes}></script>`

/** A page of somebody else's, under a strict policy, with these contents. */
async function visit(html: string, ...hosts: string[]) {
  const site = startSite(`<!doctype html><html lang="en"><title>Ada</title><body>${html}`, strict(hosts))
  const view = await open(site.url, hosts)
  return {
    ...view,
    async [Symbol.asyncDispose]() {
      await view[Symbol.asyncDispose]()
      await site[Symbol.asyncDispose]()
    },
  }
}

function startWithAda() {
  const server = startServer()
  join(server.presences, { avatar_decoration_data: { asset: 'a'.repeat(32) } })
  return server
}

export function embedTests(): void {
  describe('<discord-presence> on a page elsewhere', () => {
    for (const kind of ['async', 'type="module"']) {
      inBrowser(`works under a strict policy as a script that is ${kind}`, async () => {
        await using server = startWithAda()
        await using view = await visit(script(server.url, kind) + element(), server.url)
        await shows(view.page, 'Online')
        server.presences.patchPresence({ user: { id: ADA }, status: 'dnd', client_status: { desktop: 'dnd' } })
        await shows(view.page, 'Do not disturb')
        const presence = view.page.getByRole('article', { name: 'Discord presence of Ada' })
        expect(await presence.evaluate(shown => shown.computedStyleMap().get('display')?.toString())).toBe('grid')
        expect(view.problems).toEqual([])
      })
    }

    inBrowser('shares one socket, asks once, and lets go of whom nobody shows any more', async () => {
      await using server = startWithAda()
      server.presences.putMember('1', { user: { id: BO, username: 'bo' } })
      await using view = await visit(script(server.url) + element() + element(BO) + element(), server.url)
      await shows(view.page, '@bo')
      expect(view.sent).toEqual([{ op: 2, d: { subscribe_to_ids: [ADA, BO] } }])
      expect(view.sockets.size).toBe(1)
      const elements = view.page.locator('discord-presence')
      await elements.nth(1).evaluate(gone => gone.remove())
      await view.until(() => view.sent.length === 2)
      expect(view.sent[1]).toEqual({ op: 4, d: { unsubscribe_from_ids: [BO] } })
      await elements.first().evaluate(gone => gone.remove())
      await elements.first().evaluate((moved, user) => {
        moved.parentNode?.append(moved)
        moved.setAttribute('user', user)
      }, BO)
      await shows(view.page, '@bo')
      expect(view.sent.slice(2)).toEqual([
        { op: 4, d: { unsubscribe_from_ids: [ADA] } },
        { op: 2, d: { subscribe_to_ids: [BO] } },
      ])
      await elements.first().evaluate(gone => gone.remove())
      await view.until(() => view.sockets.size === 0)
    })

    inBrowser('tells scripts of every presence, and what it is doing', async () => {
      await using server = startWithAda()
      const pictures = { user: { id: ADA }, activities: [{ name: 'Chess', assets: { large_image: 'spotify:ab' } }] }
      server.presences.patchPresence(pictures)
      await using view = await visit(element(), server.url)
      const told = view.page.evaluate(`new Promise(resolve => {
        document.addEventListener('presence', ({ detail, target }) => resolve([detail.discord_user.username, target.state]))
      })`)
      await view.page.addScriptTag({ url: `${server.url}/embed.js` })
      expect(await told).toEqual(['ada', 'live'])
      await shows(view.page, 'Chess')
      await view.page.evaluate(PICTURES_LOADED)
      expect(view.elsewhere.sort()).toEqual([
        `${cdnUrl()}/avatar-decoration-presets/${'a'.repeat(32)}.png?size=128&passthrough=true`,
        `${cdnUrl()}/embed/avatars/3.png`,
        'https://i.scdn.co/image/ab',
      ])
    })

    inBrowser('bears a second copy of its script, and asks the host an element names', async () => {
      await using server = startWithAda()
      await using second = startServer()
      const html = `${script(server.url)}${script(server.url, 'type="module"')}${element()}${element(BO)}`
      await using view = await visit(html, server.url, second.url)
      await shows(view.page, 'Online')
      await shows(view.page, /Nobody with this id/)
      await view.page.locator(`[user="${BO}"]`).evaluate((shown, host) => shown.setAttribute('host', host), second.url)
      join(second.presences, { id: BO, username: 'bo' })
      await shows(view.page, '@bo')
      expect(view.problems).toEqual([])
    })

    inBrowser('can be a page’s own, by the client module, which knows where it came from', async () => {
      await using server = startWithAda()
      await using view = await visit('<output></output>', server.url)
      const { page } = view
      const said = page.locator('output')
      await page.evaluate(`import('${server.url}/client.js').then(async ({ follow }) => {
        const output = document.querySelector('output')
        const following = follow('${ADA}', { onState: state => output.dataset.state = state })
        for await (const presence of following) output.textContent = presence.discord_status
        output.textContent = 'over'
      }), undefined`)
      await said.getByText('online').waitFor()
      server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
      await said.getByText('idle').waitFor()
      expect(await said.getAttribute('data-state')).toBe('live')
      expect(view.sent).toEqual([{ op: 2, d: { subscribe_to_ids: [ADA] } }])
      expect(view.problems).toEqual([])
    })

    inBrowser('waits longer and longer while the server is away', async () => {
      const server = startWithAda()
      await using view = await visit(script(server.url) + element(), server.url)
      const { page } = view
      await shows(page, 'Online')
      await page.clock.install()
      await page.evaluate(COUNT_ATTEMPTS)
      await server.stop()
      await shows(page, 'Connection lost, trying again')
      const attempts = () => page.evaluate<number[]>('attempts')
      const gaps = await times(attempts, () => page.clock.runFor(500))
      // Half of what is planned at least, and the plan doubles: 1 s, 2 s, 4 s …
      for (const [round, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(2 ** round * 500)
    })

    inBrowser('stops its clocks while nobody looks', async () => {
      await using server = startServer()
      const start = Date.now() - 60_000
      join(server.presences, {}, { status: 'online', activities: [{ name: 'Chess', timestamps: { start } }] })
      await using view = await visit(element(), server.url)
      const { page } = view
      await page.clock.install()
      await page.addScriptTag({ url: `${server.url}/embed.js` })
      const elapsed = page.locator('.elapsed')
      await elapsed.waitFor()
      const shown = async (milliseconds: number) => {
        await page.clock.runFor(milliseconds)
        return elapsed.textContent()
      }
      const before = await shown(0)
      expect(await shown(5000)).not.toBe(before)
      await page.evaluate(hide(true))
      const still = await shown(0)
      expect(await shown(5000)).toBe(still)
      await page.evaluate(hide(false))
      expect(await shown(100)).not.toBe(still)
    })
  })
}

/** How long a page waited before each of its next five attempts to connect; what was before is not counted. */
async function times(attempts: () => Promise<number[]>, pass: () => Promise<void>): Promise<number[]> {
  while ((await attempts()).length < 6) await pass()
  const at = await attempts()
  return at.slice(1).map((time, index) => time - (at[index] ?? 0))
}

/** Notes when, by the page's own clock, it lost its connection and when it tried to connect again. */
const COUNT_ATTEMPTS = `
  globalThis.attempts = []
  document.querySelector('discord-presence').addEventListener('state', () => attempts.push(Date.now()))
  globalThis.WebSocket = class extends WebSocket {
    constructor(address) {
      super(address)
      attempts.push(Date.now())
    }
  }`
