import { describe, expect, test } from 'bun:test'
import { Quota } from '../../src/lib/quota.ts'

describe('a quota', () => {
  test('gives an address what it may hold and no more, until it gives some back', () => {
    const quota = new Quota({ perAddress: 10, total: 100 })
    expect(quota.take('192.0.2.1', 10)).toBe(true)
    expect(quota.take('192.0.2.1', 1)).toBe(false)
    quota.add('192.0.2.1', -4)
    expect([quota.room('192.0.2.1'), quota.heldBy('192.0.2.1'), quota.held]).toEqual([4, 6, 6])
    expect([quota.take('192.0.2.1', 5), quota.take('192.0.2.1', 4)]).toEqual([false, true])
  })

  test('bounds what all addresses hold together', () => {
    const quota = new Quota({ perAddress: 10, total: 25 })
    expect(['1', '2', '3'].map(last => quota.take(`192.0.2.${last}`, 10))).toEqual([true, true, false])
    expect(quota.room('192.0.2.4')).toBe(5)
    expect(quota.held).toBe(20)
  })

  test('gives loopback the whole, where a reverse proxy may be that nobody has named', () => {
    const quota = new Quota({ perAddress: 10, total: 25 })
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) expect(quota.take(address, 8)).toBe(true)
    expect(quota.take('127.0.0.1', 2)).toBe(false)
    expect(quota.room('192.0.2.1')).toBe(1)
  })

  test('takes a whole IPv6 /64 for one address', () => {
    const quota = new Quota({ perAddress: 10, total: 100 })
    quota.take('2001:db8:1:2::1', 6)
    expect(quota.room('2001:db8:1:2:ffff::2')).toBe(4)
    expect(quota.room('2001:db8:1:3::1')).toBe(10)
  })

  test('notes what did not fit, too, and has no room then', () => {
    const quota = new Quota({ perAddress: 10, total: 100 })
    quota.add('192.0.2.1', 14)
    expect([quota.room('192.0.2.1'), quota.take('192.0.2.1', 0)]).toEqual([-4, false])
    quota.add('192.0.2.1', -14)
    expect([quota.room('192.0.2.1'), quota.held]).toEqual([10, 0])
  })
})
