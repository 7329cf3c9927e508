import { Connection, EVERYBODY, type Inflate, type Listener } from './connection.ts'
import type { Presence, State } from './presence.ts'

export interface FollowOptions {
  /** Address of the service: `https://presence.example`. Default: where this module came from. */
  readonly host?: string | undefined
  /** Called with a presence as it is now, and then with every change. */
  readonly onPresence?: (presence: Presence, id: string) => void
  /** Called whenever it stands differently with somebody; of everybody the id is `*`. */
  readonly onState?: (state: State, id: string) => void
  /** Ends it all when aborted. */
  readonly signal?: AbortSignal
  /** `zlib`: less data for a little more work. */
  readonly compression?: 'zlib' | undefined
}

/** Presences as they change: of each person the newest that has not been taken yet. */
export interface Following extends AsyncIterable<Presence> {
  close(): void
}

const connections = new Map<string, Connection>()

/**
 * Follows one person at the service whose address, with a slash at its end, is `home`. One socket is shared by all who
 * follow somebody there. Returns what ends it.
 */
export function subscribe(home: string, id: string, listener: Listener, inflate?: Inflate): () => void {
  const address = new URL(`socket${inflate ? '?compression=zlib_json' : ''}`, home).href.replace(/^http/, 'ws')
  // Everybody is too much to be kept for whoever comes later: that is a socket of its own.
  if (id === EVERYBODY) return new Connection(address, () => {}, inflate).add(id, listener)
  const connection = connections.get(address) ?? new Connection(address, () => connections.delete(address), inflate)
  connections.set(address, connection)
  return connection.add(id, listener)
}

/** Follows one person by their id, several, or everybody with `all`, at a service that is named. */
export function followAt(home: string, target: string | readonly string[], options: FollowOptions): Following {
  const { onPresence, onState, signal, compression } = options
  const unread = new Map<string, Presence>()
  const states = new Map<string, State>()
  let closed = false
  let wake = () => {}

  function listen(state: State, follower: string, presence?: Presence, id = follower): void {
    if (closed) return
    if (states.get(follower) !== state) {
      states.set(follower, state)
      onState?.(state, follower)
    }
    if (presence === undefined) return
    onPresence?.(presence, id)
    unread.delete(id)
    unread.set(id, presence)
    wake()
  }

  function close(): void {
    closed = true
    signal?.removeEventListener('abort', close)
    for (const end of ends) end()
    unread.clear()
    wake()
  }

  async function* read(): AsyncGenerator<Presence> {
    try {
      while (!closed) {
        for (const [id, presence] of unread) {
          unread.delete(id)
          yield presence
        }
        if (unread.size > 0 || closed) continue
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
    } finally {
      close()
    }
  }

  const ids = signal?.aborted ? [] : idsOf(target)
  for (const id of ids) listen('connecting', id)
  const ends = ids.map(follower =>
    subscribe(
      home,
      follower,
      (state, presence, id) => listen(state, follower, presence, id),
      compression && inflateZlib,
    ),
  )
  signal?.addEventListener('abort', close)
  if (signal?.aborted) close()
  return { close, [Symbol.asyncIterator]: read }
}

function idsOf(target: string | readonly string[]): string[] {
  if (target === 'all') return [EVERYBODY]
  return typeof target === 'string' ? [target] : [...new Set(target)]
}

async function inflateZlib(data: ArrayBuffer): Promise<string> {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream('deflate'))
  return new Response(stream).text()
}
