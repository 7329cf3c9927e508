import { BlockList, isIP } from 'node:net'

/**
 * Whom a request comes from: the peer, or behind trusted proxies the last hop of X-Forwarded-For that is not one of
 * them. Proxies append, so that hop was written by a proxy we trust; everything left of it the client could have
 * forged, and from a peer that is no trusted proxy the header means nothing.
 */
export type ClientAddress = (peer: string, headers: Headers) => string

/** `trustedProxies`: IP addresses and networks in CIDR notation, checked already. */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return plainAddress
  const networks = readNetworks(trustedProxies)
  const trusts = (address: string) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

  return (peer, headers) => {
    const hops = headers.get('X-Forwarded-For')?.split(',') ?? []
    let nearest = plainAddress(peer)
    while (trusts(nearest)) {
      const address = plainAddress(withoutPort(hops.pop()?.trim() ?? ''))
      if (isIP(address) === 0) break
      nearest = address
    }
    return nearest
  }
}

/** IPv4 in IPv6 clothes (`::ffff:1.2.3.4`), as dual-stack sockets report it, is IPv4. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\./i.test(address) ? address.slice('::ffff:'.length) : address
}

/** Whether an address is this machine's own. */
export const isLoopback = (address: string) => /^127\.|^::1$/.test(plainAddress(address))

/** Whether listening on this address means listening on every one the machine has. */
const isWildcard = (host: string) => host === '0.0.0.0' || host === '::'

/**
 * Where this machine reaches what listens on `host` itself. Every address of either kind includes the IPv4 loopback:
 * sockets opened on `::` take both.
 */
export function localUrl(host: string, port: number): string {
  if (isWildcard(host)) return `http://127.0.0.1:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Some proxies write `1.2.3.4:5678` and `[2001:db8::1]:5678`. */
function withoutPort(hop: string): string {
  return /^\[([^\]]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop
}

function readNetworks(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}
