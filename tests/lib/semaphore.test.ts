import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createAddresses, network } from '../../src/lib/semaphore.ts'

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

  test('are those of a whole IPv6 /64', () => {
    const addresses = createAddresses(1)
    addresses.opened('2001:db8:1:2::1')
    expect(addresses.admits('2001:db8:1:2:ffff::9')).toBe(false)
    expect(addresses.admits('2001:db8:1:3::1')).toBe(true)
    addresses.closed('2001:db8:1:2::1')
    expect(addresses.admits('2001:db8:1:2:ffff::9')).toBe(true)
  })

  test('are not limited by 0', () => {
    const addresses = createAddresses(0)
    for (let i = 0; i < 100; i++) addresses.opened('192.0.2.1')
    expect(addresses.admits('192.0.2.1')).toBe(true)
  })
})

describe('the network of an address', () => {
  test.each([
    ['203.0.113.1', '203.0.113.1'],
    ['::', '0:0:0:0'],
    ['::1', '0:0:0:0'],
    ['2001:db8::', '2001:db8:0:0'],
    ['2001:DB8::1', '2001:db8:0:0'],
    ['2001:0db8:0000:0001:0:0:0:1', '2001:db8:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4'],
    ['1::5:6:7:8', '1:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('of %s is %s', (address, expected) => {
    expect(network(address)).toBe(expected)
  })

  test('is the first 64 bits of any IPv6 address', () => {
    const groups = (length: number) =>
      fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: length, maxLength: length })
    fc.assert(
      fc.property(groups(4), groups(4), (front, back) => {
        const address = [...front, ...back].map(group => group.toString(16)).join(':')
        expect(network(address)).toBe(front.map(group => group.toString(16)).join(':'))
      }),
    )
  })
})
