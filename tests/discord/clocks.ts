import { type Clock, systemClock } from '../../src/lib/clock.ts'

/** A clock whose hands only the test turns. */
export function createManualClock(): Clock & { advance(ms: number): void; pending(): number } {
  let time = 1_000_000
  const timers = new Set<{ at: number; run: () => void }>()
  return {
    now: () => time,
    monotonic: () => time,
    pending: () => timers.size,
    after(ms, run) {
      const timer = { at: time + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      const until = time + ms
      for (;;) {
        const next = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        time = Math.max(time, next.at)
        timers.delete(next)
        next.run()
      }
      time = until
    },
  }
}

/** The real clock, whose hands the test can push forward. */
export function createJumpClock(): Clock & { jump(ms: number): void } {
  let ahead = 0
  const pending = new Set<{ at: number; run: () => void; cancel: () => void }>()
  const now = () => Date.now() + ahead

  function arm(timer: { at: number; run: () => void; cancel: () => void }): void {
    timer.cancel = systemClock.after(timer.at - now(), () => {
      pending.delete(timer)
      timer.run()
    })
  }

  return {
    now,
    monotonic: now,
    after(ms, run) {
      const timer = { at: now() + ms, run, cancel: () => {} }
      pending.add(timer)
      arm(timer)
      return () => {
        pending.delete(timer)
        timer.cancel()
      }
    },
    jump(ms) {
      ahead += ms
      for (const timer of pending) {
        timer.cancel()
        arm(timer)
      }
    },
  }
}
