import { test } from 'bun:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import type { Config } from '../../../src/config.ts'
import { PresenceStore } from '../../../src/domain/presence-store.ts'
import { startServing } from '../../support/serving.ts'
import { CHROMIUM, found, startChromium } from './chromium.ts'

/** A test in a real browser, or one that says why there is none. */
export const inBrowser = (name: string, run: () => Promise<void>) =>
  test.skipIf(!found)(found ? name : `${name} (skipped: no Chromium at ${CHROMIUM})`, run, 60_000)

export const ADA = '204255221017214977'
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

let browser: Browser | undefined
let cdn: Bun.Server<undefined> | undefined
/** Where servers of these tests have their pictures, so that nothing leaves this machine. */
export const cdnUrl = () => `http://127.0.0.1:${cdn?.port}`

/** One browser, and one host of pictures, for all tests: starting a browser takes longer than most of them. */
export async function launch(): Promise<void> {
  if (!found) return
  browser = await startChromium()
  const headers = { 'content-type': 'image/png' }
  cdn = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response(PIXEL, { headers }) })
}

/** What a visitor of their own would have: nothing remembered of the others. */
export function newContext(options: BrowserContextOptions = {}) {
  if (browser === undefined) throw new Error('there is no browser')
  return browser.newContext(options)
}

export async function quit(): Promise<void> {
  await browser?.close()
  await cdn?.stop(true)
}

interface ServerOptions {
  presences?: PresenceStore
  port?: number
  config?: Partial<Config>
}

/** The real server with real sockets, and pictures from this machine. */
export function startServer({ presences = new PresenceStore(), port = 0, config }: ServerOptions = {}) {
  return startServing({ presences, config: { port, discordCdnUrl: cdnUrl(), ...config } })
}

/** Ada joins; everybody's fields are hers unless told otherwise. */
export function join(presences: PresenceStore, user: object = {}, presence: object = { status: 'online' }): void {
  presences.putMember('1', { user: { id: ADA, username: 'ada', global_name: 'Ada', ...user } }, { ...presence })
}

/** A site of somebody else's, at an origin of its own, with the given page and policy. */
export function startSite(html: string, policy: string) {
  const headers = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }
  const fetch = (request: Request) =>
    new URL(request.url).pathname === '/' ? new Response(html, { headers }) : new Response(null, { status: 204 })
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch })
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.asyncDispose]: () => server.stop(true) }
}

/**
 * A fresh page that remembers what it asked from elsewhere, what it sent over sockets, and what went wrong in it.
 * `hosts` are asked for real; everything else is a picture.
 */
export async function open(url: string, hosts: readonly string[] = [], options: BrowserContextOptions = {}) {
  const context = await newContext(options)
  const page = await context.newPage()
  const elsewhere: string[] = []
  const problems: string[] = []
  const real = [url, ...hosts].map(address => new URL(address).origin)
  await page.route('**/*', route => {
    const asked = route.request().url()
    if (real.includes(new URL(asked).origin) || asked.startsWith('data:')) return route.continue()
    elsewhere.push(asked)
    return route.fulfill({ contentType: 'image/png', body: PIXEL })
  })
  page.on('pageerror', error => problems.push(error.message))
  page.on('console', message => message.type() === 'error' && problems.push(message.text()))
  const traffic = watchSockets(page)
  await page.goto(url)
  return { page, elsewhere, problems, ...traffic, [Symbol.asyncDispose]: () => context.close() }
}

/** What a page sends over its sockets, and how many it has open. */
function watchSockets(page: Page) {
  const sent: unknown[] = []
  const sockets = new Set<object>()
  const waiting = new Set<() => void>()
  const tell = () => {
    for (const look of waiting) look()
  }
  page.on('websocket', socket => {
    sockets.add(socket)
    socket.on('framesent', ({ payload }) => {
      sent.push(JSON.parse(String(payload)))
      tell()
    })
    socket.on('close', () => {
      sockets.delete(socket)
      tell()
    })
  })
  /** Resolves when something it sent, or a socket it closed, has made this true. */
  function until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!condition()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })
  }
  return { sent, sockets, until }
}

/** Waits until an element on the page shows a text. */
export const shows = (page: Page, text: string | RegExp) =>
  page.locator('discord-presence').getByText(text).first().waitFor()

/** Makes a page believe that it is hidden, or not any more. */
export const hide = (hidden: boolean) => `
  Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true })
  document.dispatchEvent(new Event('visibilitychange'))`
