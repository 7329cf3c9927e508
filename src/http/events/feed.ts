import type { PresenceStore, Snapshot } from '../../presence-store.ts'
import type { Sequence } from '../../sequence.ts'
import type { Bytes } from '../compression.ts'
import type { Stream } from './stream.ts'

/** What is told of one person, to everybody who follows them. Its bytes are made once, and shared. */
export interface Feed {
  readonly id: string
  readonly streams: Set<Stream>
  /** Notes that the person has changed. Returns the characters that wait. */
  note(): number
  /** The events noted since the last call; undefined when there are none. */
  take(): Bytes | undefined
  /** The person as they are now; undefined when they are not shown. */
  latest(): Bytes | undefined
}

/** One event: a whole presence. Its bytes are kept while it is the last one, for those who come or have fallen behind. */
interface Event {
  readonly snapshot: Snapshot
  readonly seq: number
  bytes: Bytes | null
}

export function createFeed(id: string, presences: PresenceStore, sequence: Sequence): Feed {
  let waiting: Event[] = []
  let characters = 0
  let last: Event | null = null

  function next(snapshot: Snapshot): Event {
    last = { snapshot, seq: sequence.next(), bytes: null }
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
      const [only, ...others] = waiting
      waiting = []
      characters = 0
      if (only === undefined || others.length === 0) return only && bytesOf(only)
      return encode([only, ...others].map(text).join(''))
    },
    latest() {
      const snapshot = presences.snapshot(id)
      if (snapshot === undefined) return undefined
      return bytesOf(last?.snapshot === snapshot ? last : next(snapshot))
    },
  }
}

/** A presence is JSON without line breaks, so one `data` line holds it. No name: `onmessage` hears those alone. */
const text = ({ seq, snapshot }: Event) => `id: ${seq}\ndata: ${snapshot.json}\n\n`

function bytesOf(event: Event): Bytes {
  event.bytes ??= encode(text(event))
  return event.bytes
}

const encoder = new TextEncoder()
const encode = (string: string) => encoder.encode(string)
