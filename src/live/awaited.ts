import { hashId } from '../lib/id-set.ts'
import type { Socket } from './session.ts'

/** Which sockets wait for somebody: found by a part of the id's hash, because a place for every id would cost too much. */
export class Awaited {
  /** A socket is in a list once for each id it waits for there. */
  readonly #buckets = new Map<number, Socket[]>()

  add(ws: Socket, id: string): void {
    const bucket = bucketOf(hashId(id))
    const sockets = this.#buckets.get(bucket)
    if (sockets === undefined) this.#buckets.set(bucket, [ws])
    else sockets.push(ws)
  }

  delete(ws: Socket, id: string): void {
    this.#remove(ws, bucketOf(hashId(id)))
  }

  /** Those who wait for this person, and from now on do not. */
  take(id: string): readonly Socket[] {
    if (this.#buckets.size === 0) return []
    const bucket = bucketOf(hashId(id))
    const sockets = this.#buckets.get(bucket) ?? []
    const found = new Set(
      sockets.filter(({ data: { others } }) => others?.awaitedOne?.has(id) || others?.awaitedMany?.has(id)),
    )
    for (const ws of found) this.#remove(ws, bucket)
    return [...found]
  }

  forget(ws: Socket): void {
    for (const set of [ws.data.others?.awaitedOne, ws.data.others?.awaitedMany]) {
      for (const hash of set?.hashes() ?? []) this.#remove(ws, bucketOf(hash))
    }
  }

  #remove(ws: Socket, bucket: number): void {
    const sockets = this.#buckets.get(bucket)
    const at = sockets?.indexOf(ws) ?? -1
    if (sockets === undefined || at === -1) return
    const last = sockets.pop()
    if (last !== undefined && at < sockets.length) sockets[at] = last
    if (sockets.length === 0) this.#buckets.delete(bucket)
  }
}

/** 65,536 lists: of two million names each has thirty. */
const bucketOf = (hash = 0) => hash & 0xffff
