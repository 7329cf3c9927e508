import type { Calls } from '../domain/calls.ts'
import type { Source } from '../domain/presences.ts'
import { type Clock, SECOND, systemClock } from '../lib/clock.ts'
import { encodeRecords } from './codec.ts'
import type { Journal } from './journal.ts'
import type { RedisLink } from './link.ts'
import { readStreams } from './link.ts'
import type { EdgeMessage, HubMessage, Names } from './message.ts'
import type { Position } from './record.ts'
import { answerRequest, passLooks } from './remote-calls.ts'

interface DeskDeps {
  readonly names: Names
  readonly source: Source
  readonly calls: Calls
  readonly journal: Journal
  /** Whether this is surely the hub: else nothing is answered. */
  readonly isHub: () => boolean
  /** Milliseconds after which an edge that says nothing shows nobody any more. */
  readonly forgottenAfter: number
  readonly clock?: Clock
}

/** An edge as it was heard last. */
interface Edge {
  position: Position
  heardAt: number
}

/** How old a request may be that is still answered: whoever asked waits no longer. Milliseconds. */
const PATIENCE = 4 * SECOND
const BLOCK = 1 * SECOND
/** People in one slice. */
const SLICE = 500
/** Lists of whom there is to tell of that are kept at a time, for edges that synchronize. */
const MOST_LISTS = 16
/** How long a hide waits for edges to say that they have it. Milliseconds. */
const CONFIRMING = 1 * SECOND
/** Answers to an edge that are kept, and for how many seconds. */
const REPLIES = '64'
const REPLIES_FOR = '60'

/** Where edges ask their hub, and say how far they are. */
export class Desk {
  readonly #deps: DeskDeps
  readonly #clock: Clock
  readonly #edges = new Map<string, Edge>()
  readonly #lists = new Map<string, readonly string[]>()
  readonly #replies = new Map<string, HubMessage[]>()
  readonly #moved = new Set<() => void>()
  #count = 0
  #link: RedisLink | undefined
  #last: string | undefined

  constructor(deps: DeskDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
  }

  /** Edges that may show something. */
  get edges(): number {
    const since = this.#clock.monotonic() - this.#deps.forgottenAfter
    for (const [name, { heardAt }] of this.#edges) if (heardAt < since) this.#edges.delete(name)
    return this.#edges.size
  }

  /** Answers until the link is lost. */
  async serve(link: RedisLink): Promise<void> {
    const { requests } = this.#deps.names
    this.#link = link
    let last = this.#last ?? (await since(link))
    while (link.isOpen) {
      const answer = await link.read(BLOCK, 'XREAD', 'COUNT', '100', 'BLOCK', String(BLOCK), 'STREAMS', requests, last)
      for (const { id, text } of readStreams(answer).get(requests) ?? []) {
        last = id
        this.#last = id
        this.#hear(text)
      }
    }
  }

  /** Resolves with how many edges have not said in time that they show what this frame says. */
  async confirm(number: number): Promise<number> {
    const missing = () => [...this.#edges.values()].filter(({ position }) => !this.#isAt(position, number)).length
    if (this.edges === 0 || this.#link?.isOpen !== true) return this.edges
    const { promise, resolve } = Promise.withResolvers<void>()
    const look = () => {
      if (missing() === 0) resolve()
    }
    this.#moved.add(look)
    const cancel = this.#clock.after(CONFIRMING, resolve)
    look()
    await promise
    cancel()
    this.#moved.delete(look)
    return missing()
  }

  #isAt({ term, number }: Position, wanted: number): boolean {
    return term === this.#deps.journal.term && number >= wanted
  }

  #hear(text: string): void {
    const { edge, message } = readRequest(text)
    if (message === undefined) return
    const known = this.#edges.get(edge)
    const heardAt = this.#clock.monotonic()
    if (known === undefined) this.#edges.set(edge, { position: { term: 0, number: 0 }, heardAt })
    else known.heardAt = heardAt
    if (this.#deps.isHub()) this.#answer(edge, message)
  }

  #answer(edge: string, message: EdgeMessage): void {
    const { calls, journal } = this.#deps
    switch (message.kind) {
      case 'call':
        void answerRequest(calls, message.request).then(answer => {
          journal.flush()
          if (this.#deps.isHub()) this.#reply(edge, { kind: 'call', answer, after: placeOf(journal) })
        })
        break
      case 'looked':
        passLooks(calls, message.userIds)
        break
      case 'begin':
        this.#begin(edge, message.id)
        break
      case 'slice':
        this.#slice(edge, message)
        break
      case 'at':
        this.#edges.set(edge, { position: message.position, heardAt: this.#clock.monotonic() })
        for (const look of this.#moved) look()
        break
      case 'bye':
        this.#edges.delete(edge)
        for (const look of this.#moved) look()
    }
  }

  #begin(edge: string, id: number): void {
    const session = `${this.#deps.journal.term}-${++this.#count}`
    const people = [...this.#deps.source.ids()]
    this.#lists.set(session, people)
    const [oldest] = this.#lists.keys()
    if (this.#lists.size > MOST_LISTS && oldest !== undefined) this.#lists.delete(oldest)
    this.#reply(edge, { kind: 'begun', id, session, people: people.length })
  }

  #slice(edge: string, { id, session, from }: Extract<EdgeMessage, { kind: 'slice' }>): void {
    const people = this.#lists.get(session)
    if (people === undefined) {
      this.#reply(edge, { kind: 'unknown', id })
      return
    }
    const { records, term, number } = this.#deps.journal.slice(people.slice(from, from + SLICE))
    this.#reply(edge, { kind: 'slice', id, position: { term, number }, records: encodeRecords(records) })
  }

  /** What is said to one edge in one turn is one entry; a slice is large enough to be one alone. */
  #reply(edge: string, message: HubMessage): void {
    const waiting = this.#replies.get(edge)
    if (waiting !== undefined) {
      waiting.push(message)
      return
    }
    this.#replies.set(edge, [message])
    setImmediate(() => this.#flush(edge))
  }

  #flush(edge: string): void {
    const messages = this.#replies.get(edge)
    this.#replies.delete(edge)
    const link = this.#link
    if (messages === undefined || link?.isOpen !== true) return
    const name = this.#deps.names.replies(edge)
    // Whoever waits for an answer that gets lost asks again, or gives up.
    link.send('XADD', name, 'MAXLEN', '~', REPLIES, '*', 'r', JSON.stringify(messages)).catch(() => {})
    link.send('EXPIRE', name, REPLIES_FOR).catch(() => {})
  }
}

const placeOf = ({ term, number }: Journal): Position => ({ term, number })

/** From which request on there may be somebody who waits, after a start. */
async function since(link: RedisLink): Promise<string> {
  const answer = await link.send('TIME')
  const seconds = Array.isArray(answer) ? Number(answer[0]) : 0
  return `${Math.max(0, seconds * SECOND - PATIENCE)}-0`
}

function readRequest(text: string): { edge: string; message?: EdgeMessage } {
  try {
    const { edge, message } = JSON.parse(text) as { edge: string; message: EdgeMessage }
    return { edge, message }
  } catch {
    return { edge: '' }
  }
}
