import missingStyle from './missing.css' with { type: 'text' }
import missingTemplate from './missing.html' with { type: 'text' }

/** Whose an instance is, as far as its operator tells. */
export interface Instance {
  readonly name: string | undefined
  readonly privacyUrl: string | undefined
  readonly termsUrl: string | undefined
}

/** What a preview of a link to somebody's page shows. */
export interface Preview {
  readonly name: string
  /** What they do, in a line. */
  readonly doing: string
  /** Absolute addresses: of the page, and of a picture. */
  readonly page: string
  readonly picture: string
}

/** The live page with what previews read in its head. Source: the Open Graph protocol, ogp.me. */
export function withPreview(html: string, { name, doing, page, picture }: Preview): string {
  const told = {
    'og:type': 'profile',
    'og:site_name': 'Exoix',
    'og:title': name,
    'og:description': doing,
    'og:url': page,
    'og:image': picture,
    'og:image:type': 'image/svg+xml',
    'og:image:alt': `${name}: ${doing}`,
  }
  const tags = Object.entries(told).map(
    ([property, content]) => `<meta property="${property}" content="${safe(content)}" />`,
  )
  return html
    .replace(/<title>.*?<\/title>/s, () => `<title>${safe(name)} – live Discord presence</title>\n${tags.join('\n')}`)
    .replace(/(<meta name="description" content=")[^"]*/, (_, start) => `${start}${safe(`${name}: ${doing}`)}`)
}

/** The live page with whose it is. */
export function withInstance(html: string, { name, privacyUrl, termsUrl }: Instance): string {
  const links = [link(privacyUrl, 'Privacy'), link(termsUrl, 'Terms')].filter(Boolean)
  const parts = [name === undefined ? '' : `<b>${safe(name)}</b>`, ...links].filter(Boolean)
  const titled =
    name === undefined
      ? html
      : html.replace(/<title>.*?<\/title>/s, () => `<title>${safe(name)} – live Discord presence</title>`)
  return parts.length === 0
    ? titled
    : titled.replace('</footer>', () => `<p class="instance">${parts.join(' · ')}</p>\n</footer>`)
}

/** What a browser is shown of an address that leads nowhere. `home` is where the live page is, without a slash at its end. */
export const missingPage = (home: string): string =>
  // Bun's types know an HTML import only as something to serve, not as text.
  (missingTemplate as unknown as string)
    .replace('<style></style>', () => `<style>${missingStyle}</style>`)
    .replaceAll('HOME', () => safe(home))

const link = (url: string | undefined, text: string) =>
  url === undefined ? '' : `<a href="${safe(url)}" rel="noopener">${text}</a>`

const safe = (text: string) => Bun.escapeHTML(text)
