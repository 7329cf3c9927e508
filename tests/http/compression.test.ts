import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { negotiate, readWeights } from '../../src/http/compression.ts'

describe('the encoding of an answer', () => {
  test.each([
    [null, undefined],
    ['', undefined],
    ['identity', undefined],
    ['br', undefined],
    ['br, deflate', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['zstd', 'zstd'],
    ['gzip, zstd', 'zstd'],
    ['gzip;q=1.0, zstd;q=0.9', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000, zstd; q=0', undefined],
    ['*', 'gzip'],
    ['gzip, *', 'gzip'],
    ['gzip;q=0.5, *', 'gzip'],
    ['br, *;q=0.1', 'gzip'],
    ['gzip;q=0, *', undefined],
    ['zstd, *', 'zstd'],
    ['zstd;q=0.5, *', 'gzip'],
    ['*;q=0', undefined],
    ['zstd;q=0, *', 'gzip'],
    ['gzip;q=0.5, identity', undefined],
    ['gzip;q=0.5, identity;q=0.1', 'gzip'],
    ['gzip;q=nonsense', undefined],
    ['gzip;level=9;q=0.4', 'gzip'],
    [',,;q=1,', undefined],
    [`gzip${','.repeat(1020)}`, 'gzip'],
    [`gzip${','.repeat(1021)}`, undefined],
  ] as const)('for Accept-Encoding %p is %p', (accepted, encoding) => {
    expect(negotiate(accepted)).toBe(encoding)
    expect(negotiate(accepted)).toBe(encoding)
  })

  test('is found for any header, each weight from 0 to 1', () => {
    fc.assert(
      fc.property(fc.string(), header => {
        expect([undefined, 'gzip', 'zstd']).toContain(negotiate(header))
        for (const weight of readWeights(header).values()) expect(weight >= 0 && weight <= 1).toBe(true)
      }),
    )
  })
})
