import { isObject, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'

/**
 * Puts a batch of members into the store. `absent` says what a member without a presence in the batch is. Calls back for
 * each member taken in; answers how many could not be used.
 */
export function putMembers(
  presences: PresenceStore,
  guildId: string,
  batch: { members: readonly unknown[]; presences: unknown },
  absent: 'offline' | 'unknown',
  accept: (userId: string) => boolean = () => true,
): number {
  const told = indexPresences(batch.presences)
  let unusable = 0
  for (const member of batch.members) {
    const id = isObject(member) && isObject(member.user) ? member.user.id : undefined
    if (typeof id !== 'string' || !isObject(member)) unusable++
    else if (accept(id) && !presences.putMember(guildId, member, told.get(id) ?? absent)) unusable++
  }
  return unusable
}

function indexPresences(list: unknown): Map<string, JsonObject> {
  const byUser = new Map<string, JsonObject>()
  if (!Array.isArray(list)) return byUser
  for (const presence of list) {
    if (isObject(presence) && isObject(presence.user) && typeof presence.user.id === 'string')
      byUser.set(presence.user.id, presence)
  }
  return byUser
}

/** The progress of one complete member list, chunk by chunk (docs: Gateway Events, "Guild Members Chunk"). */
export interface MemberList {
  readonly nonce: string
  readonly askedAt: number
  /** Time of the last sign of life. */
  heardAt: number
  /** Whether a listed member may be taken in: one who left since the list was asked for may not. */
  accept(userId: string): boolean
  joined(userId: string): void
  left(userId: string): void
  /** Counts a chunk; true when it was the last one missing. */
  count(index: unknown, total: unknown): boolean
  /** Everybody who is a member, whether the chunks or an event told. */
  readonly seen: ReadonlySet<string>
  /** Whether the chunks named anybody at all. */
  readonly plausible: boolean
}

export function createMemberList(nonce: string, askedAt: number): MemberList {
  const seen = new Set<string>()
  const gone = new Set<string>()
  const chunks = new Set<number>()
  let plausible = false
  return {
    nonce,
    askedAt,
    heardAt: askedAt,
    seen,
    get plausible() {
      return plausible
    },
    accept(userId) {
      plausible = true
      if (gone.has(userId)) return false
      seen.add(userId)
      return true
    },
    joined(userId) {
      gone.delete(userId)
      seen.add(userId)
    },
    left(userId) {
      seen.delete(userId)
      gone.add(userId)
    },
    count(index, total) {
      if (!Number.isInteger(index) || !Number.isInteger(total)) return false
      const [at, of] = [index as number, total as number]
      if (at < 0 || at >= of) return false
      chunks.add(at)
      return chunks.size >= of
    },
  }
}
