import { expect, test } from 'bun:test'
import { combineReadings, createMetrics, renderReadings } from '../../src/lib/metrics.ts'

test('counters and gauges are Prometheus text, labels escaped', () => {
  const metrics = createMetrics('x_')
  const counter = metrics.counter('sent', 'Sent', { to: 'a "b"\n\\' })
  counter.inc()
  counter.inc(2)
  metrics.gauge('open', 'Open', () => 7)
  expect(metrics.render()).toBe(
    '# HELP x_sent Sent\n# TYPE x_sent counter\nx_sent{to="a \\"b\\"\\n\\\\"} 3\n# HELP x_open Open\n# TYPE x_open gauge\nx_open 7\n',
  )
})

test('the numbers of several threads are one: summed, or the highest where all measure the same', () => {
  const threads = [3, 4].map(value => {
    const metrics = createMetrics('x_')
    metrics.counter('sent', 'Sent', { to: 'a' }).inc(value)
    metrics.gauge('open', 'Open', () => value)
    metrics.gauge('rss', 'Memory', () => value, {}, 'max')
    if (value === 4) metrics.counter('sent', 'Sent', { to: 'b' }).inc()
    return structuredClone(metrics.read())
  })
  const lines = renderReadings(combineReadings(threads)).split('\n')
  expect(lines.filter(line => line.startsWith('x_'))).toEqual([
    'x_sent{to="a"} 7',
    'x_sent{to="b"} 1',
    'x_open 7',
    'x_rss 4',
  ])
})

test('counters can be read alone: what reading a gauge resets stays', () => {
  const metrics = createMetrics('x_')
  metrics.counter('sent', 'Sent').inc(5)
  metrics.gauge('open', 'Open', () => 7)
  expect([...metrics.read('counters').keys()]).toEqual(['x_sent'])
})
