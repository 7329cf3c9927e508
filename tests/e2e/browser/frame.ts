import { describe, expect } from 'bun:test'
import { ADA, inBrowser, join, open, shows, startServer, startSite } from './support.ts'

export function frameTests(): void {
  describe('/embed/:id', () => {
    inBrowser('is one person on no ground of its own, in a frame of anybody, and live', async () => {
      await using server = startServer()
      join(server.presences)
      const html = `<!doctype html><html lang="en"><title>x</title><body style="background: rgb(1, 2, 3)">
        <iframe title="Ada" src="${server.url}/embed/${ADA}?layout=compact" style="border: 0"></iframe>`
      await using site = startSite(html, "style-src 'unsafe-inline'; frame-src *")
      await using view = await open(site.url, [server.url])
      const frame = view.page.frameLocator('iframe')
      await frame.getByText('Online').waitFor()
      server.presences.patchPresence({ user: { id: ADA }, status: 'idle' })
      await frame.getByText('Idle').waitFor()
      expect(await frame.locator('article').getAttribute('data-layout')).toBe('compact')
      const corner = await view.page.screenshot({ clip: await below(view.page.locator('iframe')) })
      expect(await isOfOneColour(view.page, corner)).toEqual([1, 2, 3])
      expect(view.problems).toEqual([])
    })

    inBrowser('takes the attributes of the element as parameters', async () => {
      await using server = startServer()
      join(server.presences)
      server.presences.setKv(ADA, new Map([['location', 'Oslo']]))
      await using view = await open(`${server.url}/embed/${ADA}?show=kv&hide=avatar&theme=dark`)
      await shows(view.page, 'Oslo')
      expect(await view.page.locator('discord-presence img').count()).toBe(0)
      expect(await view.page.locator('discord-presence').getAttribute('theme')).toBe('dark')
      expect(await view.page.title()).toBe('Ada on Discord')
      expect(view.problems).toEqual([])
    })

    inBrowser('says of whom nothing is known that they are not monitored, and shows them when they are', async () => {
      await using server = startServer({ config: { discordInvite: 'https://discord.gg/x' } })
      for (const layout of ['card', 'compact', 'music', 'pill']) {
        await using view = await open(`${server.url}/embed/${ADA}/?layout=${layout}`)
        await shows(view.page, 'Not monitored')
        const links = await view.page
          .locator('discord-presence a')
          .evaluateAll(all => all.map(a => a.getAttribute('href')))
        expect(links).toEqual(layout === 'pill' ? [] : [`${server.url}/discord`])
        join(server.presences, {}, { status: 'dnd' })
        await shows(view.page, layout === 'music' ? /is not listening/ : 'Do not disturb')
        server.presences.removeMember('1', ADA)
      }
    })

    inBrowser('has a sentence of its own for what is no id', async () => {
      await using server = startServer()
      await using view = await open(`${server.url}/embed/ad%C3%A4?layout=nonsense`)
      await shows(view.page, '“adä” is no Discord user id')
      expect(view.sockets.size).toBe(0)
    })
  })
}

async function below(frame: import('playwright-core').Locator) {
  const box = (await frame.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 }
  return { x: box.x + 10, y: box.y + box.height - 20, width: 10, height: 10 }
}

/** Red, green and blue of the first pixel, if all are alike. */
function isOfOneColour(page: import('playwright-core').Page, png: Buffer): Promise<number[] | undefined> {
  return page.evaluate(`(async () => {
    const image = await createImageBitmap(new Blob([Uint8Array.fromBase64('${png.toString('base64')}')]))
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
    context.drawImage(image, 0, 0)
    const { data } = context.getImageData(0, 0, image.width, image.height)
    return data.every((value, at) => value === data[at % 4]) ? [...data.slice(0, 3)] : undefined
  })()`)
}
