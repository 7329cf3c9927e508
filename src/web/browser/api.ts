// The API document, read by Swagger UI: in the reader's colours, and for those who hear a page or use no mouse, too.

/** What of Swagger UI is used here. */
interface System {
  readonly React: { createElement(type: string, properties: object | null, ...children: unknown[]): unknown }
}
declare const SwaggerUIBundle: (options: object) => void

// Addresses are relative, and a slash at the end of the page's own would lead them astray.
history.replaceState(null, '', location.href.replace(/\/+(?=[?#]|$)/, ''))

const dark = matchMedia('(prefers-color-scheme: dark)')
const applyTheme = () =>
  document.documentElement.classList.toggle('dark-mode', (chosen() ?? (dark.matches ? 'dark' : 'light')) === 'dark')
dark.addEventListener('change', applyTheme)
applyTheme()

/** What the visitor has chosen on the live page. A browser may keep nothing for us. */
function chosen(): string | undefined {
  try {
    return localStorage.getItem('exoix-theme') ?? undefined
  } catch {
    return undefined
  }
}

const nothing = () => () => null
const plugin = {
  wrapComponents: {
    // The page says what this is, and there is one server: the one that this comes from.
    InfoContainer: nothing,
    ServersContainer: nothing,
    // A path stands in a button already, which cannot hold a link.
    DeepLink:
      (_original: unknown, { React }: System) =>
      ({ text }: { text: unknown }) =>
        React.createElement('span', null, text),
  },
}

function draw(): void {
  // Highlighted code has colours too faint to be read by everybody.
  const plain = { syntaxHighlight: { activated: false } }
  const options = { url: 'swagger/json', dom_id: '#swagger-ui', validatorUrl: null, deepLinking: true, ...plain }
  SwaggerUIBundle({ ...options, plugins: [plugin] })
}

/** Headings by what they are about, not by how large they are: the title, its groups, what is told of a route. */
const LEVELS: Readonly<Record<string, number>> = {
  '.opblock-tag': 2,
  '.opblock h4': 3,
  '.opblock h5': 4,
  '.models h4': 2,
}

function repair(): void {
  for (const [selector, level] of Object.entries(LEVELS)) {
    for (const heading of document.querySelectorAll(selector)) {
      heading.setAttribute('role', 'heading')
      heading.setAttribute('aria-level', String(level))
    }
  }
  // What is scrolled a keyboard can scroll only where it can go.
  for (const code of document.querySelectorAll('.swagger-ui pre:not([tabindex])')) code.setAttribute('tabindex', '0')
  for (const field of document.querySelectorAll('.swagger-ui :is(select, input, textarea):not([aria-label])')) {
    const row = field.closest('tr')?.getAttribute('data-param-name') ?? field.closest('[class]')?.className ?? 'Value'
    field.setAttribute('aria-label', row)
  }
}

new MutationObserver(repair).observe(document.body, { childList: true, subtree: true })
// Loaded from here and not by the page itself, whose own address is put right only above.
const { href, src } = document.getElementById('swagger-ui')?.dataset ?? {}
document.head.prepend(Object.assign(document.createElement('link'), { rel: 'stylesheet', href }))
document.head.append(Object.assign(document.createElement('script'), { src, onload: draw }))
