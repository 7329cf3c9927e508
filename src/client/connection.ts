import type { Presence, State } from './presence.ts'

/** Hears how it stands with somebody. With `live` there is a presence, and its id. */
export type Listener = (state: State, presence?: Presence, id?: string) => void

/** Milliseconds until the first new attempt after a loss, at most twice as long after each that failed. */
const FIRST_WAIT = 1000
const LONGEST_WAIT = 60_000
/** Milliseconds an answer may take, and a connection's first word. */
const PATIENCE = 10_000
/** The same while somebody has just come back to look. */
const HURRY = 2000
/** The same for the first answer about everybody, which may be large. */
const LONG_PATIENCE = 120_000
/** Between two questions, unless the server wants to hear of its clients more often. */
const LONGEST_BEAT = 30_000
/** A timer that is so much too late was held up: the page slept. */
const HELD_UP = 1000
/** Ids in one message: the server takes 64 KiB. */
const AT_ONCE = 1000

/** What of a browser's page matters; elsewhere there is none. */
interface Page {
  addEventListener?(type: string, run: Wake): void
  removeEventListener?(type: string, run: Wake): void
  readonly document?: Page & { readonly hidden: boolean }
}
const page: Page = globalThis
/** `persisted`: the page was kept while another was shown. A page that is new has nothing to doubt. */
type Wake = (event: { readonly persisted?: boolean }) => void

interface Message {
  readonly op: number
  readonly t?: string
  readonly d: Record<string, unknown>
}

/** What makes text of a compressed message. */
export type Inflate = (data: ArrayBuffer) => Promise<string>

/** Whom a connection is for that follows everybody: it has no other followers. */
export const EVERYBODY = '*'

/**
 * One socket for all who follow people at one address. It notices by itself when it is dead without an end: nothing comes
 * unasked from a server where nothing happens, so it asks for nobody from time to time, which is answered.
 */
export class Connection {
  readonly #address: string
  readonly #inflate: Inflate | undefined
  readonly #forget: () => void
  readonly #followers = new Map<string, Set<Listener>>()
  /** Ids the server has been asked for, those asked for in each message it has yet to answer, and what it said. */
  readonly #asked = new Set<string>()
  #pending: (readonly string[])[] = []
  readonly #known = new Map<string, Presence | undefined>()
  #socket: WebSocket | undefined
  #beat: ReturnType<typeof setInterval> | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #deadline: ReturnType<typeof setTimeout> | undefined
  #due = 0
  #syncing = false
  #hurried = false
  #wait = FIRST_WAIT
  /** Compressed messages are read one after the other. */
  #inbox: Promise<unknown> = Promise.resolve()

