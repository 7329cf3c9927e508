import { BlockList, isIP } from 'node:net'

/**
 * Whom a request comes from: the peer, or behind trusted proxies the last hop of X-Forwarded-For that is not one of
 * them. Proxies append, so that hop was written by a proxy we trust; everything left of it the client could have
 * forged, and from a peer that is no trusted proxy the header means nothing. What stands where an address should, and
 * this machine itself, which no proxy has as its client, count as the proxy that said so; on loopback as `via` it, so
 * that they have none of the exemptions of loopback.
 */
export type ClientAddress = (peer: string, headers: Headers) => string

/** Characters at the end of X-Forwarded-For that are looked at: more than any chain of proxies writes. */
const LONGEST = 1024

/** `trustedProxies`: IP addresses and networks in CIDR notation, checked already. */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  if (trustedProxies.length === 0) return plainAddress
  const networks = readNetworks(trustedProxies)

  return (peer, headers) => {
    const forwarded = headers.get('X-Forwarded-For')
    let nearest = plainAddress(peer)
    if (forwarded === null || !has(networks, nearest)) return nearest
    const hops = forwarded.slice(-LONGEST).split(',')
    // Cut in two it could be another address.
    if (forwarded.length > LONGEST) hops.shift()
    let proxy = nearest
    do {
      const address = plainAddress(withoutPort(hops.pop()?.trim() ?? ''))
      if (isIP(address) === 0) return withoutExemption(proxy)
      proxy = isLoopback(address) ? proxy : address
      nearest = address
    } while (hops.length > 0 && has(networks, nearest))
    return withoutExemption(proxy)
  }
}

const has = (networks: BlockList, address: string) => networks.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')

const withoutExemption = (address: string) => (isLoopback(address) ? `via ${address}` : address)

/** IPv4 in IPv6 clothes (`::ffff:1.2.3.4`), as dual-stack sockets report it, is IPv4. */
export function plainAddress(address: string): string {
  return /^::ffff:\d+\./i.test(address) ? address.slice('::ffff:'.length) : address
}

/** Whether an address is this machine's own, however it is written. Anything else, also what is no address, is not. */
export function isLoopback(address: string): boolean {
  if (/^127\.|^::1$/.test(address)) return true
  // The other spellings only a header can have.
  return address.includes(':') && has(LOOPBACK, address)
}

const LOOPBACK = readNetworks(['127.0.0.0/8', '::1'])

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
