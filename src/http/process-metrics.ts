import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from '../lib/metrics.ts'

const NANOSECONDS = 1e-9
const MICROSECONDS = 1e-6

/** What the process costs and whether it keeps up. Returns what stops the measuring. */
export function measureProcess(metrics: Metrics): () => void {
  metrics.gauge('process_resident_memory_bytes', 'Memory the process occupies', () => process.memoryUsage.rss())
  metrics.gauge('process_heap_bytes', 'JavaScript heap in use', () => process.memoryUsage().heapUsed)
  metrics.gauge('process_cpu_seconds_total', 'Processor time used since the start', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) * MICROSECONDS
  })
  metrics.gauge('process_uptime_seconds', 'Seconds since the start', () => process.uptime())
  return measureEventLoop(metrics)
}

function measureEventLoop(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  metrics.gauge('event_loop_lag_seconds', 'Mean delay of the event loop since the last time this was read', () =>
    Number.isNaN(delay.mean) ? 0 : delay.mean * NANOSECONDS,
  )
  metrics.gauge(
    'event_loop_lag_max_seconds',
    'Longest delay of the event loop since the last time this was read',
    () => {
      const longest = delay.max * NANOSECONDS
      delay.reset()
      return longest
    },
  )
  return () => void delay.disable()
}
