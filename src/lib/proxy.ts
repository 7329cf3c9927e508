/** Environment variables as `process.env` has them. */
type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy on the way to an address, as `fetch` finds it: HTTPS_PROXY for what is encrypted, HTTP_PROXY for the rest,
 * neither for what NO_PROXY names; names in small letters go first. Undefined: there is none. May hold a password.
 */
export function proxyFor(address: string, env: Environment): string | undefined {
  const url = URL.parse(address)
  if (url === null || isExcluded(url, read('no_proxy', env))) return undefined
  const proxy = read(/^(wss|https):$/.test(url.protocol) ? 'https_proxy' : 'http_proxy', env)
  if (proxy === '') return undefined
  return proxy.includes('://') ? proxy : `http://${proxy}`
}

const read = (name: string, env: Environment) => env[name]?.trim() || env[name.toUpperCase()]?.trim() || ''

/** Names stand for themselves and whatever is below them, with or without a leading dot; a port narrows them. */
function isExcluded({ hostname, port, protocol }: URL, list: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const actualPort = port || (/^(wss|https):$/.test(protocol) ? '443' : '80')
  return list
    .toLowerCase()
    .split(',')
    .map(entry => entry.trim())
    .filter(entry => entry !== '')
    .some(entry => {
      if (entry === '*') return true
      const [, name = '', onlyPort = actualPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(withoutBrackets(entry)) ?? []
      const bare = name.replace(/^\*?\./, '')
      return onlyPort === actualPort && (host === bare || host.endsWith(`.${bare}`))
    })
}

/** An IPv6 address has colons of its own; only in brackets can a port follow. */
const withoutBrackets = (entry: string) => (/^[^[]*:[^[]*:/.test(entry) ? `[${entry}]` : entry)
