import { expect, test } from 'bun:test'
import { combineReadings, createMetrics, renderReadings } from '../../src/lib/metrics.ts'

test('counters and gauges are Prometheus text, labels escaped', () => {
  const metrics = createMetrics('x_')
  const counter = metrics.counter('sent_total', 'Sent', { to: 'a "b"\n\\' })
  counter.inc()
  counter.inc(2)
  metrics.gauge('open', 'Open', () => 7)
  expect(metrics.render()).toBe(
    '# HELP x_sent_total Sent\n# TYPE x_sent_total counter\nx_sent_total{to="a \\"b\\"\\n\\\\"} 3\n# HELP x_open Open\n# TYPE x_open gauge\nx_open 7\n',
  )
})

test('the numbers of several threads are one: summed, or the highest where all measure the same', () => {
  const threads = [3, 4].map(value => {
    const metrics = createMetrics('x_')
    metrics.counter('sent_total', 'Sent', { to: 'a' }).inc(value)
    metrics.gauge('open', 'Open', () => value)
    metrics.gauge('rss', 'Memory', () => value, {}, 'max')
    if (value === 4) metrics.counter('sent_total', 'Sent', { to: 'b' }).inc()
    return structuredClone(metrics.read())
  })
  const lines = renderReadings(combineReadings(threads)).split('\n')
  expect(lines.filter(line => line.startsWith('x_'))).toEqual([
    'x_sent_total{to="a"} 7',
    'x_sent_total{to="b"} 1',
    'x_open 7',
    'x_rss 4',
  ])
})

test('counters can be read alone: what reading a gauge resets stays', () => {
  const metrics = createMetrics('x_')
  metrics.counter('sent_total', 'Sent').inc(5)
  metrics.gauge('open', 'Open', () => 7)
  expect([...metrics.read('counters').keys()]).toEqual(['x_sent_total'])
})

test('a counter of another name is there under both: as Prometheus wants it, and as it is known', () => {
  const metrics = createMetrics('x_')
  metrics.counter('sent', 'Sent').inc(5)
  metrics.total('seconds_total', 'Seconds', () => 7)
  expect(metrics.render().split('\n')).toEqual([
    '# HELP x_sent Sent',
    '# TYPE x_sent untyped',
    'x_sent 5',
    '# HELP x_sent_total Sent',
    '# TYPE x_sent_total counter',
    'x_sent_total 5',
    '# HELP x_seconds_total Seconds',
    '# TYPE x_seconds_total counter',
    'x_seconds_total 7',
    '',
  ])
  expect([...metrics.read('counters').keys()]).toEqual(['x_sent', 'x_sent_total', 'x_seconds_total'])
})
