import { HOUR, MINUTE } from '../lib/clock.ts'
import { Lru } from '../lib/lru.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { Semaphore } from '../lib/semaphore.ts'
import { type Answer, askUpstream, UpstreamError } from '../lib/upstream.ts'
import { within } from '../lib/within.ts'
import type { DataUri } from './svg.ts'

/** How files begin that are pictures, in Latin-1. Sources: PNG 5.2, JFIF, GIF89a 17, RFC 9649 (a length stands in between). */
const BEGINNINGS: Readonly<Record<string, (head: string) => boolean>> = {
  'image/png': head => head.startsWith('\u0089PNG\r\n\u001a\n'),
  'image/jpeg': head => head.startsWith('\u00ff\u00d8\u00ff'),
  'image/gif': head => /^GIF8[79]a/.test(head),
  'image/webp': head => head.startsWith('RIFF') && head.endsWith('WEBP'),
}

const LONGEST_BEGINNING = 12

type PictureType = 'image/png' | 'image/jpeg' | 'image/gif' | 'image/webp'

/** The type of a picture a card may show, without parameters; undefined for anything else. */
function readPictureType(contentType: string | null): PictureType | undefined {
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? ''
  return Object.hasOwn(BEGINNINGS, type) ? (type as PictureType) : undefined
}

/** A picture as an address, if the bytes begin as pictures of that type do. */
function toDataUri(type: PictureType, bytes: Buffer): DataUri | undefined {
  if (!BEGINNINGS[type]?.(bytes.toString('latin1', 0, LONGEST_BEGINNING))) return undefined
  return `data:${type};base64,${bytes.toString('base64')}`
}

/** What came of asking for a picture. */
type Fetched =
  | { readonly outcome: 'fetched'; readonly uri: DataUri; readonly etag: string | undefined }
  | { readonly outcome: 'unchanged' | 'failed' | 'refused' | 'too_large' | 'timeout' | 'crowded' }

/** Bytes of a picture, as they arrive. */
const LARGEST_IMAGE = 512 * 1024

/** Asks for one picture, of which neither the content type nor the bytes alone are believed. Never rejects. */
async function fetchImage(url: string, etag: string | undefined, timeoutMs: number): Promise<Fetched> {
  const headers: Record<string, string> = etag === undefined ? {} : { 'If-None-Match': etag }
  try {
    return read(await askUpstream(url, { headers, timeoutMs, maxBytes: LARGEST_IMAGE }))
  } catch (error) {
    return { outcome: error instanceof UpstreamError ? WHY[error.reason] : 'failed' }
  }
}

const WHY = {
  unreachable: 'failed',
  redirect: 'failed',
  timeout: 'timeout',
  compressed: 'refused',
  'too large': 'too_large',
} as const

function read({ status, headers, bytes }: Answer): Fetched {
  if (status === 304) return { outcome: 'unchanged' }
  if (status !== 200) return { outcome: 'failed' }
  const type = readPictureType(headers.get('content-type'))
  const uri = type === undefined ? undefined : toDataUri(type, bytes)
  if (uri === undefined) return { outcome: 'refused' }
  return { outcome: 'fetched', uri, etag: headers.get('etag') ?? undefined }
}

type Got = DataUri | 'late' | undefined

export interface ImagesOptions {
  /** Bases of the addresses that may be asked, without a slash at the end. */
  readonly hosts: readonly string[]
  readonly metrics: Metrics
  /** Milliseconds a card waits for a picture. Default 2 s. */
  readonly patience?: number
  /** Milliseconds a picture may take altogether, waiting for its turn included, to be there for later cards. Default 5 s. */
  readonly longest?: number
  /** Milliseconds that never go back. */
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
const IMAGE_CACHE = 32 * 1024 * 1024
/** Requests to one host at once, and how many may wait for one of them to end. */
const AT_ONCE = 16
const MOST_WAITING = 256
/** What an entry costs beside its text. */
const OVERHEAD = 200

const OUTCOMES = ['fetched', 'unchanged', 'failed', 'refused', 'too_large', 'timeout', 'crowded'] as const

/** Pictures from elsewhere, as addresses that need nobody else. */
export class Images {
  readonly #cache = new Lru<Kept>(IMAGE_CACHE, ({ uri, etag }, url) => {
    return (uri?.length ?? 0) + (etag?.length ?? 0) + url.length + OVERHEAD
  })
  readonly #underway = new Map<string, Promise<Got>>()
  /** By the beginning of addresses: one host that hangs leaves the others alone. */
  readonly #hosts: ReadonlyMap<string, Semaphore>
  readonly #counters: ReadonlyMap<string, Counter>
  readonly #patience: number
  readonly #longest: number
  readonly #now: () => number

  constructor({ hosts, metrics, patience = 2000, longest = 5000, now = () => performance.now() }: ImagesOptions) {
    this.#hosts = new Map(hosts.map(host => [`${host}/`, new Semaphore(AT_ONCE, MOST_WAITING)]))
    this.#counters = new Map(
      OUTCOMES.map(outcome => [
        outcome,
        metrics.counter('image_fetches_total', 'Pictures for cards asked for, by what came of it', { outcome }),
      ]),
    )
    this.#patience = patience
    this.#longest = longest
    this.#now = now
  }

  /** Undefined when it cannot be had, `late` when it may be there a little later. Never rejects, never takes long. */
  async get(url: string): Promise<Got> {
    const known = this.#cache.get(url)
    if (known !== undefined && this.#now() < known.until) return known.uri
    const [, host] = [...this.#hosts].find(([base]) => url.startsWith(base)) ?? []
    if (host === undefined) return undefined
    const asking = this.#underway.get(url) ?? this.#refresh(url, known, host).finally(() => this.#underway.delete(url))
    this.#underway.set(url, asking)
    return within(this.#patience, asking, known?.uri ?? 'late')
  }

  async #refresh(url: string, old: Kept | undefined, host: Semaphore): Promise<Got> {
    const fetched = await this.#fetch(url, old?.uri === undefined ? undefined : old.etag, host)
    this.#counters.get(fetched.outcome)?.inc()
    if (fetched.outcome === 'fetched') {
      this.#cache.set(url, { uri: fetched.uri, etag: fetched.etag, until: this.#now() + HOUR })
      return fetched.uri
    }
    // What is known to have been right is better than nothing.
    const uri = old?.uri
    // That too much was going on here says nothing of the picture.
    if (fetched.outcome === 'crowded') return uri ?? 'late'
    const until = this.#now() + (fetched.outcome === 'unchanged' ? HOUR : MINUTE)
    this.#cache.set(url, { uri, etag: old?.etag, until })
    return uri
  }

  async #fetch(url: string, etag: string | undefined, host: Semaphore): Promise<Fetched> {
    const began = performance.now()
    const slow = new AbortController()
    const timer = setTimeout(() => slow.abort(), this.#longest)
    const release = await host.acquire(slow.signal)
    clearTimeout(timer)
    if (release === undefined) return { outcome: 'crowded' }
    const left = Math.max(1, this.#longest - (performance.now() - began))
    return fetchImage(url, etag, left).finally(release)
  }
}
