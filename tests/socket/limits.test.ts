import { describe, expect, test } from 'bun:test'
import { createAddresses, spend } from '../../src/socket/limits.ts'

describe('the frame allowance', () => {
  test('lets a burst through, then so many a second', () => {
    const allowance = { tokens: 120, heardAt: 0 }
    const frame = (now: number) => spend(allowance, now, 120, 2)
    for (let i = 0; i < 120; i++) expect(frame(0)).toBe(true)
    expect(frame(0)).toBe(false)
    expect(frame(499)).toBe(false)
    expect(frame(501)).toBe(true)
    expect(frame(502)).toBe(false)
    expect(frame(1501)).toBe(true)
    expect(frame(1501)).toBe(true)
    expect(frame(1501)).toBe(false)
  })

  test('never saves up more than the burst', () => {
    const allowance = { tokens: 120, heardAt: 0 }
    const hour = 3_600_000
    let frames = 0
    while (spend(allowance, hour, 120, 2)) frames++
    expect(frames).toBe(120)
  })

  test('notes when the client was last heard', () => {
    const allowance = { tokens: 0, heardAt: 0 }
    spend(allowance, 100, 120, 2)
    expect(allowance.heardAt).toBe(100)
  })
})

describe('sockets an address', () => {
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
