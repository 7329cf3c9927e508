/** Milliseconds that a machine may be busy without having stood still. */
const STANDSTILL = 250

interface Watcher {
  /** Called regularly, with the time as `performance.now()` gives it. */
  check(now: number): void
  /**
   * Called instead when the process stood still: suspended, stopped, or busy. What has arrived meanwhile is not read
   * yet, so nobody may be called silent or slow for it; by the next look it is.
   */
  resumed(now: number): void
}

/** Looks every so many milliseconds, until the answer is called. */
export function watch(interval: number, { check, resumed }: Watcher): () => void {
  let last = performance.now()
  let late = false
  const timer = setInterval(() => {
    const now = performance.now()
    // Once in a row: a machine that is always late has read something in between.
    late = !late && now - last > Math.max(2 * interval, STANDSTILL)
    last = now
    if (late) resumed(now)
    else check(now)
  }, interval)
  return () => clearInterval(timer)
}
