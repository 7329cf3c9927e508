import { describe, expect, test } from 'bun:test'
import { createAddresses } from '../../src/addresses.ts'

describe('connections an address', () => {
  test('are counted up to the limit', () => {
    const addresses = createAddresses(2)
    addresses.opened('192.0.2.1')
    expect(addresses.admits('192.0.2.1')).toBe(true)
    addresses.opened('192.0.2.1')
    expect(addresses.admits('192.0.2.1')).toBe(false)
    expect(addresses.admits('192.0.2.2')).toBe(true)
    addresses.closed('192.0.2.1')
    expect(addresses.admits('192.0.2.1')).toBe(true)
  })

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])('never run out for loopback: %s', address => {
    const addresses = createAddresses(1)
    for (let i = 0; i < 3; i++) addresses.opened(address)
    expect(addresses.admits(address)).toBe(true)
  })

  test.each(['128.0.0.1', '1.127.0.1', '::2', '::ffff:10.0.0.1', 'fe80::1'])('do for %s', address => {
    const addresses = createAddresses(1)
    addresses.opened(address)
    expect(addresses.admits(address)).toBe(false)
  })

  test('are not limited by 0', () => {
    const addresses = createAddresses(0)
    for (let i = 0; i < 100; i++) addresses.opened('192.0.2.1')
    expect(addresses.admits('192.0.2.1')).toBe(true)
  })
})
