import { isObject, isSnowflake, type JsonObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import type { Presences } from '../domain/presences.ts'
import type { Log } from '../lib/log.ts'

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
    const id = readUserId(member)
    if (id === undefined) unusable++
    else if (accept(id) && !presences.putMember(guildId, member as JsonObject, told.get(id) ?? absent)) unusable++
  }
  return unusable
}

/** Whom a member or a presence is about; undefined for what cannot be used. */
export function readUserId(value: unknown): string | undefined {
  const id = isObject(value) && isObject(value.user) ? value.user.id : undefined
  return isSnowflake(id) ? id : undefined
}

/** Presences by whom they are about. */
export function indexPresences(list: unknown): Map<string, JsonObject> {
  const byUser = new Map<string, JsonObject>()
  if (!Array.isArray(list)) return byUser
  for (const presence of list) {
    const id = readUserId(presence)
    if (id !== undefined) byUser.set(id, presence)
  }
  return byUser
}

/** The progress of one complete member list, chunk by chunk (docs: Gateway Events, "Guild Members Chunk"). */
export class MemberList {
  readonly nonce: string
  readonly askedAt: number
  /** Time of the last sign of life. */
  heardAt: number
  /** Everybody who is a member, whether the chunks or an event told. */
  readonly seen = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #chunks = new Set<number>()
  #plausible = false

  constructor(nonce: string, askedAt: number) {
    this.nonce = nonce
    this.askedAt = askedAt
    this.heardAt = askedAt
  }

  /** Whether the chunks named anybody at all. */
  get plausible(): boolean {
    return this.#plausible
  }

  /** Whether a listed member may be taken in: one who left since the list was asked for may not. */
  accept(userId: string): boolean {
    this.#plausible = true
    if (this.#gone.has(userId)) return false
    this.seen.add(userId)
    return true
  }

  joined(userId: string): void {
    this.#gone.delete(userId)
    this.seen.add(userId)
  }

  left(userId: string): void {
    this.seen.delete(userId)
    this.#gone.add(userId)
  }

  /** Counts a chunk; true when it was the last one missing. */
  count(index: unknown, total: unknown): boolean {
    if (!Number.isInteger(index) || !Number.isInteger(total)) return false
    const [at, of] = [index as number, total as number]
    if (at < 0 || at >= of) return false
    this.#chunks.add(at)
    return this.#chunks.size >= of
  }
}

/** Says that the bot has come into a server, and how many people are shown because of it. */
export function logJoined(log: Log, presences: Presences, guildId: string, name: string): void {
  let shown = 0
  for (const id of presences.ids()) {
    const person = presences.person(id)
    const isThere = person?.memberships.some(membership => membership.guildId === guildId) ?? false
    // Bots, this one among them, are no people.
    if (isThere && (JSON.parse(person?.user ?? '{}') as JsonObject).bot !== true) shown++
  }
  log.info(`joined ${JSON.stringify(name)}: ${shown} ${shown === 1 ? 'person' : 'people'} shown`, { guildId })
}
