import { createHash } from 'node:crypto'
import { Elysia } from 'elysia'
import type { Config } from '../config.ts'
import { composeEmbed } from '../web/embed.ts'
import featuredStyle from '../web/featured.css' with { type: 'text' }
import pageScript from '../web/page.browser.js' with { type: 'text' }
import pageStyle from '../web/page.css' with { type: 'text' }
import template from '../web/page.html' with { type: 'text' }
import snippetsScript from '../web/snippets.browser.js' with { type: 'text' }
import snippetsStyle from '../web/snippets.css' with { type: 'text' }
import startScript from '../web/start.browser.js' with { type: 'text' }
import themeScript from '../web/theme.browser.js' with { type: 'text' }
import { operation } from './openapi.ts'
import { answer, type ContentHeaders, type Representation, represent } from './response.ts'
import { TEXT } from './schema.ts'

const EMBED = operation({
  tag: 'Presence',
  summary: 'A script that shows presences on any page',
  description: `\`<script src="…/embed.js" async></script>\` defines the element \`<discord-presence user="ID">\`, which draws a
person's presence and keeps it up to date over the socket.`,
  answers: [
    { description: 'The script', content: { 'text/javascript': TEXT } },
    { status: 304, description: 'Nothing has changed since the given ETag' },
  ],
})

/** What pages are made of. */
export interface PageDeps {
  readonly config: PageConfig
  /** Which Exoix this is. */
  readonly version: string
}

export function embedRoutes({ config, version }: PageDeps) {
  let script: Representation | undefined

  function send(request: Request): Response | Promise<Response> {
    script ??= represent(() => Buffer.from(composeEmbed(config, version)), SCRIPT)
    return answer(script, request)
  }

  return new Elysia({ name: 'embed' }).get('/embed.js', ({ request }) => send(request), EMBED)
}

const SCRIPT: ContentHeaders = {
  'Content-Type': 'text/javascript; charset=utf-8',
  'Cache-Control': 'public, max-age=300',
  // Pages that are isolated from others load only what says it may be used.
  'Cross-Origin-Resource-Policy': 'cross-origin',
}

/**
 * A Content-Security-Policy for a page that brings everything along: its own inline scripts and styles may run, named by
 * their hashes, and nothing is loaded from anywhere but the given sources.
 */
export function inlineCsp(html: string, sources: Readonly<Record<string, string>>): string {
  const rules = {
    'default-src': '',
    'base-uri': '',
    'form-action': '',
    'frame-ancestors': '',
    ...sources,
    'script-src': `${sources['script-src'] ?? ''} ${hashes(html, 'script')}`,
    'style-src': `${sources['style-src'] ?? ''} ${hashes(html, 'style')}`,
  }
  return Object.entries(rules)
    .map(([name, values]) => `${name} ${values.trim() || "'none'"}`)
    .join('; ')
}

function hashes(html: string, element: 'script' | 'style'): string {
  const blocks = html.matchAll(new RegExp(`<${element}(?: type="module")?>(.*?)</${element}>`, 'gs'))
  return Array.from(blocks, ([, text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(
    ' ',
  )
}

type PageConfig = Pick<Config, 'featuredUsers' | 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl'>

/**
 * The live page: one self-contained document that shows a person's presence as it changes, through the element that other
 * sites embed. Every address in it is relative, so that it works wherever a proxy puts it.
 */
export function livePage({ config, version }: PageDeps): Representation {
  const html = compose(config, composeEmbed(config, version))
  // What presences show. Everything else, the card too, comes from here.
  const pictures = [config.discordCdnUrl, config.discordMediaUrl, config.spotifyCdnUrl].map(
    base => new URL(base).origin,
  )
  return represent(() => Buffer.from(html), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': inlineCsp(html, {
      'img-src': ["'self' data:", ...pictures].join(' '),
      'connect-src': "'self'",
    }),
    Vary: 'Accept',
  })
}

/** Puts styles and scripts into the page: they are files of their own so that editors and linters know them. */
function compose({ featuredUsers }: PageConfig, element: string): string {
  // Bun's types know an HTML import only as something to serve, not as text.
  const html = template as unknown as string
  const styles = pageStyle + featuredStyle + snippetsStyle
  const scripts = [snippetsScript, pageScript, themeScript].map(script => `<script type="module">${script}</script>`)
  return html
    .replace('<style></style>', () => `<script>${startScript}</script><style>${styles}</style>`)
    .replace('data-users=""', () => `data-users="${featuredUsers.join(' ')}"`)
    .replace('<script></script>', () => [`<script>${element}</script>`, ...scripts].join('\n'))
}
