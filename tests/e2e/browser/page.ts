import { describe, expect } from 'bun:test'
import { startTestApp } from '../../support/app.ts'
import { PICTURES_LOADED } from './chromium.ts'
import { ADA, cdnUrl, inBrowser, join, open, shows, startServer } from './support.ts'

const BO = '204255221017214978'

interface ApiDocument {
  readonly paths: Readonly<Record<string, { readonly get: { readonly parameters: { name: string; in: string }[] } }>>
}

export function pageTests(): void {
  describe('the live page', () => {
    inBrowser('shows what Discord says the moment it says it', async () => {
      await using test = await startTestApp({
        world: ({ world }) => world.addGuild({ members: [{ user: { id: ADA, username: 'ada', global_name: 'Ada' } }] }),
      })
      await test.ready()
      await using view = await open(`${test.url}/?user=${ADA}`, [test.simulator.url])
      await shows(view.page, 'Offline')
      const activities = [{ type: 0, name: 'Chess', details: 'Endgame', timestamps: { start: Date.now() - 60_000 } }]
      test.simulator.world.setPresence(ADA, {
        status: 'dnd',
        clientStatus: { desktop: 'dnd', mobile: 'dnd' },
        activities,
      })
      await shows(view.page, 'Do not disturb on desktop and phone')
      await shows(view.page, 'Chess')
      await shows(view.page, /^for 1:\d\d$/)
      await view.page.getByRole('status').getByText('Updates as it happens').waitFor()
      expect(await view.page.title()).toBe('Ada – Exoix')
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
      await view.page.goBack()
      await view.page.locator('#person').waitFor({ state: 'hidden' })
      await view.page.goto(`${server.url}/#${ADA}`)
      await shows(view.page, 'Ada')
      expect(view.problems).toEqual([])
    })

    inBrowser('offers the featured people who are there, and opens with the first', async () => {
      await using server = startServer({ config: { featuredUsers: [ADA, BO, '204255221017214979'] } })
      join(server.presences)
      join(server.presences, { id: BO, username: 'bo', global_name: 'Bo' }, { status: 'idle' })
      await using view = await open(server.url)
      const offered = view.page.getByRole('navigation', { name: 'People to look at' }).getByRole('link')
      await offered.nth(1).waitFor()
      expect(await offered.count()).toBe(2)
      await view.page.locator('#presence').getByText('@ada').waitFor()
      await view.page.getByRole('link', { name: 'Bo' }).click()
      await view.page.locator('#presence').getByText('@bo').waitFor()
      expect(await offered.nth(1).getAttribute('aria-current')).toBe('true')
      expect(view.sockets.size).toBe(1)
      server.presences.patchPresence({ user: { id: ADA }, status: 'dnd' })
      await offered.first().getByText('Do not disturb').waitFor()
      server.presences.setHidden(BO, true)
      await view.page.reload()
      await offered.first().waitFor()
      expect(await offered.count()).toBe(1)
    })

    inBrowser('says so when nobody with that id is monitored, and shows them when they join', async () => {
      await using server = startServer()
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, /Nobody with this id/)
      await view.page.getByText('Waiting for them to appear').waitFor()
      join(server.presences)
      await shows(view.page, '@ada')
      await view.page.getByText('Updates as it happens').waitFor()
    })

    inBrowser('folds many pairs, and leaves open what its reader has unfolded', async () => {
      await using server = startServer()
      const activities = [{ type: 0, name: 'Chess', timestamps: { start: Date.now() } }]
      join(server.presences, {}, { status: 'online', activities })
      const pairs = (last: string) =>
        new Map([...Array.from({ length: 30 }, (_, at) => [`k${at}`, 'x'] as const), ['z', last]])
      server.presences.setKv(ADA, pairs('hidden at first'))
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, '25 more pairs')
      expect(await view.page.locator('#presence').getByText('hidden at first').isVisible()).toBe(false)
      await view.page.locator('#presence').getByText('25 more pairs').click()
      await shows(view.page, 'hidden at first')
      server.presences.setKv(ADA, pairs('changed meanwhile'))
      await shows(view.page, 'changed meanwhile')
    })

    inBrowser('lets lines run from right to left, and begin where the others do', async () => {
      await using server = startServer()
      const name = 'نور الهدى'
      const activities = [{ type: 0, name: 'لعبة (2)', details: 'Endgame' }]
      join(server.presences, { global_name: name }, { status: 'online', activities })
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, name)
      const starts = await view.page.locator('#presence .what > *').evaluateAll(lines =>
        lines.map(line => {
          const range = line.ownerDocument.createRange()
          range.selectNodeContents(line)
          return Math.round(range.getBoundingClientRect().left)
        }),
      )
      expect(new Set(starts).size).toBe(1)
    })

    inBrowser('comes back by itself after the server was away', async () => {
      const first = startServer()
      join(first.presences)
      await using view = await open(`${first.url}/?user=${ADA}`)
      await shows(view.page, 'Online')
      await first.stop()
      await view.page.locator('#state').getByText('Connection lost, trying again').waitFor()
      await shows(view.page, 'Online')
      await using second = startServer({ presences: first.presences, port: Number(new URL(first.url).port) })
      second.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
      await shows(view.page, 'Idle')
      await view.page.getByText('Updates as it happens').waitFor()
    })

    inBrowser('loads pictures from the configured hosts, and from nowhere else', async () => {
      await using server = startServer()
      const pictures = [
        'https://evil.example/x.png',
        'mp:external/abc/https/x.png',
        'spotify:abc',
        '123',
        'javascript:1',
      ]
      const activities = pictures.map(large_image => ({ name: 'Radio', application_id: '9', assets: { large_image } }))
      join(server.presences, {}, { status: 'online', activities })
      await using view = await open(`${server.url}/?user=${ADA}`)
      await shows(view.page, 'Radio')
      await view.page.evaluate(PICTURES_LOADED)
      expect(view.elsewhere.sort()).toEqual([
        `${cdnUrl()}/app-assets/9/123.png?size=128`,
        `${cdnUrl()}/embed/avatars/3.png`,
        'https://i.scdn.co/image/abc',
        'https://media.discordapp.net/external/abc/https/x.png?width=128&height=128',
      ])
      expect(view.problems).toEqual([])
    })

    inBrowser('has the code for that person, to copy, by keyboard as well', async () => {
      await using server = startServer()
      join(server.presences)
      await using view = await open(`${server.url}/?user=${ADA}`, [], {
        permissions: ['clipboard-read', 'clipboard-write'],
      })
      const { page } = view
      const copied = async () => {
        await page.getByRole('button', { name: 'Copy' }).click()
        await page.getByRole('button', { name: 'Copied' }).waitFor()
        return page.evaluate('navigator.clipboard.readText()')
      }
      const ways: Record<string, string> = {
        HTML: `<script src="${server.url}/embed.js" async></script>\n<discord-presence user="${ADA}"></discord-presence>`,
        curl: `curl ${server.url}/v1/users/${ADA}`,
        fetch: `fetch('${server.url}/v1/users/${ADA}')`,
        Client: `import { follow } from '${server.url}/client.js'`,
        WebSocket: `new WebSocket('${server.url.replace('http', 'ws')}/socket')`,
        EventSource: `new EventSource('${server.url}/v1/users/${ADA}/events')`,
        React: `{ hostname: '${new URL(server.url).host}', secure: false }`,
        README: `(${server.url}/v1/users/${ADA}/card.svg)`,
        Overlay: `${server.url}/embed/${ADA}?layout=compact`,
        Pairs: `curl -X PUT ${server.url}/v1/users/@me/kv/location`,
      }
      await page.getByRole('tab', { name: 'HTML' }).focus()
      for (const [name, code] of Object.entries(ways)) {
        const panel = page.getByRole('tabpanel', { name })
        await panel.waitFor()
        expect(await panel.locator('pre').textContent()).toContain(code)
        await page.keyboard.press('ArrowRight')
      }
      expect(await copied()).toBe(ways.HTML)
      await page.getByRole('tab', { name: 'README' }).click()
      await page.getByRole('img', { name: 'The card as it is now' }).waitFor()
      expect(view.problems).toEqual([])
    })

    inBrowser('builds cards: what is chosen is in the code, and is what the card in the code shows', async () => {
      await using server = startServer({ config: { externalUrl: 'https://presence.example/x' } })
      join(server.presences)
      await using view = await open(`${server.url}/?user=${ADA}`)
      const { page } = view
      await page.getByRole('tab', { name: 'README' }).click()
      const panel = page.getByRole('tabpanel', { name: 'README' })
      const code = async () => (await panel.locator('pre').textContent()) ?? ''
      const card = `https://presence.example/x/v1/users/${ADA}/card.svg`
      await panel.getByText('Make it yours').click()
      // Every parameter that the document has is offered.
      const document = (await (await fetch(`${server.url}/swagger/json`)).json()) as ApiDocument
      const parameters = document.paths['/v1/users/{id}/card.svg']?.get.parameters ?? []
      const offered = parameters.filter(parameter => parameter.in === 'query').map(({ name }) => name)
      const form = panel.getByRole('form', { name: 'How the card looks' })
      await form.getByLabel('ignoreAppId').waitFor()
      expect(await form.locator('[name]').evaluateAll(all => all.map(field => field.getAttribute('name')))).toEqual(
        offered,
      )
      expect(await code()).toBe(`[![Discord presence](${card})](https://presence.example/x/?user=${ADA})`)
      await form.getByLabel('theme').selectOption('nord')
      await form.getByLabel('showDisplayName').uncheck()
      await form.getByLabel('idleMessage').fill('Nothing & <more>')
      await form.locator('[name="gradient"]').fill('not a colour')
      const asked = 'theme=nord&idleMessage=Nothing+%26+%3Cmore%3E&showDisplayName=false'
      expect(await code()).toContain(`(${card}?${asked})`)
      const preview = panel.getByRole('img', { name: 'The card as it is now' })
      await preview.and(page.locator(`[src$="${asked}"]`)).waitFor()
      const drawn = await preview.evaluate(async image => (await fetch(String(Reflect.get(image, 'src')))).text())
      expect(drawn).toBe(await (await fetch(`${server.url}/v1/users/${ADA}/card.svg?${asked}`)).text())
      await panel.getByLabel('As', { exact: true }).selectOption('picture')
      expect(await code()).toContain(
        `srcset="${card}?idleMessage=Nothing+%26+%3Cmore%3E&amp;showDisplayName=false&amp;theme=dark"`,
      )
      await panel.getByLabel('As', { exact: true }).selectOption('url')
      expect(await code()).toBe(`${card}?${asked}`)
      expect(view.problems).toEqual([])
    })

    inBrowser('shows a way to add the bot while there is nobody, and people to look at when there are', async () => {
      const botToken = `${Buffer.from('204255221017214900').toString('base64url')}.x.y`
      await using server = startServer({ config: { botToken } })
      await using second = startServer({ config: { botToken } })
      await using view = await open(server.url, [second.url])
      const add = view.page.getByRole('link', { name: 'Add the bot to your server' })
      expect(await add.getAttribute('href')).toContain('client_id=204255221017214900&scope=bot')
      join(second.presences)
      join(second.presences, { id: BO, username: 'bo', global_name: 'Bo' }, { status: 'offline' })
      await view.page.goto(second.url)
      const offered = view.page.getByRole('navigation', { name: 'People to look at' }).getByRole('link')
      await offered.first().waitFor()
      expect(await offered.count()).toBe(1)
      expect(await add.isVisible()).toBe(false)
      await offered.first().click()
      await view.page.locator('#presence').getByText('@ada').waitFor()
      expect(view.problems).toEqual([])
    })

    inBrowser('is light or dark as the visitor chooses, and remembers', async () => {
      await using server = startServer()
      join(server.presences)
      await using view = await open(`${server.url}/?user=${ADA}`, [], { colorScheme: 'light' })
      const scheme = () =>
        view.page.evaluate(`[document.documentElement, document.getElementById('presence')]
        .map(element => getComputedStyle(element).colorScheme)`)
      expect(await scheme()).toEqual(['light dark', 'light dark'])
      await view.page.getByRole('button', { name: 'Switch between light and dark' }).click()
      expect(await scheme()).toEqual(['dark', 'dark'])
      await view.page.reload()
      expect(await scheme()).toEqual(['dark', 'dark'])
    })
  })
}
