import { isObject } from '../domain/presence.ts'
import { type Clock, pause, SECOND } from '../lib/clock.ts'
import { type Answer, askUpstream, Backoff, UpstreamError } from '../lib/upstream.ts'
import { kindsOf, LONGEST_WAIT, PausedError, Pauses, type PausesOptions } from './pauses.ts'

/** Milliseconds for the whole answer. */
const TIMEOUT = 15 * SECOND
/** Bytes of an answer; the largest that makes sense is a list of commands in many languages. */
const LARGEST_ANSWER = 4 * 1024 * 1024
/** Requests are made so often when nothing came, or something that is not Discord's own word. */
const ATTEMPTS = 3
/** Between these: short, as people wait. Discord waits for an answer to an interaction for 3 s. Milliseconds. */
const BETWEEN_ATTEMPTS = { firstMs: 300, longestMs: 2 * SECOND }
/** What was under way when it all ends may take so much longer. Milliseconds. */
const GRACE = SECOND

/** Something answered in Discord's place, or Discord is broken: an error page of a proxy, a status of 5xx, nonsense. */
export class NotDiscordError extends Error {
  override readonly name = 'NotDiscordError'
  readonly status: number

  constructor({ status, headers }: Pick<Answer, 'status' | 'headers'>) {
    const type = /^[\w/+.-]{1,40}/.exec(headers.get('content-type') ?? '')?.[0] ?? 'no content type'
    super(`an answer that is not Discord's own (status ${status}, ${type})`)
    this.status = status
  }
}

/** What one request is: the parts `fetch` takes that are used here. */
export interface RequestParts {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: RequestInit['body']
  readonly signal: AbortSignal | undefined
  /** Whoever has a back-off of their own is told of a pause at once. */
  readonly impatient: boolean
}

/** Discord's own word: its JSON, whatever the status, and the headers about limits that make sense. */
export interface Word {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly body: unknown
}

/**
 * Makes requests until Discord itself answers. What is not its own word is tried again a few times; the pauses it asks for
 * are kept, of whatever form they are, and given up where nobody would wait that long.
 */
export class DiscordRequests {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #pauses: Pauses
  readonly #underWay = new Set<Promise<unknown>>()
  readonly #stopping = new AbortController()
  readonly #ended = new AbortController()

  constructor(options: PausesOptions) {
    this.#clock = options.clock
    this.#random = options.random ?? Math.random
    this.#pauses = new Pauses(options)
  }

  /** Rejects with PausedError, NotDiscordError, UpstreamError, or the reason of a signal. */
  async make(url: string, parts: RequestParts): Promise<Word> {
    const signal = AbortSignal.any([this.#ended.signal, ...(parts.signal === undefined ? [] : [parts.signal])])
    const work = this.#make(url, parts, signal)
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  /** Waits for as long as the library wants to, which cannot be called off there. Resolves with whether it was worth it. */
  async wait(ms: number): Promise<boolean> {
    if (ms > LONGEST_WAIT) return false
    return pause(this.#clock, ms, this.#stopping.signal).then(
      () => true,
      () => false,
    )
  }

  /** Ends every wait at once, and soon what is under way, or is begun by who has just been answered. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('stopping'))
    this.#clock.after(GRACE, () => this.#ended.abort(new Error('stopping')))
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay)
  }

  async #make(url: string, parts: RequestParts, signal: AbortSignal): Promise<Word> {
    const latest = this.#clock.monotonic() + (parts.impatient ? 0 : LONGEST_WAIT)
    const backoff = new Backoff({ ...BETWEEN_ATTEMPTS, random: this.#random })
    const kinds = kindsOf(parts.method, new URL(url).pathname)
    for (let failures = 0; ; ) {
      const answered = await this.#pauses.turn(kinds, latest, AbortSignal.any([signal, this.#stopping.signal]))
      const outcome = await this.#attempt(url, parts, kinds, signal).finally(answered)
      if (!(outcome instanceof Error)) return outcome
      if (outcome instanceof PausedError) {
        // Else its next turn comes after the pause.
        if (this.#clock.monotonic() + outcome.retryAfter > latest) throw outcome
      } else if (++failures >= ATTEMPTS || parts.impatient || !isWorthAnother(outcome)) throw outcome
      else await pause(this.#clock, backoff.next(), AbortSignal.any([signal, this.#stopping.signal]))
    }
  }

  /** Resolves with what came of asking once; rejects only with the signal's reason. */
  async #attempt(
    url: string,
    parts: RequestParts,
    kinds: readonly string[],
    signal: AbortSignal,
  ): Promise<Word | Error> {
    try {
      const answer = await this.#ask(url, parts, signal)
      if (isWord(answer, new URL(url).pathname)) {
        this.#pauses.forget(kinds)
        return answer
      }
      const wait = this.#pauses.keep(answer, kinds)
      return answer.status === 429 && wait !== undefined ? new PausedError(wait) : new NotDiscordError(answer)
    } catch (error) {
      signal.throwIfAborted()
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async #ask(url: string, { method, headers, body }: RequestParts, signal: AbortSignal): Promise<Word> {
    const question = { method, headers, body, timeoutMs: TIMEOUT, maxBytes: LARGEST_ANSWER, clock: this.#clock }
    const answer = await askUpstream(url, { ...question, signal })
    return { ...answer, body: readJson(answer.bytes) }
  }
}

/** Undefined when it is no JSON. */
function readJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch {
    return undefined
  }
}

/** These list what others describe one by one. */
const LISTS = /\/(commands|guilds)$/

/**
 * Whether Discord itself said that: nothing, where that is the answer; a list where one was asked for; anything else has an
 * id, but for the gateway's address; and errors have a number and a text (docs: Reference, "Error Messages").
 */
function isWord({ status, body }: Word, pathname: string): boolean {
  if (status === 204) return true
  if (status >= 200 && status < 300) {
    if (LISTS.test(pathname)) return Array.isArray(body)
    return isObject(body) && (typeof body.id === 'string' || typeof body.url === 'string')
  }
  const isError = isObject(body) && Number.isInteger(body.code) && typeof body.message === 'string'
  return isError && status >= 400 && status < 500 && status !== 429
}

/** A connection that broke and an answer of somebody else may be another the next time, in no time. */
function isWorthAnother(failure: Error): boolean {
  return failure instanceof NotDiscordError || (failure instanceof UpstreamError && failure.reason === 'unreachable')
}
