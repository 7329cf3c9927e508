import { expect, test } from 'bun:test'
import { proxyFor } from '../../src/lib/proxy.ts'

const PROXIES = { HTTP_PROXY: 'http://plain:1', HTTPS_PROXY: 'http://secure:2' }

test.each([
  ['wss://gateway.discord.gg/', PROXIES, 'http://secure:2'],
  ['https://discord.com', PROXIES, 'http://secure:2'],
  ['ws://127.0.0.1:5/gateway', PROXIES, 'http://plain:1'],
  ['wss://gateway.discord.gg/', { HTTP_PROXY: 'http://plain:1' }, undefined],
  ['wss://gateway.discord.gg/', { https_proxy: 'http://small:3', ...PROXIES }, 'http://small:3'],
  ['wss://gateway.discord.gg/', { https_proxy: ' ', ...PROXIES }, 'http://secure:2'],
  ['ws://a', { HTTP_PROXY: 'plain:1' }, 'http://plain:1'],
  ['ws://a', {}, undefined],
  ['no address', PROXIES, undefined],
])('the proxy to %s with %p is %p', (address, env: Record<string, string>, proxy) => {
  expect(proxyFor(address, env)).toBe(proxy as string)
})

test.each([
  ['*', 'wss://gateway.discord.gg'],
  ['discord.gg', 'wss://gateway.discord.gg'],
  ['.discord.gg', 'wss://gateway.discord.gg'],
  ['*.discord.gg', 'wss://gateway.discord.gg'],
  ['a.example, Gateway.Discord.GG', 'wss://gateway.discord.gg'],
  ['discord.gg:443', 'wss://gateway.discord.gg'],
  ['127.0.0.1', 'ws://127.0.0.1:5'],
  ['127.0.0.1:5', 'ws://127.0.0.1:5'],
  ['::1', 'ws://[::1]:5'],
  ['[::1]:5', 'ws://[::1]:5'],
])('NO_PROXY=%s takes the straight way to %s', (list, address) => {
  expect(proxyFor(address, { ...PROXIES, NO_PROXY: list })).toBeUndefined()
})

test.each([
  ['iscord.gg', 'wss://gateway.discord.gg'],
  ['gateway.discord.gg.example', 'wss://gateway.discord.gg'],
  ['discord.gg:8443', 'wss://gateway.discord.gg'],
  ['127.0.0.1:6', 'ws://127.0.0.1:5'],
  [',', 'ws://127.0.0.1:5'],
  ['.', 'ws://127.0.0.1:5'],
])('NO_PROXY=%s does not', (list, address) => {
  expect(proxyFor(address, { ...PROXIES, NO_PROXY: list })).toBeDefined()
})
