import { readFileSync } from 'node:fs'
import { RedisClient } from 'bun'
import { SECOND } from '../lib/clock.ts'

/** Where the engine between hub and edges is. */
export interface RedisSettings {
  readonly url: string
  /** File with the certificate of whoever signed the engine's, for `rediss://`. */
  readonly caFile?: string | undefined
  /** Who knows where the engine is: `host:port,host:port/name`. The address in `url` counts for nothing then. */
  readonly sentinel?: Sentinel | undefined
  /** What all names in the engine begin with. */
  readonly prefix: string
}

export interface Sentinel {
  readonly hosts: readonly string[]
  readonly name: string
}

/** The engine answers for itself: the connection is as good as before. */
export const isServerError = (error: unknown): error is Error =>
  error instanceof Error && 'code' in error && error.code === 'ERR_REDIS_SERVER_ERROR'

/** Milliseconds for a connection to come about, and for an answer. */
const CONNECTING = 3 * SECOND
const ANSWERING = 3 * SECOND

/**
 * A connection to the engine for one life: when anything about it is odd, it is closed for good, and another is opened.
 * What was under way on it may have happened or not. Clients that mend themselves lose messages and mix up answers.
 */
export class RedisLink {
  readonly #sending: RedisClient
  /** One that only waits for what is new: it would hold up everything else. */
  readonly #reading: RedisClient
  readonly #lost = Promise.withResolvers<Error>()
  #open = true

  private constructor(url: string, caFile: string | undefined) {
    const tls = caFile === undefined ? {} : { tls: { ca: readFileSync(caFile, 'utf8') } }
    const options = { autoReconnect: false, connectionTimeout: CONNECTING, ...tls }
    this.#sending = new RedisClient(url, options)
    this.#reading = new RedisClient(url, options)
    for (const client of [this.#sending, this.#reading]) client.onclose = error => this.close(error)
  }

  /** Rejects when no connection comes about in time. */
  static async open(settings: RedisSettings): Promise<RedisLink> {
    const link = new RedisLink(await addressOf(settings), settings.caFile)
    try {
      await within(CONNECTING, Promise.all([link.#sending.connect(), link.#reading.connect()]))
      return link
    } catch (error) {
      link.close()
      throw error
    }
  }

  /** Resolves with why it is of no use any more. */
  get lost(): Promise<Error> {
    return this.#lost.promise
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** Rejects with what the engine says against it ({@link isServerError}); after anything else the link is lost. */
  send(command: string, ...given: readonly string[]): Promise<unknown> {
    return this.#ask(this.#sending, ANSWERING, command, given)
  }

  /** The same for a command that waits for up to `block` milliseconds. One at a time. */
  read(block: number, command: string, ...given: readonly string[]): Promise<unknown> {
    return this.#ask(this.#reading, block + ANSWERING, command, given)
  }

  close(reason = new Error('closed')): void {
    if (!this.#open) return
    this.#open = false
    this.#lost.resolve(reason)
    for (const client of [this.#sending, this.#reading]) client.close()
  }

  async #ask(client: RedisClient, patience: number, command: string, given: readonly string[]): Promise<unknown> {
    try {
      return await within(patience, client.send(command, [...given]))
    } catch (error) {
      if (!isServerError(error)) this.close(error instanceof Error ? error : new Error(String(error)))
      throw error
    }
  }
}

/** Asks one sentinel after the other where the master is. */
export async function addressOf({ url, sentinel }: RedisSettings): Promise<string> {
  if (sentinel === undefined) return url
  for (const host of sentinel.hosts) {
    const client = new RedisClient(`redis://${host}`, { autoReconnect: false, connectionTimeout: CONNECTING })
    try {
      const asked = client.connect().then(() => client.send('SENTINEL', ['get-master-addr-by-name', sentinel.name]))
      const answer = await within(CONNECTING, asked)
      if (Array.isArray(answer)) return located(url, String(answer[0]), String(answer[1]))
    } catch {
      // The next one may know.
    } finally {
      client.close()
    }
  }
  throw new Error(`no sentinel knows where "${sentinel.name}" is`)
}

function located(url: string, host: string, port: string): string {
  const found = new URL(url)
  found.hostname = host.includes(':') ? `[${host}]` : host
  found.port = port
  return found.href
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error('the engine does not answer')), milliseconds)
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    work.catch(() => {})
  }
}

/** An entry of a stream: its id, and the value of its one field. */
export interface StreamEntry {
  readonly id: string
  readonly text: string
}

/** Reads what `XREAD` (by stream) and `XREVRANGE` answer. Entries of another shape are left out. */
export function readEntries(entries: unknown): readonly StreamEntry[] {
  if (!Array.isArray(entries)) return []
  return entries.flatMap(([id, fields]: [unknown, unknown]) =>
    typeof id === 'string' && Array.isArray(fields) && typeof fields[1] === 'string' ? [{ id, text: fields[1] }] : [],
  )
}

/** What a call of `XREAD` has found, by the names of the streams. */
export function readStreams(answer: unknown): ReadonlyMap<string, readonly StreamEntry[]> {
  if (typeof answer !== 'object' || answer === null) return new Map()
  return new Map(Object.entries(answer).map(([name, entries]) => [name, readEntries(entries)]))
}
