import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createSharedLimits, forgetThread, SharedAddresses, SharedRateLimiter } from '../../src/lib/shared-limits.ts'
import { createRateLimiter } from '../../src/lib/token-bucket.ts'

describe('a rate limit of several threads', () => {
  test('lets through what one of a single thread does, whichever thread is asked', () => {
    const request = fc.record({
      address: fc.constantFrom('203.0.113.1', '203.0.113.2', '2001:db8::1', '2001:db8::2', '2001:db8:1::1'),
      wait: fc.integer({ min: 0, max: 20_000 }),
      cost: fc.integer({ min: 1, max: 4 }),
      thread: fc.integer({ min: 0, max: 1 }),
    })
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), fc.constantFrom(3, 10, 60), (requests, perMinute) => {
        let time = 1_000_000
        const now = () => time
        const limits = createSharedLimits(2)
        const threads = [0, 1].map(() => new SharedRateLimiter(limits, { perMinute, now }))
        const alone = createRateLimiter({ perMinute, now })
        for (const { address, wait, cost, thread } of requests) {
          time += wait
          expect(threads[thread]?.take(address, cost)).toBe(alone.take(address, cost))
        }
      }),
    )
  })

  test('remembers only so many addresses, and forgets those that were quiet longest', () => {
    let time = 1_000_000
    const limits = createSharedLimits(2)
    const limiter = new SharedRateLimiter(limits, { perMinute: 10, now: () => time })
    limiter.take('203.0.113.1', 10)
    expect(limiter.take('203.0.113.1')).toBe(6)
    time += 1000
    for (let index = 0; index < 200_000; index++) limiter.take(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
    for (let index = 0; index < 9; index++) expect(limiter.take('198.51.100.1')).toBe(0)
  })
})

describe('connections counted by several threads', () => {
  test('are as many as an address may have, of whichever thread they are', () => {
    const limits = createSharedLimits(2)
    const [one, two] = [0, 1].map(thread => new SharedAddresses(limits, thread, 3)) as [
      SharedAddresses,
      SharedAddresses,
    ]
    one.opened('203.0.113.1')
    two.opened('203.0.113.1')
    expect([one.admits('203.0.113.1'), two.admits('203.0.113.1')]).toEqual([true, true])
    two.opened('203.0.113.1')
    expect([one.admits('203.0.113.1'), two.admits('203.0.113.1')]).toEqual([false, false])
    expect([one.admits('203.0.113.2'), one.admits('127.0.0.1')]).toEqual([true, true])
    one.closed('203.0.113.1')
    expect(two.admits('203.0.113.1')).toBe(true)
  })

  test('of a whole IPv6 /64 count as one address', () => {
    const addresses = new SharedAddresses(createSharedLimits(1), 0, 1)
    addresses.opened('2001:db8::1')
    expect([addresses.admits('2001:db8::2'), addresses.admits('2001:db8:0:1::1')]).toEqual([false, true])
  })

  test('of a thread that has died are taken off, and no others', () => {
    const limits = createSharedLimits(2)
    const [one, two] = [0, 1].map(thread => new SharedAddresses(limits, thread, 2)) as [
      SharedAddresses,
      SharedAddresses,
    ]
    for (const addresses of [one, two]) addresses.opened('203.0.113.1')
    forgetThread(limits, 0)
    expect(two.admits('203.0.113.1')).toBe(true)
    two.opened('203.0.113.1')
    expect(two.admits('203.0.113.1')).toBe(false)
  })

  test('are counted also where no slot is free, and no slot is lost when they close', () => {
    const limits = createSharedLimits(1)
    const addresses = new SharedAddresses(limits, 0, 1)
    const all = Array.from({ length: 150_000 }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
    for (const address of all) addresses.opened(address)
    expect(all.filter(address => addresses.admits(address))).toEqual([])
    for (const address of all) addresses.closed(address)
    expect(all.filter(address => !addresses.admits(address))).toEqual([])
    for (const address of all.slice(0, 1000)) addresses.opened(address)
    expect(all.slice(0, 1000).filter(address => addresses.admits(address))).toEqual([])
  })

  test('are any number where there is no limit', () => {
    const addresses = new SharedAddresses(createSharedLimits(1), 0, 0)
    for (let index = 0; index < 10; index++) addresses.opened('203.0.113.1')
    expect(addresses.admits('203.0.113.1')).toBe(true)
  })
})
