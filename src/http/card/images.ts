import type { Metrics } from '../../metrics.ts'
import { type Fetched, fetchImage } from './image-fetch.ts'
import { createLru } from './lru.ts'
import type { DataUri } from './markup.ts'
import { createSlots } from './slots.ts'

/** Pictures from elsewhere, as addresses that need nobody else. */
export interface Images {
  /** Undefined when it cannot be had in time. Never rejects. */
  get(url: string): Promise<DataUri | undefined>
}

export interface ImagesOptions {
  /** Bases of the addresses that may be asked, without a slash at the end. */
  readonly hosts: readonly string[]
  readonly metrics: Metrics
  /** Milliseconds a picture may take, waiting for its turn included. Default 2 s. */
  readonly patience?: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

interface Kept {
  /** Undefined: it could not be had. */
  readonly uri: DataUri | undefined
  readonly etag: string | undefined
  /** When to ask again. */
  readonly until: number
}

/** Bytes of pictures that are kept, and of what is known of failures. */
export const IMAGE_CACHE = 32 * 1024 * 1024
const HOUR = 60 * 60 * 1000
const MINUTE = 60 * 1000
/** Requests to others at once, and how many may wait for one of them to end. */
export const AT_ONCE = 32
export const MOST_WAITING = 512
/** What an entry costs beside its text. */
const OVERHEAD = 200

const OUTCOMES = ['fetched', 'unchanged', 'failed', 'refused', 'too_large', 'timeout', 'crowded'] as const

export function createImages({ hosts, metrics, patience = 2000, now = Date.now }: ImagesOptions): Images {
  const kept = createLru<Kept>(IMAGE_CACHE, ({ uri, etag }, url) => {
    return (uri?.length ?? 0) + (etag?.length ?? 0) + url.length + OVERHEAD
  })
  const underway = new Map<string, Promise<DataUri | undefined>>()
  const slots = createSlots(AT_ONCE, MOST_WAITING)
  const counters = new Map(
    OUTCOMES.map(outcome => [
      outcome,
      metrics.counter('image_fetches_total', 'Pictures for cards asked for, by what came of it', { outcome }),
    ]),
  )

  async function ask(url: string, etag: string | undefined): Promise<Fetched> {
    const slow = new AbortController()
    const timer = setTimeout(() => slow.abort(), patience)
    const release = await slots.take(slow.signal)
    try {
      return release === undefined ? { outcome: 'crowded' } : await fetchImage(url, etag, slow.signal)
    } finally {
      clearTimeout(timer)
      release?.()
    }
  }

  async function refresh(url: string, old: Kept | undefined): Promise<DataUri | undefined> {
    const fetched = await ask(url, old?.uri === undefined ? undefined : old.etag)
    counters.get(fetched.outcome)?.inc()
    if (fetched.outcome === 'fetched') {
      kept.set(url, { uri: fetched.uri, etag: fetched.etag, until: now() + HOUR })
      return fetched.uri
    }
    // What is known to have been right is better than nothing.
    const uri = old?.uri
    const known = { uri, etag: old?.etag, until: now() + (fetched.outcome === 'unchanged' ? HOUR : MINUTE) }
    // That too much was going on here says nothing of the picture.
    if (fetched.outcome !== 'crowded') kept.set(url, known)
    return uri
  }

  return {
    async get(url) {
      const known = kept.get(url)
      if (known !== undefined && now() < known.until) return known.uri
      if (!hosts.some(host => url.startsWith(`${host}/`))) return undefined
      const asked = underway.get(url)
      if (asked !== undefined) return asked
      const asking = refresh(url, known).finally(() => underway.delete(url))
      underway.set(url, asking)
      return asking
    },
  }
}
