import type { GatewaySession, SessionStore } from '../domain/checkpoint.ts'
import { isObject } from '../domain/presence.ts'

export class ShardSession {
  #session: GatewaySession | null
  #address: string | undefined
  #complete: boolean
  readonly #shard: number
  readonly #line: string
  readonly #store: SessionStore | undefined

  constructor(shard: number, count: number, line: string, store?: SessionStore) {
    this.#shard = shard
    this.#line = line
    this.#store = store
    this.#session = usable(store?.load(shard), shard, count)
    this.#address = this.#session?.resumeURL
    this.#complete = this.#session !== null
    if (this.#session !== null) this.#session = { ...this.#session, resumeURL: line }
  }

  /** The session with the shard's own line in place of its address. */
  forLibrary(): GatewaySession | null {
    return this.#session
  }

  /** Where to resume; undefined when there is no session or its address is unusable. */
  address(): string | undefined {
    return this.#session === null || !isGatewayAddress(this.#address) ? undefined : this.#address
  }

  /** What the library reports. It reports null after every connection that failed, so null is not believed. */
  update(info: GatewaySession | null): void {
    if (info === null || !Number.isSafeInteger(info.sequence)) return
    if (info.sessionId !== this.#session?.sessionId) {
      this.#complete = false
      this.#address = undefined
    }
    this.#session = { ...info, resumeURL: this.#line }
    this.#save()
  }

  /** The session's real address, from READY. */
  locate(resumeURL: unknown): void {
    this.#address = isGatewayAddress(resumeURL) ? resumeURL : undefined
  }

  /** The session is over: Discord said so, or would not take it. */
  drop(): void {
    this.#session = null
    this.#save()
  }

  /** Whether another process could go on from here. */
  setComplete(complete: boolean): void {
    if (this.#complete === complete) return
    this.#complete = complete
    this.#save()
  }

  #save(): void {
    if (this.#store === undefined) return
    this.#store.save(
      this.#shard,
      this.#session !== null && this.#complete ? { ...this.#session, resumeURL: this.#address ?? '' } : null,
    )
  }
}

/** Stored sessions come from a file, and may be of another sharding. */
function usable(info: unknown, shard: number, count: number): GatewaySession | null {
  if (!isObject(info) || info.shardCount !== count) return null
  const { sessionId, sequence } = info
  if (typeof sessionId !== 'string' || sessionId === '' || !Number.isSafeInteger(sequence)) return null
  const resumeURL = isGatewayAddress(info.resumeURL) ? info.resumeURL : ''
  return { resumeURL, sessionId, sequence: sequence as number, shardId: shard, shardCount: count }
}

export function isGatewayAddress(value: unknown): value is string {
  return typeof value === 'string' && /^wss?:\/\/[^\s?#]+$/.test(value) && URL.canParse(value)
}