  /** `forget` is called when nobody follows anybody here any more. `inflate`: messages come compressed. */
  constructor(address: string, forget: () => void, inflate?: Inflate) {
    this.#address = address
    this.#inflate = inflate
    this.#forget = forget
    for (const type of WAKING) page.addEventListener?.(type, this.#wake)
    page.document?.addEventListener?.('visibilitychange', this.#wake)
    this.#open()
  }

  /** Begins to follow somebody. Returns what ends it. */
  add(id: string, listener: Listener): () => void {
    const listeners = this.#followers.get(id) ?? new Set()
    this.#followers.set(id, listeners.add(listener))
    for (const [known, presence] of this.#known) {
      if (known === id || id === EVERYBODY) listener(presence ? 'live' : 'unknown', presence, known)
    }
    this.#syncSoon()
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0 || this.#followers.get(id) !== listeners) return
      this.#followers.delete(id)
      this.#syncSoon()
    }
  }

  #open(): void {
    clearTimeout(this.#retry)
    const socket = this.#attempt()
    if (socket === undefined) {
      this.#lose()
      return
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    this.#expect(PATIENCE)
    socket.onopen = () => this.#sync()
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(socket, data)
    socket.onclose = () => socket === this.#socket && this.#lose()
  }

  /** A page with HTTPS may not even try to connect without. */
  #attempt(): WebSocket | undefined {
    try {
      return new WebSocket(this.#address)
    } catch {
      return undefined
    }
  }

  #close(): void {
    clearTimeout(this.#retry)
    clearTimeout(this.#deadline)
    clearInterval(this.#beat)
    this.#deadline = undefined
    this.#asked.clear()
    this.#known.clear()
    this.#pending = []
    const old = this.#socket
    this.#socket = undefined
    old?.close()
  }

  #lose(): void {
    this.#close()
    for (const id of this.#followers.keys()) this.#notify(id, 'lost')
    // Whoever has come back to look does not wait. Else a random part keeps all the pages in the world from coming at once.
    const wait = this.#hurried ? 0 : this.#wait / 2 + Math.random() * this.#wait
    this.#hurried = false
    this.#retry = setTimeout(() => this.#open(), wait)
    this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT)
  }

  #receive(socket: WebSocket, data: unknown): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
    this.#hurried = false
    if (typeof data === 'string') this.#understand(socket, data)
    else {
      this.#inbox = this.#inbox
        .then(() => this.#inflate?.(data as ArrayBuffer))
        .then(text => this.#understand(socket, text ?? ''))
        .catch(() => this.#understand(socket, ''))
    }
  }

  /** Whoever says what is no message is no service that one could go on with. */
  #understand(socket: WebSocket, text: string): void {
    if (socket !== this.#socket) return
    try {
      this.#read(JSON.parse(text))
    } catch {
      this.#lose()
    }
  }

  #read({ op, t, d }: Message): void {
    if (op === 1) {
      clearInterval(this.#beat)
      this.#beat = setInterval(
        () => this.#ask([]),
        Math.min(Number(d.heartbeat_interval) || LONGEST_BEAT, LONGEST_BEAT),
      )
    }
    if (t === 'INIT_STATE') this.#initialize(this.#pending.shift() ?? [], d as Record<string, Presence>)
    if (t === 'PRESENCE_UPDATE') this.#update(String(d.user_id), d as unknown as Presence)
    if (this.#pending.length > 0) this.#expect(this.#patience())
  }

  #initialize(ids: readonly string[], presences: Readonly<Record<string, Presence>>): void {
    this.#wait = FIRST_WAIT
    if (ids.includes(EVERYBODY)) this.#notify(EVERYBODY, 'live')
    for (const id of ids.includes(EVERYBODY) ? Object.keys(presences) : ids) {
      this.#update(id, Object.hasOwn(presences, id) ? presences[id] : undefined)
    }
  }

  #update(id: string, presence: Presence | undefined): void {
    this.#notify(EVERYBODY, 'live', presence, id)
    if (!this.#followers.has(id)) return
    this.#known.set(id, presence)
    this.#notify(id, presence ? 'live' : 'unknown', presence, id)
  }

  #notify(follower: string, state: State, presence?: Presence, id = follower): void {
    for (const listener of this.#followers.get(follower) ?? []) {
      try {
        listener(state, presence, id)
      } catch (error) {
        // Somebody's mistake is for them to see, and keeps nothing from the others.
        Promise.reject(error)
      }
    }
  }

  #send(op: number, d: object): void {
    this.#socket?.send(JSON.stringify({ op, d }))
  }

  /** Asks how people are. Of nobody is a question, too: whether somebody is still there. */
  #ask(ids: readonly string[], patience = this.#patience()): void {
    this.#pending.push(ids)
    this.#send(2, ids.includes(EVERYBODY) ? { subscribe_to_all: true } : { subscribe_to_ids: ids })
    this.#expect(patience)
  }

  #patience = () => (this.#pending.some(ids => ids.includes(EVERYBODY)) ? LONG_PATIENCE : PATIENCE)

  /** Something has to come within so many milliseconds, or the connection is dead. */
  #expect(patience: number): void {
    const due = Date.now() + patience
    if (this.#deadline !== undefined && this.#due <= due) return
    clearTimeout(this.#deadline)
    this.#due = due
    this.#deadline = setTimeout(() => {
      this.#deadline = undefined
      // What has arrived meanwhile is read first.
      if (Date.now() - due < HELD_UP) this.#lose()
      else this.#deadline = setTimeout(() => this.#lose(), HURRY)
    }, patience)
  }

  /** Somebody looks again, or the network is back: whatever the socket believes, it may lead nowhere. */
  #wake: Wake = ({ persisted }) => {
    if (page.document?.hidden || persisted === false) return
    this.#wait = FIRST_WAIT
    if (this.#socket === undefined) return this.#open()
    this.#hurried = true
    if (this.#socket.readyState === WebSocket.OPEN) this.#ask([], HURRY)
    else this.#expect(HURRY)
  }

  /** Late, so that many calls become one message. */
  #syncSoon(): void {
    if (!this.#syncing) setTimeout(() => this.#sync())
    this.#syncing = true
  }

  /** Asks for whom somebody follows and ends what nobody follows any more. */
  #sync(): void {
    this.#syncing = false
    if (this.#followers.size === 0) this.#end()
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    const gone = [...this.#asked].filter(id => !this.#followers.has(id))
    const fresh = [...this.#followers.keys()].filter(id => !this.#asked.has(id))
    for (const id of gone) {
      this.#asked.delete(id)
      this.#known.delete(id)
    }
    for (const id of fresh) this.#asked.add(id)
    while (gone.length > 0) this.#send(4, { unsubscribe_from_ids: gone.splice(0, AT_ONCE) })
    while (fresh.length > 0) this.#ask(fresh.splice(0, AT_ONCE))
  }

  #end(): void {
    this.#close()
    for (const type of WAKING) page.removeEventListener?.(type, this.#wake)
    page.document?.removeEventListener?.('visibilitychange', this.#wake)
    this.#forget()
  }
}

const WAKING = ['online', 'pageshow']
