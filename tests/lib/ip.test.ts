import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createClientAddress, isLoopback } from '../../src/lib/ip.ts'

const PROXIES = ['10.0.0.0/8', '127.0.0.1', '2001:db8:1::/48', '::1']

describe('whom a request comes from', () => {
  test.each([
    // peer, X-Forwarded-For, whom it comes from
    ['203.0.113.9', null, '203.0.113.9'],
    ['203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['10.1.2.3', null, '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '198.51.100.1, 10.9.9.9', '198.51.100.1'],
    ['10.1.2.3', '198.51.100.1,10.9.9.9 , 127.0.0.1', '198.51.100.1'],
    ['10.1.2.3', '10.0.0.1, 10.0.0.2', '10.0.0.1'],
    ['10.1.2.3', '198.51.100.1:4711', '198.51.100.1'],
    ['10.1.2.3', '[2001:db8:2::1]:4711', '2001:db8:2::1'],
    ['10.1.2.3', '2001:db8:2::1', '2001:db8:2::1'],
    ['2001:db8:1::7', '198.51.100.1', '198.51.100.1'],
    ['2001:db8:2::7', '198.51.100.1', '2001:db8:2::7'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '::ffff:198.51.100.1', '198.51.100.1'],
    ['::ffff:203.0.113.9', '198.51.100.1', '203.0.113.9'],
    ['10.1.2.3', 'unknown', '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1, _hidden', '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', ',,,', '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1, 999.1.1.1', '10.1.2.3'],
    ['10.1.2.3', '1.2.3.4:5678', '1.2.3.4'],
    ['10.1.2.3', '127.0.0.1', '10.1.2.3'],
    ['10.1.2.3', '127.9.9.9:80', '10.1.2.3'],
    ['10.1.2.3', '198.51.100.1, ::1', '198.51.100.1'],
    ['10.1.2.3', '0:0:0:0:0:0:0:1', '10.1.2.3'],
    ['10.1.2.3', '::ffff:7f00:1', '10.1.2.3'],
    ['10.1.2.3', 'unknown, 10.9.9.9', '10.9.9.9'],
    ['10.1.2.3', `198.51.100.1, ${'10.9.9.9,'.repeat(200)}10.8.8.8`, '10.9.9.9'],
    ['127.0.0.1', null, '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', 'unknown', 'via 127.0.0.1'],
    ['127.0.0.1', '', 'via 127.0.0.1'],
    ['127.0.0.1', '127.0.0.1', 'via 127.0.0.1'],
    ['127.0.0.1', '[::1]:8080', 'via 127.0.0.1'],
    ['::1', 'localhost', 'via ::1'],
  ])('peer %s with X-Forwarded-For %p is %s', (peer, forwarded, expected) => {
    const address = createClientAddress(PROXIES)
    expect(address(peer, new Headers(forwarded === null ? {} : { 'x-forwarded-for': forwarded }))).toBe(expected)
  })

  test('is the peer when no proxy is trusted', () => {
    const address = createClientAddress([])
    expect(address('::ffff:127.0.0.1', new Headers({ 'x-forwarded-for': '198.51.100.1' }))).toBe('127.0.0.1')
  })

  test('is never what only the client can have written', () => {
    const address = createClientAddress(['10.0.0.0/8'])
    fc.assert(
      fc.property(fc.stringMatching(/^[\x20-\x7e]{0,80}$/), forged => {
        expect(address('10.0.0.1', new Headers({ 'x-forwarded-for': `${forged}, 203.0.113.1` }))).toBe('203.0.113.1')
        expect(address('203.0.113.1', new Headers({ 'x-forwarded-for': forged }))).toBe('203.0.113.1')
      }),
    )
  })
})

test.each([
  ['127.0.0.1', true],
  ['127.8.8.8', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:7f00:1', true],
  ['via 127.0.0.1', false],
  ['via ::1', false],
  ['10.0.0.1', false],
  ['::', false],
  ['', false],
])('%p is this machine itself: %p', (address, loopback) => {
  expect(isLoopback(address)).toBe(loopback)
})
