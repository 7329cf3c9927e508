import { MINUTE } from '../lib/clock.ts'

/** How much one person may ask for: a burst, then a steady rate. */
export const PACE = { burst: 30, perSecond: 1 } as const
/** How many commands may be under way, replies waiting for Discord's rate limits included. */
export const UNDER_WAY = { total: 1000, perPlace: 30 } as const
/** How long a channel in which the bot may not write is left alone, milliseconds. */
const MUTE = MINUTE
/** Entries a table may have before the stale ones are looked for. */
const SWEEP_AT = 10_000

/** Keeps spam from turning into work. */
export interface Limits {
  /** Counts a command. `warn`: too many, and the person has not been told yet. */
  pace(userId: string): 'ok' | 'warn' | 'ignore'
  /** A place among the commands under way, to be given back; null when there is none. */
  enter(place: string): (() => void) | null
  /** Leaves a channel alone for a while: Discord bans those who go on knocking. */
  mute(channelId: string): void
  isMuted(channelId: string): boolean
}

interface Bucket {
  left: number
  at: number
  warned: boolean
}

/** @param now milliseconds */
export function createLimits(now: () => number): Limits {
  const buckets = createTidyTable<Bucket>(bucket => refill(bucket).left >= PACE.burst)
  const muted = createTidyTable<number>(until => until <= now())
  const places = new Map<string, number>()
  let total = 0

  function refill(bucket: Bucket): Bucket {
    const left = Math.min(PACE.burst, bucket.left + ((now() - bucket.at) / 1000) * PACE.perSecond)
    return { left, at: now(), warned: bucket.warned && left < PACE.burst / 2 }
  }

  return {
    pace(userId) {
      const bucket = refill(buckets.get(userId) ?? { left: PACE.burst, at: now(), warned: false })
      buckets.set(userId, bucket)
      if (bucket.left >= 1) {
        bucket.left--
        return 'ok'
      }
      const told = bucket.warned
      bucket.warned = true
      return told ? 'ignore' : 'warn'
    },
    enter(place) {
      const here = places.get(place) ?? 0
      if (total >= UNDER_WAY.total || here >= UNDER_WAY.perPlace) return null
      total++
      places.set(place, here + 1)
      return () => {
        total--
        const left = (places.get(place) ?? 1) - 1
        if (left === 0) places.delete(place)
        else places.set(place, left)
      }
    },
    mute: channelId => muted.set(channelId, now() + MUTE),
    isMuted: channelId => (muted.get(channelId) ?? 0) > now(),
  }
}

/** A table that forgets its stale entries whenever it has doubled, so that keeping it clean costs little per entry. */
function createTidyTable<T>(isStale: (entry: T) => boolean) {
  const entries = new Map<string, T>()
  let sweepAt = SWEEP_AT
  return {
    get: (key: string) => entries.get(key),
    set(key: string, entry: T) {
      entries.set(key, entry)
      if (entries.size < sweepAt) return
      for (const [candidate, kept] of entries) if (isStale(kept)) entries.delete(candidate)
      sweepAt = Math.max(SWEEP_AT, 2 * entries.size)
    },
  }
}
