import type { Interest } from '../domain/interest.ts'
import type { Presences } from '../domain/presences.ts'
import { IdSet } from '../lib/id-set.ts'
import type { Quota } from '../lib/quota.ts'
import { Awaited } from './awaited.ts'
import type { Follow, Unfollow } from './protocol.ts'
import { FOLLOWS_NOBODY, type Following, NO_OTHERS, type Socket } from './session.ts'
import { allTopic, manyTopic, oneTopic } from './topics.ts'

/** Bytes that a name takes: of who is shown (places in sets, here and in Bun), and of who is not, or is silenced. */
const SHOWN = 320
const UNKNOWN = 32

/** So many names of a socket are always within the bounds: who follows few is not kept out by those who follow many. */
const FREE = 50

/** Whether a socket is told of somebody. */
export function follows({ all, others, one, many }: Following, id: string): boolean {
  return all ? !others?.silenced?.has(id) : (many?.has(id) ?? false) || (one?.has(id) ?? false)
}

interface SubscriptionsDeps {
  readonly presences: Pick<Presences, 'has' | 'person'>
  /** Told whom somebody follows by name. */
  readonly interest: Pick<Interest, 'look'>
  /** Bytes that names may take, each address and together. */
  readonly names: Quota
  /** People one socket may follow by name, or silence. */
  readonly maxNamed: number
}

/** Keeps what each socket follows and its topics in step. */
export class Subscriptions {
  readonly #presences: Pick<Presences, 'has' | 'person'>
  readonly #interest: Pick<Interest, 'look'>
  readonly #names: Quota
  readonly #maxNamed: number
  readonly #awaited = new Awaited()
  readonly #exceptions = new Set<Socket>()
  #named = 0
  #everybody = 0

  constructor({ presences, interest, names, maxNamed }: SubscriptionsDeps) {
    this.#interest = interest
    this.#presences = presences
    this.#names = names
    this.#maxNamed = maxNamed
  }

  /** Sockets that follow everybody but some. A topic has no exceptions, so they are on none. */
  get exceptions(): ReadonlySet<Socket> {
    return this.#exceptions
  }

  /** People followed by name, over all sockets. */
  get named(): number {
    return this.#named
  }

  /** Sockets that follow everybody. */
  get everybody(): number {
    return this.#everybody
  }

  /** Follows what an op 2 names, on top of what was followed before. */
  follow(ws: Socket, follow: Follow): void {
    if (follow.kind === 'followAll') this.#followAll(ws)
    else if (ws.data.all) this.#unsilence(ws, idsOf(follow))
    else for (const id of idsOf(follow)) this.#name(ws, id, follow.kind === 'followOne')
  }

  unfollow(ws: Socket, unfollow: Unfollow): void {
    if (unfollow.kind === 'unfollowAll') this.#unfollowAll(ws)
    else if (ws.data.all) this.#silence(ws, unfollow.ids)
    else for (const id of unfollow.ids) this.#drop(ws, id)
  }

  /** Those of the ids the socket may follow: known ones always, new ones while it, its address and all have room. */
  accept({ data }: Socket, ids: readonly string[]): readonly string[] {
    if (data.all) return ids
    let count = namedBy(data)
    let room = this.#names.room(data.address)
    return ids.filter(id => {
      if (isNamed(data, id)) return true
      const bytes = this.#presences.has(id) ? SHOWN : UNKNOWN
      if (count >= this.#maxNamed || (count >= FREE && bytes > room)) return false
      count++
      room -= bytes
      return true
    })
  }

  /** Somebody is shown: who waited for them follows them from now on. */
  arrived(id: string): void {
    for (const ws of this.#awaited.take(id)) {
      const { others } = ws.data
      const alone = others?.awaitedOne?.delete(id) ?? false
      if (!alone) others?.awaitedMany?.delete(id)
      this.#named--
      this.#account(ws, -UNKNOWN)
      this.#name(ws, id, alone)
    }
  }

  /** Call when the socket has closed; Bun takes it off its topics. */
  forget(ws: Socket): void {
    const { data } = ws
    this.#named -= namedBy(data)
    if (data.all) this.#everybody--
    this.#exceptions.delete(ws)
    this.#awaited.forget(ws)
    this.#account(ws, -bytesOf(data))
    Object.assign(data, FOLLOWS_NOBODY)
  }

  #name(ws: Socket, id: string, alone: boolean): void {
    const { data } = ws
    if (isAmongMany(data, id) || (alone && isNamed(data, id))) return
    // Among many wins over alone: one message an update, with `user_id`.
    if (!alone && isAlone(data, id)) this.#drop(ws, id)
    const person = this.#presences.person(id)
    if (person === undefined) this.#await(ws, id, alone)
    else this.#subscribe(ws, person.id, alone)
  }

