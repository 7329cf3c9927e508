import type { Follow, Unfollow } from './protocol.ts'
import type { Following, Socket } from './session.ts'
import { allTopic, manyTopic, oneTopic } from './topics.ts'

/** Keeps what each socket follows and its topics in step. */
export interface Subscriptions {
  /** Follows what an op 2 names, on top of what was followed before. */
  follow(ws: Socket, follow: Follow): void
  unfollow(ws: Socket, unfollow: Unfollow): void
  /** Those of the ids the socket may follow: known ones always, new ones up to the limit. */
  accept(ws: Socket, ids: readonly string[]): readonly string[]
  /** Call when the socket has closed; Bun takes it off its topics. */
  forget(ws: Socket): void
  /** Sockets that follow everybody but some. A topic has no exceptions, so they are on none. */
  readonly picky: ReadonlySet<Socket>
  /** People followed by name, over all sockets. */
  readonly named: number
  /** Sockets that follow everybody. */
  readonly everybody: number
}

export function createSubscriptions(maxNamed: number): Subscriptions {
  const picky = new Set<Socket>()
  let named = 0
  let everybody = 0

  function followOne(ws: Socket, id: string): void {
    const { data } = ws
    if (data.many?.has(id) || data.one?.has(id)) return
    data.one ??= new Set()
    data.one.add(id)
    named++
    ws.subscribe(oneTopic(data, id))
  }

  /** Among many wins over alone: one message an update, with `user_id`. */
  function followAmongMany(ws: Socket, id: string): void {
    const { data } = ws
    if (data.many?.has(id)) return
    dropOne(ws, id)
    data.many ??= new Set()
    data.many.add(id)
    named++
    ws.subscribe(manyTopic(data, id))
  }

  function dropOne(ws: Socket, id: string): void {
    if (!ws.data.one?.delete(id)) return
    named--
    ws.unsubscribe(oneTopic(ws.data, id))
  }

  function dropMany(ws: Socket, id: string): void {
    if (!ws.data.many?.delete(id)) return
    named--
    ws.unsubscribe(manyTopic(ws.data, id))
  }

  function dropNamed(ws: Socket): void {
    for (const id of ws.data.one ?? []) dropOne(ws, id)
    for (const id of ws.data.many ?? []) dropMany(ws, id)
    ws.data.one = null
    ws.data.many = null
  }

  /** The topic of everybody makes topics of single people superfluous. */
  function followAll(ws: Socket): void {
    const { data } = ws
    dropNamed(ws)
    if (data.all) {
      unsilence(ws, [...(data.silenced ?? [])])
    } else {
      data.all = true
      everybody++
      ws.subscribe(allTopic(data))
    }
  }

  function unfollowAll(ws: Socket): void {
    dropNamed(ws)
    if (!ws.data.all) return
    ws.data.all = false
    everybody--
    ws.data.silenced = null
    if (!picky.delete(ws)) ws.unsubscribe(allTopic(ws.data))
  }

  function silence(ws: Socket, ids: readonly string[]): void {
    const { data } = ws
    for (const id of ids) {
      data.silenced ??= new Set()
      if (data.silenced.size < maxNamed) data.silenced.add(id)
    }
    if (data.silenced === null || picky.has(ws)) return
    ws.unsubscribe(allTopic(data))
    picky.add(ws)
  }

  function unsilence(ws: Socket, ids: readonly string[]): void {
    const { data } = ws
    for (const id of ids) data.silenced?.delete(id)
    if (data.silenced?.size !== 0) return
    data.silenced = null
    picky.delete(ws)
    ws.subscribe(allTopic(data))
  }

  return {
    picky,
    get named() {
      return named
    },
    get everybody() {
      return everybody
    },
    follow(ws, follow) {
      if (follow.kind === 'followAll') return followAll(ws)
      const ids = follow.kind === 'followMany' ? follow.ids : follow.id === null ? [] : [follow.id]
      if (ws.data.all) return unsilence(ws, ids)
      const add = follow.kind === 'followMany' ? followAmongMany : followOne
      for (const id of ids) add(ws, id)
    },
    unfollow(ws, unfollow) {
      if (unfollow.kind === 'unfollowAll') return unfollowAll(ws)
      if (ws.data.all) return silence(ws, unfollow.ids)
      for (const id of unfollow.ids) {
        dropOne(ws, id)
        dropMany(ws, id)
      }
    },
    accept({ data }, ids) {
      if (data.all) return ids
      let free = maxNamed - namedBy(data)
      return ids.filter(id => data.many?.has(id) || data.one?.has(id) || free-- > 0)
    },
    forget(ws) {
      const { data } = ws
      named -= namedBy(data)
      if (data.all) everybody--
      picky.delete(ws)
      Object.assign(data, { all: false, one: null, many: null, silenced: null } satisfies Following)
    },
  }
}

const namedBy = ({ one, many }: Following) => (one?.size ?? 0) + (many?.size ?? 0)
