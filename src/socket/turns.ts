/**
 * When a large INIT_STATE may be made: never more than half of the time, so that fifty clients who ask for everybody
 * at once, or one who keeps asking, leave the process to the others.
 */
export interface Turns {
  /** Whether it is time for one, or the last one is so fresh that it can be shared. */
  open(): boolean
  /** One was made, from `startedAt` (milliseconds of `performance.now()`) until now. */
  took(startedAt: number): void
  stop(): void
}

/** Milliseconds after an INIT_STATE in which others may still ride along on it. */
const RIDE = 25
/** Pause after a turn, in lengths of the turn. */
const PAUSE = 1

/** `onOpen` is called at the end of every pause. */
export function createTurns(onOpen: () => void): Turns {
  let turnStart = 0
  let rideUntil = 0
  let pause: NodeJS.Timeout | undefined

  function endPause(): void {
    pause = undefined
    onOpen()
  }

  return {
    open: () => pause === undefined || performance.now() < rideUntil,
    took(startedAt) {
      const now = performance.now()
      if (pause === undefined) {
        turnStart = startedAt
        rideUntil = now + RIDE
      }
      clearTimeout(pause)
      pause = setTimeout(endPause, PAUSE * (now - turnStart))
    },
    stop: () => clearTimeout(pause),
  }
}
