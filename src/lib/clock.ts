/** Lengths of time in milliseconds. */
export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Time and timers; tests turn the hands themselves. */
export interface Clock {
  /** Milliseconds since 1970; goes back when somebody sets the clock. */
  now(): number
  /** Milliseconds since whenever, which never go back: for durations. */
  monotonic(): number
  /** Runs once after so many milliseconds; the answer calls it off. */
  after(ms: number, run: () => void): () => void
}

/** What a 32-bit timer can wait: anything longer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(0, ms), LONGEST_MS))
    return () => clearTimeout(timer)
  },
}

/** What is left of so many milliseconds since a time of the wall clock, which may have been set since: none, or all, at most. */
export const restOf = (ms: number, clock: Pick<Clock, 'now'>, since: number) =>
  Math.min(Math.max(0, since + ms - clock.now()), ms)

/** Resolves after so many milliseconds; rejects with the signal's reason as soon as it is aborted. Leaves no timer behind. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  if (signal.aborted) reject(signal.reason)
  else {
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
    const onAbort = () => {
      cancel()
      reject(signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  }
  return promise
}

/** A clock that can be stopped: whatever was still to run never will, and nothing keeps the process alive. */
export function createStoppableClock(clock: Clock): Clock & { stop(): void } {
  const pending = new Set<() => void>()
  let stopped = false
  return {
    now: clock.now,
    monotonic: clock.monotonic,
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
