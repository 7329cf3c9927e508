import { inlineCsp } from '../inline-csp.ts'
import { type Representation, represent } from '../representation.ts'
import pageScript from './page.browser.js' with { type: 'text' }
import pageStyle from './page.css' with { type: 'text' }
import template from './page.html' with { type: 'text' }
import presenceScript from './presence.browser.js' with { type: 'text' }
import presenceStyle from './presence.css' with { type: 'text' }

/** What presences show besides the avatar: album art, and pictures of games. Everything else comes from here. */
const PICTURES = "'self' data: https://i.scdn.co https://cdn.discordapp.com https://media.discordapp.net"

let page: Representation | undefined

/** The live page: one self-contained document that shows a person's presence as it changes. */
export function livePage(): Representation {
  if (page !== undefined) return page
  const html = compose()
  page = represent(() => Buffer.from(html), {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': inlineCsp(html, { 'img-src': PICTURES, 'connect-src': "'self'" }),
    Vary: 'Accept',
  })
  return page
}

/** Puts styles and scripts into the page: they are files of their own so that editors and linters know them. */
function compose(): string {
  // Bun's types know an HTML import only as something to serve, not as text.
  const html = template as unknown as string
  const styles = `<style>${pageStyle}${presenceStyle}</style>`
  const scripts = [presenceScript, pageScript].map(script => `<script type="module">${script}</script>`).join('\n')
  return html.replace('<style></style>', () => styles).replace('<script></script>', () => scripts)
}
