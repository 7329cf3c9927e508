import type { Counter, Metrics } from '../lib/metrics.ts'

/** Codes counted each by itself. Clients may close with any of thousands; the rest is counted together. */
const CODES = [1000, 1001, 1005, 1006, 1007, 1009, 4004, 4005, 4006, 4008]

/** Bun closes these by itself, and reports them as 1006 with a reason. */
const BY_REASON: ReadonlyMap<string, number> = new Map([
  ['Received invalid UTF-8', 1007],
  ['Received too big message', 1009],
])

/** Counts closed sockets by close code. */
export function createCloseCounters(metrics: Metrics): (code: number, reason: string) => void {
  const counter = (code: string) => metrics.counter('socket_closes_total', 'Closed WebSockets by close code', { code })
  const counters = new Map<number, Counter>(CODES.map(code => [code, counter(String(code))]))
  const other = counter('other')
  return (code, reason) => {
    const known = counters.get(BY_REASON.get(reason) ?? code) ?? other
    known.inc()
  }
}
