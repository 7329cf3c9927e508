import { expect, test } from 'bun:test'
import { median, renderTable } from './table.ts'

test('the median is the middle value, or the mean of the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 3, 2])).toBe(2.5)
})

test('a row shows the ratios of neighbouring rounds, not the ratio of the medians', () => {
  const [, , line] = renderTable([
    { name: 'reads', unit: 'requests/s', better: 'higher', control: [1000, 2000, 4000], exoix: [900, 1000, 4000] },
  ]).split('\n')
  expect(line).toBe('| reads | requests/s ↑ | 2,000   | 1,000 | 0.90  | 0.50–1.00 |        |')
})
