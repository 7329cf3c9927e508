import { FatalError } from '../domain/errors.ts'
import { MIB } from '../lib/bytes.ts'
import { type Clock, MINUTE, systemClock } from '../lib/clock.ts'
import { encodeRecords, idOf, readId } from './codec.ts'
import { TAKEN_OVER } from './lease.ts'
import { isServerError, type RedisLink, readEntries } from './link.ts'
import type { Frame } from './record.ts'

interface Sent {
  readonly id: string
  readonly number: number
  readonly text: string
}

/** Characters that are kept until the engine has them. Of more, the oldest are dropped: edges notice, and synchronize. */
const MOST_KEPT = 32 * MIB
/** What the log holds: as much as is written in a minute, and no more than this many characters. */
const MOST_LOGGED = 64 * MIB
const LOGGED_FOR = MINUTE
const LEAST_FRAMES = 100

/** Frames on their way into the log, kept until they are surely there, each there once. */
export class Outbox {
  readonly #log: string
  readonly #term: number
  readonly #clock: Clock
  readonly #waiting: Sent[] = []
  /** Frames of the last minute, to tell how long the log has to be. */
  readonly #written: { readonly at: number; readonly size: number }[] = []
  #writtenSize = 0
  #kept = 0
  #link: RedisLink | undefined

  constructor(log: string, term: number, clock: Clock = systemClock) {
    this.#log = log
    this.#term = term
    this.#clock = clock
  }

  /** Takes a frame; it is sent at once, or when there is a link. */
  add({ number, records }: Frame): void {
    const sent = { id: idOf({ term: this.#term, number }), number, text: encodeRecords(records) }
    this.#waiting.push(sent)
    this.#kept += sent.text.length
    while (this.#kept > MOST_KEPT && this.#waiting.length > 1) this.#kept -= this.#waiting.shift()?.text.length ?? 0
    this.#remember(sent.text.length)
    if (this.#link !== undefined) void this.#send(this.#link, sent)
  }

  /**
   * Finds out over a new link what has arrived.
   * @throws FatalError when somebody else has written since: this is not the hub any more
   */
  async catchUp(link: RedisLink): Promise<void> {
    const last = await lastId(link, this.#log)
    if (last.term > this.#term) throw new FatalError(TAKEN_OVER)
    if (last.term === this.#term) this.#arrived(last.number)
  }

  /** Sends what has not arrived, and from now on what is added. */
  resume(link: RedisLink): void {
    this.#link = link
    void link.lost.then(() => {
      if (this.#link === link) this.#link = undefined
    })
    for (const sent of [...this.#waiting]) void this.#send(link, sent)
  }

  /** Forgets what was written: nobody can read it in the log any more. */
  async clear(link: RedisLink, requests: string): Promise<void> {
    await link.send('XTRIM', this.#log, 'MAXLEN', '0')
    await link.send('XTRIM', requests, 'MAXLEN', '0')
  }

  async #send(link: RedisLink, { id, number, text }: Sent): Promise<void> {
    try {
      await link.send('XADD', this.#log, 'MAXLEN', '~', String(this.#length()), id, 'z', text)
      this.#arrived(number)
    } catch (error) {
      // "Equal or smaller": it was there already, or somebody else is the hub. Looking at the log anew tells which.
      if (isServerError(error)) link.close(error)
    }
  }

  #arrived(number: number): void {
    while (this.#waiting[0] !== undefined && this.#waiting[0].number <= number) {
      this.#kept -= this.#waiting.shift()?.text.length ?? 0
    }
  }

  #remember(size: number): void {
    const now = this.#clock.monotonic()
    this.#written.push({ at: now, size })
    this.#writtenSize += size
    while (this.#written.length > 1 && this.#isLong(now)) this.#writtenSize -= this.#written.shift()?.size ?? 0
  }

  #isLong(now: number): boolean {
    const old = (this.#written[0]?.at ?? now) < now - LOGGED_FOR
    return this.#writtenSize > MOST_LOGGED || (old && this.#written.length > LEAST_FRAMES)
  }

  #length(): number {
    return this.#writtenSize > MOST_LOGGED / 2 ? this.#written.length : Math.max(LEAST_FRAMES, this.#written.length)
  }
}

/** The last frame in the log; zeros when there is none. */
export async function lastId(link: RedisLink, log: string): Promise<{ term: number; number: number }> {
  const [last] = readEntries(await link.send('XREVRANGE', log, '+', '-', 'COUNT', '1'))
  return readId(last?.id ?? '0-0')
}
