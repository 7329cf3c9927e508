import { describe, expect } from 'bun:test'
import { PICTURES_LOADED } from './chromium.ts'
import { ADA, inBrowser, join, open, shows, startServer, startSite } from './support.ts'

interface Line {
  readonly up: WebSocket
}

/** A reverse proxy that serves what it stands before under a path, as `location /presence/ { proxy_pass http://…/; }` does. */
function startProxy(target: string, prefix: string) {
  const server = Bun.serve<Line>({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request, proxy) {
      const { pathname, search } = new URL(request.url)
      if (pathname !== prefix && !pathname.startsWith(`${prefix}/`)) return new Response(null, { status: 404 })
      const address = target + (pathname.slice(prefix.length) || '/') + search
      if (request.headers.get('upgrade') === 'websocket') {
        const up = new WebSocket(address.replace(/^http/, 'ws'))
        await new Promise(resolve => up.addEventListener('open', resolve))
        return proxy.upgrade(request, { data: { up } }) ? undefined : new Response(null, { status: 400 })
      }
      return fetch(address, { headers: request.headers, redirect: 'manual', decompress: false })
    },
    websocket: {
      open(socket) {
        socket.data.up.addEventListener('message', ({ data }) => void socket.send(data))
        socket.data.up.addEventListener('close', () => socket.close())
      },
      message: (socket, message) => socket.data.up.send(message),
      close: socket => socket.data.up.close(),
    },
  })
  return { url: `http://127.0.0.1:${server.port}${prefix}`, [Symbol.asyncDispose]: () => server.stop(true) }
}

export function proxyTests(): void {
  describe('behind a proxy that serves it under a path', () => {
    for (const end of ['/', '']) {
      inBrowser(`the live page works at /presence${end}`, async () => {
        await using server = startServer()
        join(server.presences)
        await using proxy = startProxy(server.url, '/presence')
        await using view = await open(`${proxy.url}${end}?user=${ADA}`)
        await shows(view.page, 'Online')
        await view.page.getByText('1 person is monitored here').waitFor()
        server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
        await shows(view.page, 'Idle')
        const codes = await view.page.locator('pre code').allTextContents()
        expect(codes[1]).toBe(`curl ${proxy.url}/v1/users/${ADA}`)
        expect(codes.every(code => !code.includes(new URL(server.url).port))).toBe(true)
        expect(await view.page.getByRole('link', { name: 'API' }).evaluate(link => Reflect.get(link, 'href'))).toBe(
          `${proxy.url}/swagger`,
        )
        expect(view.problems).toEqual([])
      })
    }

    inBrowser('the API document can be read and its routes be tried, without asking anybody else', async () => {
      await using server = startServer()
      await using proxy = startProxy(server.url, '/presence')
      await using view = await open(`${proxy.url}/swagger/`)
      await view.page.getByRole('heading', { level: 1, name: /Exoix/ }).waitFor()
      await view.page.locator('.opblock-summary', { hasText: '/health/serving' }).click()
      await view.page.getByRole('button', { name: 'Try it out' }).click()
      await view.page.getByRole('button', { name: 'Execute' }).click()
      await view.page.locator('.live-responses-table').getByText('monitored_user_count').first().waitFor()
      await view.page.locator('.opblock-summary', { hasText: '/v1/users/{id}' }).first().click()
      await view.page.getByText('User is not being monitored by Exoix').first().waitFor()
      expect(view.elsewhere).toEqual([])
      expect(view.problems).toEqual([])
    })

    inBrowser('the embedded element finds its service from where its script came', async () => {
      await using server = startServer()
      join(server.presences)
      await using proxy = startProxy(server.url, '/presence')
      const html = `<script type="module" src="${proxy.url}/embed.js"></script><discord-presence user="${ADA}"></discord-presence>`
      await using site = startSite(html, 'img-src *')
      await using view = await open(site.url, [proxy.url])
      await shows(view.page, 'Online')
      await view.page.evaluate(PICTURES_LOADED)
      expect(view.problems).toEqual([])
    })
  })
}
