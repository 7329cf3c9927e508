import type { Config } from '../../config.ts'
import featuredStyle from '../../web/featured.css' with { type: 'text' }
import pageScript from '../../web/page.browser.js' with { type: 'text' }
import pageStyle from '../../web/page.css' with { type: 'text' }
import template from '../../web/page.html' with { type: 'text' }
import snippetsScript from '../../web/snippets.browser.js' with { type: 'text' }
import snippetsStyle from '../../web/snippets.css' with { type: 'text' }
import startScript from '../../web/start.browser.js' with { type: 'text' }
import themeScript from '../../web/theme.browser.js' with { type: 'text' }
import { inlineCsp } from '../inline-csp.ts'
import { type Representation, represent } from '../representation.ts'

type PageConfig = Pick<Config, 'featuredUsers' | 'discordCdnUrl' | 'discordMediaUrl' | 'spotifyCdnUrl'>

/**
 * The live page: one self-contained document that shows a person's presence as it changes, through the element that other
 * sites embed, of which `element` is the script. Every address in it is relative, so that it works wherever a proxy puts it.
 */
export function livePage(config: PageConfig, element: string): Representation {
  const html = compose(config, element)
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
