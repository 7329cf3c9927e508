import type { Clock } from '../clock.ts'

/** A clock that can be stopped: whatever was still to run never will, and nothing keeps the process alive. */
export function createStoppableClock(clock: Clock): Clock & { stop(): void } {
  const pending = new Set<() => void>()
  let stopped = false
  return {
    now: clock.now,
    after(ms, run) {
      if (stopped) return () => {}
      const cancel = clock.after(ms, () => {
        pending.delete(cancel)
        run()
      })
      pending.add(cancel)
      return () => {
        pending.delete(cancel)
        cancel()
      }
    },
    stop() {
      stopped = true
      for (const cancel of pending) cancel()
      pending.clear()
    },
  }
}
