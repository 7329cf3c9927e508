import { isObject } from '../domain/presence.ts'
import { type Clock, HOUR, MINUTE, pause, SECOND } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Backoff, readRetryAfter } from '../lib/upstream.ts'

/** What a request may wait altogether before it is given up: nobody looks for an answer that is older. Milliseconds. */
export const LONGEST_WAIT = 5 * MINUTE
/** After this long Discord is asked again, however long it said. Milliseconds. */
const LONGEST_PAUSE = HOUR
/** From this many pauses on those that are over are forgotten. */
const MANY = 1000

/** Discord wants no such request for so long; it was not made, or not again. */
export class PausedError extends Error {
  override readonly name = 'PausedError'
  constructor(
    /** Milliseconds. */
    readonly retryAfter: number,
  ) {
    super(`Discord wants a pause of ${Math.ceil(retryAfter / SECOND)} s`)
  }
}

/** A pause that Discord asked for. */
interface Pause {
  readonly backoff: Backoff
  /** When it is over. */
  until: number
  /** Then one request is made, and the others wait for what comes of it. */
  probe: Promise<void> | undefined
}

export interface PausesOptions {
  readonly log: Log
  readonly clock: Clock
  readonly random?: (() => number) | undefined
}

/** The pauses Discord asks for between requests, of whatever form the asking is. */
export class Pauses {
  readonly #log: Log
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pauses = new Map<string, Pause>()
  /** When an odd pause was last told of, by route. */
  readonly #saidAt = new Map<string, number>()

  constructor({ log, clock, random = Math.random }: PausesOptions) {
    this.#log = log
    this.#clock = clock
    this.#random = random
  }

  /** Resolves when no pause is in the way, with what is to be called when the request has been answered. */
  async turn(kinds: readonly string[], latest: number, signal: AbortSignal): Promise<() => void> {
    for (;;) {
      const now = this.#clock.monotonic()
      const pauses = kinds.map(kind => this.#pauses.get(kind)).filter(known => known !== undefined)
      const until = Math.max(...pauses.map(known => known.until))
      if (until > latest && until > now) throw new PausedError(until - now)
      const probe = pauses.find(known => known.probe !== undefined)?.probe
      if (until > now) await pause(this.#clock, until - now, signal)
      else if (probe === undefined) return this.#begin(pauses)
      else await orAborted(probe, signal)
    }
  }

  /** Keeps the pause an answer asks for; its length in milliseconds, or undefined when it asks for none. */
  keep({ status, headers, body }: Asking, kinds: readonly string[]): number | undefined {
    const told = readRetryAfter(headers, body)
    if (status !== 429 && (told === undefined || status < 500)) return undefined
    const [all = '', route = '', place = ''] = kinds
    // Without a usable figure nobody knows for what exactly it is meant.
    const kind = isGlobal(headers, body) ? all : told === undefined ? route : place
    const known = this.#pauses.get(kind) ?? this.#remember(kind)
    const now = this.#clock.monotonic()
    // What was asked before the pause began says nothing of how long it should be.
    const wait = told ?? (known.until > now ? known.until - now : known.backoff.next())
    known.until = Math.max(known.until, now + Math.min(wait, LONGEST_PAUSE))
    this.#say(route, status, wait, told)
    return wait
  }

  /** Discord has answered such a request; a pause that came meanwhile stays. */
  forget(kinds: readonly string[]): void {
    const now = this.#clock.monotonic()
    for (const kind of kinds) if ((this.#pauses.get(kind)?.until ?? now) <= now) this.#pauses.delete(kind)
  }

  #begin(pauses: readonly Pause[]): () => void {
    const { promise, resolve } = Promise.withResolvers<void>()
    for (const known of pauses) known.probe = promise
    return () => {
      for (const known of pauses) known.probe = undefined
      resolve()
    }
  }

  #remember(kind: string): Pause {
    const now = this.#clock.monotonic()
    if (this.#pauses.size >= MANY)
      for (const [other, { until, probe }] of this.#pauses)
        if (until <= now && probe === undefined) this.#pauses.delete(other)
    const known: Pause = { backoff: new Backoff({ random: this.#random }), until: now, probe: undefined }
    this.#pauses.set(kind, known)
    return known
  }

  /** An ordinary pause is nobody's business. Any other is said once an hour, as long as it lasts. */
  #say(route: string, status: number, wait: number, told: number | undefined): void {
    const fields = { route, status, waitSeconds: Math.ceil(wait / SECOND) }
    if (told !== undefined && told <= LONGEST_WAIT) {
      this.#log.debug('Discord asked for a pause between requests', fields)
      return
    }
    const now = this.#clock.monotonic()
    if (now - (this.#saidAt.get(route) ?? Number.NEGATIVE_INFINITY) < HOUR) return
    this.#saidAt.set(route, now)
    const what = told === undefined ? 'a pause without saying how long' : 'a very long pause'
    this.#log.warn(`Discord asked for ${what}: such requests wait, or are given up`, fields)
  }
}

/** An answer that may ask for a pause. */
interface Asking {
  readonly status: number
  readonly headers: Headers
  /** Its JSON. */
  readonly body: unknown
}

/** What a request is one of, from all of them to those for the same place: pauses are for one of these. */
export function kindsOf(method: string, pathname: string): readonly string[] {
  return ['everything', `${method} ${withoutIds(pathname)}`, `${method} ${pathname}`]
}

/** A path that may be logged: without ids, and without the tokens of webhooks and interactions. */
function withoutIds(pathname: string): string {
  return pathname
    .replace(/^.*\/v\d+\//, '/')
    .replaceAll(/\/\d{15,20}(?=\/|$)/g, '/:id')
    .replace(TOKENS, '$1:token')
}

const TOKENS = /(\/(?:webhooks|interactions)\/:id\/)[^/]+/

function isGlobal(headers: Headers, body: unknown): boolean {
  const told = headers.has('x-ratelimit-global') || headers.get('x-ratelimit-scope') === 'global'
  return told || (isObject(body) && body.global === true)
}

/** Resolves with the promise, or rejects with the signal's reason. */
async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
