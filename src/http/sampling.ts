/**
 * Which requests are looked at closely. Telling whom a request comes from costs about a tenth of answering it, so under
 * heavy traffic one request in a few stands for all of them, until somebody seems to ask too much.
 */
export interface Sampling {
  /** For how many requests the present one has to be counted; 0 when it need not be looked at. */
  weigh(): number
  /** From now on every request is looked at, until it has been quiet for a while. */
  alarm(): void
}

/** Requests a second that are all looked at. Below that, sampling never happens. */
export const SAMPLED_ABOVE = 1000
/** Beyond, one in this many. */
export const SAMPLE = 16

const SECOND = 1000
const QUIET = 10 * SECOND

export function createSampling(now: () => number = () => performance.now()): Sampling {
  let count = 0
  let startedAt = now()
  let alarmedUntil = Number.NEGATIVE_INFINITY
  let alarmed = false

  return {
    weigh() {
      if (++count <= SAMPLED_ABOVE || alarmed) {
        if (count > SAMPLED_ABOVE) restart(now())
        return 1
      }
      if ((count - SAMPLED_ABOVE) % SAMPLE !== 1) return 0
      return restart(now()) ? 1 : SAMPLE
    },
    alarm() {
      alarmed = true
      alarmedUntil = now() + QUIET
    },
  }

  /** Begins the next second when this one is over. */
  function restart(time: number): boolean {
    if (time - startedAt < SECOND) return false
    startedAt = time
    count = 1
    alarmed = time < alarmedUntil
    return true
  }
}
