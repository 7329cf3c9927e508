import { version } from '../../package.json'
import { type Clock, DAY, MINUTE, SECOND, systemClock } from './clock.ts'
import { readAtMost } from './read-at-most.ts'

/** How we introduce ourselves to everybody. Source: Discord docs, Reference, "User Agent"; others take any. */
export const USER_AGENT = `DiscordBot (https://github.com/exoix/exoix, ${version}) Exoix`

/** A question to a server that is not ours. */
export interface Question {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: RequestInit['body']
  /** Milliseconds: {@link askUpstream} until all of the answer is there, {@link openUpstream} until its head is. */
  readonly timeoutMs: number
  /** Bytes of the answer's body that are taken. */
  readonly maxBytes: number
  /** Gives up; the promise then rejects with its reason. */
  readonly signal?: AbortSignal
  readonly clock?: Clock
  /** Asks in place of the network. */
  readonly fetch?: Fetch
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/** An answer, whatever its status: anything but 3xx, and 304. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

type Reason =
  /** No connection, or it broke off. */
  | 'unreachable'
  | 'timeout'
  /** It sends us elsewhere, where nobody meant us to go. */
  | 'redirect'
  /** Compressed all the same: unpacked it may be of any size. */
  | 'compressed'
  | 'too large'

/** There is no answer that could be used. The message quotes nothing of the question, which may hold a token. */
export class UpstreamError extends Error {
  override readonly name = 'UpstreamError'
  constructor(
    readonly reason: Reason,
    detail = '',
  ) {
    super(detail === '' ? WORDS[reason] : `${WORDS[reason]} (${detail})`)
  }
}

const WORDS: Readonly<Record<Reason, string>> = {
  unreachable: 'no connection',
  timeout: 'no answer in time',
  redirect: 'redirected elsewhere, which is not followed',
  compressed: 'compressed, which was not asked for',
  'too large': 'larger than any answer that makes sense',
}

/**
 * Asks and reads the whole answer. Redirects are not followed, nothing is unpacked, proxies of the environment are used.
 * Rejects with {@link UpstreamError}, or the signal's reason.
 */
export async function askUpstream(url: string, question: Question): Promise<Answer> {
  const patience = new Patience(question)
  try {
    const response = await patience.open(url)
    const bytes = await patience.wait(readAtMost(question.maxBytes, response.body))
    if (bytes === null) throw new UpstreamError('too large')
    return { status: response.status, headers: response.headers, bytes }
  } finally {
    patience.end()
  }
}

/**
 * The same, for answers to be passed on as they come in: resolves once the head is there. The body ends with an error
 * past `maxBytes`, and when nothing came for `timeoutMs` while somebody wanted more.
 */
export async function openUpstream(url: string, question: Question): Promise<Response> {
  const patience = new Patience(question)
  try {
    const { status, headers, body } = await patience.open(url)
    patience.end()
    return new Response(body === null ? null : bounded(body, question, patience), { status, headers })
  } catch (error) {
    patience.end()
    throw error
  }
}

/** The time that one question may take: a timer that starts anew, and what becomes of the request when it is over. */
class Patience {
  readonly #question: Question
  readonly #clock: Clock
  readonly #expired = new AbortController()
  #cancel = () => {}

  constructor(question: Question) {
    this.#question = question
    this.#clock = question.clock ?? systemClock
  }

  async open(url: string): Promise<Response> {
    const { method = 'GET', headers, body, signal, maxBytes, fetch = globalThis.fetch } = this.#question
    signal?.throwIfAborted()
    this.start()
    const signals = signal === undefined ? this.#expired.signal : AbortSignal.any([signal, this.#expired.signal])
    const asked = { 'User-Agent': USER_AGENT, ...headers, 'Accept-Encoding': 'identity' }
    const init = { method, headers: asked, redirect: 'manual', decompress: false, signal: signals } as const
    const response = await this.wait(fetch(url, body == null ? init : { ...init, body }))
    const refusal = refuse(response, maxBytes)
    if (refusal === undefined) return response
    response.body?.cancel().catch(() => {})
    throw refusal
  }

