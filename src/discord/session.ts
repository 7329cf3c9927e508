import type { GatewaySession, SessionStore } from '../domain/checkpoint.ts'
import { isObject } from '../domain/presence.ts'

/** One shard's session, as the library asks for it. */
export interface ShardSession {
  /** The session with the shard's own line in place of its address. */
  forLibrary(): GatewaySession | null
  /** Where to resume; undefined when there is no session or its address is unusable. */
  address(): string | undefined
  /** What the library reports. It reports null after every connection that failed, so null is not believed. */
  update(info: GatewaySession | null): void
  /** The session's real address, from READY. */
  locate(resumeURL: unknown): void
  /** The session is over: Discord said so, or would not take it. */
  drop(): void
  /** Whether another process could go on from here. */
  setComplete(complete: boolean): void
}

export function createShardSession(shard: number, count: number, line: string, store?: SessionStore): ShardSession {
  let session = usable(store?.load(shard), shard, count)
  let address = session?.resumeURL
  let complete = session !== null
  if (session !== null) session = { ...session, resumeURL: line }

  function save(): void {
    if (store === undefined) return
    store.save(shard, session !== null && complete ? { ...session, resumeURL: address ?? '' } : null)
  }

  return {
    forLibrary: () => session,
    address: () => (session === null || !isGatewayAddress(address) ? undefined : address),
    update(info) {
      if (info === null || !Number.isSafeInteger(info.sequence)) return
      if (info.sessionId !== session?.sessionId) {
        complete = false
        address = undefined
      }
      session = { ...info, resumeURL: line }
      save()
    },
    locate(resumeURL) {
      address = isGatewayAddress(resumeURL) ? resumeURL : undefined
    },
    drop() {
      session = null
      save()
    },
    setComplete(now) {
      if (complete === now) return
      complete = now
      save()
    },
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
