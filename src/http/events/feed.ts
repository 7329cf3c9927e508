import type { PresenceStore, Snapshot } from '../../domain/presence-store.ts'
import type { Sequence } from '../../sequence.ts'
import type { Bytes } from '../compression.ts'
import type { Stream } from './stream.ts'

/** Text that is made into bytes when the first client takes it, and then shared. */
export type Shared = () => Bytes

/** What is told of one person, to everybody who follows them. */
export interface Feed {
  readonly id: string
  readonly streams: Set<Stream>
  /** Notes that the person has changed. Returns the characters that wait. */
  note(): number
  /** The events noted since the last call; undefined when there are none. */
  take(): Shared | undefined
  /** The person as they are now; undefined when they are not shown. */
  latest(): Shared | undefined
}

/** One event: a whole presence. Kept while it is the last one, for those who come or have fallen behind. */
interface Event {
  readonly snapshot: Snapshot
  readonly seq: number
  readonly bytes: Shared
}

export function createFeed(id: string, presences: PresenceStore, sequence: Sequence): Feed {
  let waiting: Event[] = []
  let characters = 0
  let last: Event | null = null

  function next(snapshot: Snapshot): Event {
    const seq = sequence.next()
    last = { snapshot, seq, bytes: shared(() => text(seq, snapshot)) }
    return last
  }

  return {
    id,
    streams: new Set(),
    note() {
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return characters
      waiting.push(next(snapshot))
      characters += snapshot.json.length
      return characters
    },
    take() {
      const events = waiting
      waiting = []
      characters = 0
      if (events.length < 2) return events[0]?.bytes
      return shared(() => events.map(({ seq, snapshot }) => text(seq, snapshot)).join(''))
    },
    latest() {
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return undefined
      return (last?.snapshot === snapshot ? last : next(snapshot)).bytes
    },
  }
}

/** A presence is JSON without line breaks, so one `data` line holds it. No name: `onmessage` hears those alone. */
const text = (seq: number, { json }: Snapshot) => `id: ${seq}\ndata: ${json}\n\n`

const encoder = new TextEncoder()

function shared(make: () => string): Shared {
  let bytes: Bytes | null = null
  return () => {
    bytes ??= encoder.encode(make())
    return bytes
  }
}