  start(): void {
    this.end()
    this.#cancel = this.#clock.after(this.#question.timeoutMs, () => this.#expired.abort())
  }

  end(): void {
    this.#cancel()
  }

  /** What was thrown may quote the request, and with it a token. */
  async wait<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      this.#question.signal?.throwIfAborted()
      if (this.#expired.signal.aborted) throw new UpstreamError('timeout')
      throw new UpstreamError('unreachable', codeOf(error))
    }
  }
}

function refuse({ status, headers }: Response, maxBytes: number): UpstreamError | undefined {
  if (status >= 300 && status < 400 && status !== 304) return new UpstreamError('redirect', String(status))
  if (!/^(identity)?$/i.test(headers.get('content-encoding')?.trim() ?? '')) return new UpstreamError('compressed')
  if (Number(headers.get('content-length')) > maxBytes) return new UpstreamError('too large')
  return undefined
}

/** `ECONNREFUSED` and the like, and nothing longer. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^\w{1,60}$/.test(code) ? code : ''
}

/** Reads on only when somebody wants more. */
function bounded(body: ReadableStream<Uint8Array>, { maxBytes }: Question, patience: Patience) {
  const reader = body.getReader()
  let left = maxBytes

  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    patience.start()
    try {
      const { done, value } = await patience.wait(reader.read())
      if (done) return controller.close()
      left -= value.byteLength
      if (left < 0) throw new UpstreamError('too large')
      controller.enqueue(value)
    } catch (error) {
      reader.cancel().catch(() => {})
      controller.error(error)
    } finally {
      patience.end()
    }
  }

  return new ReadableStream<Uint8Array>({ pull, cancel: reason => reader.cancel(reason) }, { highWaterMark: 0 })
}

/** No wait is believed to be longer: a timer of months would fire at once. Milliseconds. */
const LONGEST_BELIEVED = 365 * DAY

/**
 * How long an answer asks us to wait, in milliseconds: its header `Retry-After`, else `retry_after` of its JSON body (both
 * in seconds; Discord docs, Rate Limits). Undefined where it says nothing usable: nothing, a date (by whose clock?), zero, a
 * negative number or no number. At most a year: whoever cannot wait that long has to give up.
 */
export function readRetryAfter(headers: Headers, body?: unknown): number | undefined {
  const header = headers.get('retry-after')?.trim() ?? ''
  const inBody = typeof body === 'object' && body !== null && 'retry_after' in body ? body.retry_after : undefined
  const told = [/^\d+(\.\d+)?$/.test(header) ? Number(header) : 0, inBody]
  const seconds = told.find(value => typeof value === 'number' && value > 0)
  return typeof seconds === 'number' ? Math.min(Math.max(1, Math.round(seconds * SECOND)), LONGEST_BELIEVED) : undefined
}

export interface BackoffOptions {
  /** The first wait is this long, or up to two and a half times that. Milliseconds. Default 2 s, so 2 to 5 s. */
  readonly firstMs?: number
  /** Default 10 minutes. */
  readonly longestMs?: number
  readonly random?: () => number
}

/** How long to wait when there was no answer and nobody said how long: a while, then twice as long each time. */
export class Backoff {
  readonly #firstMs: number
  readonly #longestMs: number
  readonly #random: () => number
  #lastMs = 0

  constructor({ firstMs = 2 * SECOND, longestMs = 10 * MINUTE, random = Math.random }: BackoffOptions = {}) {
    this.#firstMs = firstMs
    this.#longestMs = longestMs
    this.#random = random
  }

  /** Milliseconds to wait after one more failure. */
  next(): number {
    const doubled = this.#lastMs === 0 ? this.#firstMs * (1 + 1.5 * this.#random()) : 2 * this.#lastMs
    this.#lastMs = Math.min(doubled, this.#longestMs)
    return this.#lastMs
  }

  /** It worked. */
  reset(): void {
    this.#lastMs = 0
  }
}