  /** `id` is the store's own text: each client's would be kept once more. */
  #subscribe(ws: Socket, id: string, alone: boolean): void {
    const { data } = ws
    const family = alone ? 'one' : 'many'
    data[family] ??= new Set()
    data[family].add(id)
    ws.subscribe(alone ? oneTopic(data, id) : manyTopic(data, id))
    this.#named++
    this.#account(ws, SHOWN)
    this.#interest.look(id)
  }

  #await(ws: Socket, id: string, alone: boolean): void {
    const { data } = ws
    const family = alone ? 'awaitedOne' : 'awaitedMany'
    data.others ??= { ...NO_OTHERS }
    data.others[family] ??= new IdSet()
    if (!data.others[family].add(id)) return
    this.#awaited.add(ws, id)
    this.#named++
    this.#account(ws, UNKNOWN)
  }

  #drop(ws: Socket, id: string): void {
    const { data } = ws
    if (data.one?.delete(id)) ws.unsubscribe(oneTopic(data, id))
    else if (data.many?.delete(id)) ws.unsubscribe(manyTopic(data, id))
    else if (data.others?.awaitedOne?.delete(id) || data.others?.awaitedMany?.delete(id)) {
      this.#awaited.delete(ws, id)
      this.#named--
      this.#account(ws, -UNKNOWN)
      return
    } else return
    this.#named--
    this.#account(ws, -SHOWN)
  }

  #dropNamed(ws: Socket): void {
    const { data } = ws
    for (const id of data.one ?? []) ws.unsubscribe(oneTopic(data, id))
    for (const id of data.many ?? []) ws.unsubscribe(manyTopic(data, id))
    this.#named -= namedBy(data)
    this.#awaited.forget(ws)
    this.#account(ws, -bytesOf(data))
    Object.assign(data, { ...FOLLOWS_NOBODY, all: data.all })
  }

  /** The topic of everybody makes topics of single people superfluous. */
  #followAll(ws: Socket): void {
    const { data } = ws
    if (data.all) {
      this.#unsilenceAll(ws)
      return
    }
    this.#dropNamed(ws)
    data.all = true
    this.#everybody++
    ws.subscribe(allTopic(data))
  }

  #unfollowAll(ws: Socket): void {
    const { data } = ws
    this.#dropNamed(ws)
    if (!data.all) return
    data.all = false
    this.#everybody--
    if (!this.#exceptions.delete(ws)) ws.unsubscribe(allTopic(data))
  }

  #silence(ws: Socket, ids: readonly string[]): void {
    const { data } = ws
    for (const id of ids) {
      const size = data.others?.silenced?.size ?? 0
      if (size >= this.#maxNamed || (size >= FREE && this.#names.room(data.address) < UNKNOWN)) break
      data.others ??= { ...NO_OTHERS }
      data.others.silenced ??= new IdSet()
      if (data.others.silenced.add(id)) this.#account(ws, UNKNOWN)
    }
    if (!data.others?.silenced?.size || this.#exceptions.has(ws)) return
    ws.unsubscribe(allTopic(data))
    this.#exceptions.add(ws)
  }

  #unsilence(ws: Socket, ids: readonly string[]): void {
    const silenced = ws.data.others?.silenced
    for (const id of ids) if (silenced?.delete(id)) this.#account(ws, -UNKNOWN)
    if (silenced?.size === 0) this.#unsilenceAll(ws)
  }

  #unsilenceAll(ws: Socket): void {
    this.#account(ws, -bytesOf(ws.data))
    ws.data.others = null
    if (this.#exceptions.delete(ws)) ws.subscribe(allTopic(ws.data))
  }

  #account({ data }: Socket, bytes: number): void {
    this.#names.add(data.address, bytes)
  }
}

/** Whom a `followOne` or `followMany` names. */
export function idsOf(follow: Exclude<Follow, { kind: 'followAll' }>): readonly string[] {
  if (follow.kind === 'followMany') return follow.ids
  return follow.id === null ? [] : [follow.id]
}

/** How many people a socket follows by name. */
export const namedBy = (data: Following) => shownBy(data) + awaitedBy(data)

const shownBy = ({ one, many }: Following) => (one?.size ?? 0) + (many?.size ?? 0)
const awaitedBy = ({ others }: Following) => (others?.awaitedOne?.size ?? 0) + (others?.awaitedMany?.size ?? 0)

/** What all names a socket has take. */
const bytesOf = (data: Following) =>
  SHOWN * shownBy(data) + UNKNOWN * (awaitedBy(data) + (data.others?.silenced?.size ?? 0))

const isAmongMany = ({ many, others }: Following, id: string) => many?.has(id) || others?.awaitedMany?.has(id)
const isAlone = ({ one, others }: Following, id: string) => one?.has(id) || others?.awaitedOne?.has(id)
const isNamed = (data: Following, id: string) => isAmongMany(data, id) || isAlone(data, id)
