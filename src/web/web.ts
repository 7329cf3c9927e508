import type { PictureHosts } from '../domain/discord-cdn.ts'
import activitiesStyle from './activities.css' with { type: 'text' }
import { bundle } from './bundle.ts' with { type: 'macro' }
import elementStyle from './element.css' with { type: 'text' }
import featuredStyle from './featured.css' with { type: 'text' }
import pageStyle from './page.css' with { type: 'text' }
import template from './page.html' with { type: 'text' }
import snippetsStyle from './snippets.css' with { type: 'text' }

const [element = '', page = '', start = ''] = bundle(
  'iife',
  'browser/element.ts',
  'browser/page.ts',
  'browser/start.ts',
)
const [client = ''] = bundle('esm', '../client/client.ts')

/** The client module: `import { follow } from '…/client.js'`. */
export const clientModule = (version: string) => `// The client of Exoix ${version}. MIT licence.\n${client}`

/**
 * The script that defines `<discord-presence>`, with pictures from the given hosts. It is one function that runs as a
 * plain script and as a module alike and leaves no names behind, and may also stand inside a page.
 */
export function elementScript(hosts: PictureHosts, version: string): string {
  const { discordCdnUrl, discordMediaUrl, spotifyCdnUrl } = hosts
  const filled = element
    .replace(/(["'`])__HOSTS__\1/, () => literal({ discordCdnUrl, discordMediaUrl, spotifyCdnUrl }))
    .replace(/(["'`])__STYLE__\1/, () => literal((elementStyle + activitiesStyle).replace(/\s+/g, ' ')))
  return `// <discord-presence>, of Exoix ${version}. MIT licence.\n${filled}`
}

/** JavaScript that may also stand inside a page. */
const literal = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')

/**
 * The live page: one self-contained document that shows a person's presence as it changes, through the element that other
 * sites embed. Every address in it is relative, so that it works wherever a proxy puts it.
 */
export function livePage(hosts: PictureHosts, version: string, featuredUsers: readonly string[]): string {
  // Bun's types know an HTML import only as something to serve, not as text.
  const html = template as unknown as string
  const scripts = [elementScript(hosts, version), page].map(script => `<script>${script.trim()}</script>`)
  return html
    .replace(
      '<style></style>',
      () => `<script>${start.trim()}</script><style>${pageStyle + featuredStyle + snippetsStyle}</style>`,
    )
    .replace('data-users=""', () => `data-users="${featuredUsers.join(' ')}"`)
    .replace('<script></script>', () => scripts.join('\n'))
}
