import { numberIn } from './numbered.ts'

/** A client that follows everybody, for ever: it connects again whenever it is closed. */
export interface Follower {
  /** Frames with a change that were received. */
  readonly changes: number
  readonly connections: number
  /** What must not happen on a connection: a number that falls, or that skips one. */
  readonly violations: readonly string[]
  /** Whether numbers may be skipped: a new gateway session tells only how things are now. */
  mayMiss: boolean
  /** Resolves with the next INIT_STATE: by how many changes each person is older in it than before, where they are. */
  begins(): Promise<number[]>
  /** Resolves once this person has been seen with this number. */
  sees(id: string, number: number): Promise<void>
  stop(): void
}

/** Milliseconds between attempts to connect. */
const PAUSE = 5

interface Message {
  readonly t?: string
  readonly d: Record<string, unknown> & { user_id?: string }
}

/** `heartbeat`: milliseconds between heartbeats. */
export function follow(url: string, heartbeat = 30_000): Follower {
  /** The last number of everybody, over all connections. */
  const latest = new Map<string, number>()
  const violations: string[] = []
  let changes = 0
  let connections = 0
  let stopped = false
  let mayMiss = false
  let socket: WebSocket | undefined
  let beginning = Promise.withResolvers<number[]>()
  let awaited: { id: string; number: number; resolve: () => void } | undefined

  function note(id: string, number: number): void {
    latest.set(id, number)
    if (awaited !== undefined && awaited.id === id && number >= awaited.number) awaited.resolve()
  }

  function begin(state: Message['d']): void {
    connections++
    const setbacks: number[] = []
    for (const [id, presence] of Object.entries(state)) {
      const number = numberIn(JSON.stringify(presence))
      const before = latest.get(id) ?? number
      if (number < before) setbacks.push(before - number)
      note(id, number)
    }
    beginning.resolve(setbacks)
    beginning = Promise.withResolvers()
  }

  function update(d: Message['d']): void {
    changes++
    const id = d.user_id ?? ''
    const number = numberIn(JSON.stringify(d))
    const before = latest.get(id)
    const next = before === undefined || number === before || number === before + 1 || (mayMiss && number > before)
    if (!next) {
      violations.push(`${id} went from ${before} to ${number} on connection ${connections}`)
    }
    note(id, number)
  }

  function receive(text: string): void {
    const { t, d } = JSON.parse(text) as Message
    if (t === 'INIT_STATE') begin(d)
    if (t === 'PRESENCE_UPDATE') update(d)
  }

  function connect(): void {
    if (stopped) return
    socket = new WebSocket(`${url.replace(/^http/, 'ws')}/socket`)
    socket.onopen = ({ target }) => (target as WebSocket).send('{"op":2,"d":{"subscribe_to_all":true}}')
    socket.onmessage = ({ data }) => receive(data)
    socket.onclose = () => void setTimeout(connect, PAUSE)
  }

  const beating = setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN) socket.send('{"op":3}')
  }, heartbeat)
  connect()
  return {
    get mayMiss() {
      return mayMiss
    },
    set mayMiss(may) {
      mayMiss = may
    },
    get changes() {
      return changes
    },
    get connections() {
      return connections
    },
    violations,
    begins: () => beginning.promise,
    sees(id, number) {
      if ((latest.get(id) ?? -1) >= number) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      awaited = { id, number, resolve }
      return promise
    },
    stop() {
      stopped = true
      clearInterval(beating)
      socket?.close()
    },
  }
}
