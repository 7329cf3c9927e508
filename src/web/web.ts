import type { PictureHosts } from '../domain/discord-cdn.ts'
import activitiesStyle from './activities.css' with { type: 'text' }
import apiStyle from './api.css' with { type: 'text' }
import apiTemplate from './api.html' with { type: 'text' }
import { bundle } from './bundle.ts' with { type: 'macro' }
import elementStyle from './element.css' with { type: 'text' }
import featuredStyle from './featured.css' with { type: 'text' }
import frameStyle from './frame.css' with { type: 'text' }
import frameTemplate from './frame.html' with { type: 'text' }
import pageStyle from './page.css' with { type: 'text' }
import template from './page.html' with { type: 'text' }
import snippetsStyle from './snippets.css' with { type: 'text' }

const [client = '', ...modules] = bundle(
  '../client/client.ts',
  'browser/element.ts',
  'browser/page.ts',
  'browser/start.ts',
  'browser/frame.ts',
  'browser/api.ts',
)
/** Functions, so that they run as plain scripts and as modules alike and leave no names behind. */
const [element = '', page = '', start = '', frame = '', api = ''] = modules.map(code => `(()=>{${code.trim()}})()\n`)

/** The client module: `import { follow } from '…/client.js'`. */
export const clientModule = (version: string) => `// The client of Exoix ${version}. MIT licence.\n${client}`

export interface ElementSettings extends PictureHosts {
  /** Where people are invited to; the element leads there by way of `/discord`. */
  readonly discordInvite: string | undefined
}

/** The script that defines `<discord-presence>`: a plain script or a module, which may also stand inside a page. */
export function elementScript(settings: ElementSettings, version: string): string {
  const { discordCdnUrl, discordMediaUrl, spotifyCdnUrl, discordInvite } = settings
  const told = { discordCdnUrl, discordMediaUrl, spotifyCdnUrl, invites: discordInvite !== undefined }
  const filled = element
    .replace(/(["'`])__SETTINGS__\1/, () => literal(told))
    .replace(/(["'`])__STYLE__\1/, () => literal(squeeze(elementStyle + activitiesStyle)))
  return `// <discord-presence>, of Exoix ${version}. MIT licence.\n${filled}`
}

/** A style without comments, and without blanks that mean nothing. */
const squeeze = (css: string) =>
  css
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s+/g, ' ')
    .replace(/ ?([{};,]) ?|(:) /g, '$1$2')
    .replaceAll(';}', '}')
    .replace(/="(\w+)"]/g, '=$1]')
    .replace(/([ :(,]-?)0\./g, '$1.')
    .replaceAll('"', "'")
    .replaceAll(' > ', '>')

/** JavaScript that may also stand inside a page. */
const literal = (value: unknown) => JSON.stringify(value).replaceAll('<', '\\u003c')

export interface PageContent {
  readonly version: string
  /** The public address of the service, if it is known. */
  readonly externalUrl: string | undefined
  /** Whom the operator wants shown: the first of them, where the address names nobody. */
  readonly featured: readonly string[]
  /** Whom to offer a look at. */
  readonly offered: readonly string[]
  /** Where the bot is added to a server. */
  readonly addBot: string | undefined
}

/**
 * The live page: one self-contained document that shows a person's presence as it changes, through the element that other
 * sites embed. Every address in it is relative, so that it works wherever a proxy puts it.
 */
export function livePage(settings: ElementSettings, content: PageContent): string {
  const { version, externalUrl = '', featured, offered, addBot } = content
  // Bun's types know an HTML import only as something to serve, not as text.
  const html = template as unknown as string
  const scripts = [elementScript(settings, version), page].map(script => `<script>${script.trim()}</script>`)
  const styles = pageStyle + featuredStyle + snippetsStyle
  const add = addBot === undefined ? '' : ` data-known href="${Bun.escapeHTML(addBot)}"`
  return html
    .replace(
      'data-featured="" data-base=""',
      () => `data-featured="${featured.join(' ')}" data-base="${Bun.escapeHTML(externalUrl)}"`,
    )
    .replace('data-users=""', () => `data-users="${offered.join(' ')}"`)
    .replace('<style></style>', () => `<script>${start.trim()}</script><style>${squeeze(styles)}</style>`)
    .replace(' href="." rel="noopener"', () => `${add} rel="noopener"`)
    .replace('<script></script>', () => scripts.join('\n'))
}

/**
 * A page that shows one person and nothing else, on no ground of its own. It is the same for everybody: its address, of
 * the form `…/embed/ID?layout=…`, says whom it shows and how.
 */
export function framablePage(settings: ElementSettings, version: string): string {
  const scripts = [elementScript(settings, version), frame].map(script => `<script>${script.trim()}</script>`)
  return (frameTemplate as unknown as string)
    .replace('<style></style>', () => `<style>${squeeze(frameStyle)}</style>`)
    .replace('<script></script>', () => scripts.join('\n'))
}

/** The page that shows the API document. What it loads is at `swagger/…`, beside it. */
export function apiPage(): string {
  return (apiTemplate as unknown as string)
    .replace('<style></style>', () => `<style>${squeeze(apiStyle)}</style>`)
    .replace('<script></script>', () => `<script>${api.trim()}</script>`)
}
