import { isOutdated, type Membership, readToldAt, withToldAt } from './membership.ts'
import {
  applyPresence,
  buildPresence,
  isObject,
  type JsonObject,
  mergeUser,
  OFFLINE,
  type PresenceState,
  readUser,
  samePresence,
} from './presence.ts'

/** One person's presence as wire text. A new object after every change, so it can key caches of derived bytes. */
export interface Snapshot {
  readonly id: string
  /** JSON text of the presence. */
  readonly json: string
}

/** What a listener is told, after the change is in the store. Hidden people's changes are told to nobody. */
export interface Change {
  readonly id: string
  readonly kind: 'joined' | 'changed' | 'left'
}

export type { Membership } from './membership.ts'

/** Everything known of a monitored person. Read-only for everybody but the store. */
export interface Person {
  readonly id: string
  /** JSON text of the user object. */
  readonly user: string
  readonly presence: PresenceState
  /** The guilds shared with the bot, longest known first. Never empty. */
  readonly memberships: readonly Membership[]
}

/**
 * The one mutable state that matters: who is monitored and what is shown of them. Every mutation is synchronous, and
 * listeners hear of it before it returns. Gateway objects come in raw; what cannot be used is refused by returning
 * false, never by throwing.
 */
export interface PresenceStore {
  /** People who are monitored and not hidden. */
  readonly size: number
  /** A member with the full user object: joins, or replaces what was known of the user. False without a usable id. */
  putMember(guildId: string, member: JsonObject, presence?: JsonObject | null): boolean
  /** A PRESENCE_UPDATE. False when its user is not monitored or it has no usable id. */
  patchPresence(update: JsonObject): boolean
  removeMember(guildId: string, userId: string): void
  removeGuild(guildId: string): void
  /** Removes the guild's members that are not among the given: who left while nobody watched. */
  retainMembers(guildId: string, userIds: ReadonlySet<string>): void
  /** Replaces a person's pairs, monitored or not. Always a change to listeners: a write is shown even when it changes nothing. */
  setKv(userId: string, pairs: ReadonlyMap<string, string>): void
  kv(userId: string): ReadonlyMap<string, string>
  /** Takes a person out of every answer, or puts them back. They stay members all the same. */
  setHidden(userId: string, hidden: boolean): void
  isHidden(userId: string): boolean
  /** Whether the person shares a guild with the bot, hidden or not. */
  isMember(userId: string): boolean
  has(userId: string): boolean
  person(userId: string): Person | undefined
  /** The wire text, built at most once per change and only when asked for. Undefined when not monitored or hidden. */
  snapshot(userId: string): Snapshot | undefined
  /** Guilds that have members here. */
  guildIds(): IterableIterator<string>
  /** Ids of everybody monitored and not hidden. */
  ids(): IterableIterator<string>
  onChange(listener: (change: Change) => void): () => void
  /** Puts back a person as they were saved, telling nobody. Somebody already known stays as they are. */
  restore(person: Person): void
  /**
   * Ids of everybody whose person changed, joined or left since the last call, hidden ones included: what a saver has
   * to write. With each the person as they are now, undefined for who left.
   */
  takeTouched(): Map<string, Person | undefined>
}

interface Entry extends Person {
  user: string
  presence: PresenceState
  memberships: readonly Membership[]
  snapshot: Snapshot | null
}

const NO_PAIRS: ReadonlyMap<string, string> = new Map()

export function createPresenceStore(): PresenceStore {
  const entries = new Map<string, Entry>()
  const members = new Map<string, Set<string>>()
  const kv = new Map<string, ReadonlyMap<string, string>>()
  const hidden = new Set<string>()
  const listeners = new Set<(change: Change) => void>()
  const touched = new Set<string>()
  let hiddenMembers = 0

  function tell(id: string, kind: Change['kind']): void {
    if (hidden.has(id)) return
    for (const listener of listeners) listener({ id, kind })
  }

  function visible(id: string): Entry | undefined {
    return hiddenMembers > 0 && hidden.has(id) ? undefined : entries.get(id)
  }

  function changed(entry: Entry): void {
    entry.snapshot = null
    tell(entry.id, 'changed')
  }

  function join(guildId: string, id: string, member: JsonObject, user: string, presence: PresenceState): void {
    entries.set(id, {
      id,
      user,
      presence,
      memberships: [{ guildId, nick: readNick(member) }],
      snapshot: null,
    })
    if (hidden.has(id)) hiddenMembers++
    touched.add(id)
    tell(id, 'joined')
  }

  function update(entry: Entry, user: string, presence: PresenceState): void {
    if (entry.user === user && samePresence(entry.presence, presence)) return
    entry.user = user
    entry.presence = presence
    touched.add(entry.id)
    changed(entry)
  }

  /** Whether a guild tells something older than another one has told; if not, notes when it was made. */
  function outdated(entry: Entry, guildId: unknown, presence: JsonObject): boolean {
    if (entry.memberships.length === 1 || typeof guildId !== 'string') return false
    const toldAt = readToldAt(presence)
    if (isOutdated(entry.memberships, guildId, toldAt)) return true
    entry.memberships = withToldAt(entry.memberships, guildId, toldAt)
    return false
  }

  /** A list names everybody with what they show: null is offline, undefined is nothing known. */
  function listed(entry: Entry, guildId: string, presence: JsonObject | null | undefined): PresenceState {
    if (presence === null) return OFFLINE
    if (presence === undefined || outdated(entry, guildId, presence)) return entry.presence
    return applyPresence(entry.presence, presence)
  }

  function setMembership(entry: Entry, guildId: string, nick: string | null): void {
    const at = entry.memberships.findIndex(membership => membership.guildId === guildId)
    if (at === -1) setMemberships(entry, [...entry.memberships, { guildId, nick }])
    else if (entry.memberships[at]?.nick !== nick)
      setMemberships(entry, entry.memberships.with(at, { ...entry.memberships[at], guildId, nick }))
  }

  /** Memberships are no part of the wire text, but what is derived from a snapshot may show a nickname. */
  function setMemberships(entry: Entry, memberships: readonly Membership[]): void {
    entry.memberships = memberships
    entry.snapshot = null
    touched.add(entry.id)
  }

  const pairs = (id: string) => kv.get(id) ?? NO_PAIRS

  function removeMember(guildId: string, id: string): void {
    if (members.get(guildId)?.delete(id)) leave(guildId, id)
  }

  function leave(guildId: string, id: string): void {
    const entry = entries.get(id)
    if (entry === undefined) return
    const rest = entry.memberships.filter(membership => membership.guildId !== guildId)
    if (rest.length > 0) {
      setMemberships(entry, rest)
      return
    }
    entries.delete(id)
    if (hidden.has(id)) hiddenMembers--
    touched.add(id)
    tell(id, 'left')
  }

  return {
    get size() {
      return entries.size - hiddenMembers
    },

    putMember(guildId, member, presence) {
      const user = readUser(member.user)
      if (user === null) return false
      const id = (member.user as { id: string }).id
      guildMembers(members, guildId).add(id)
      const entry = entries.get(id)
      if (entry === undefined) {
        join(guildId, id, member, user, applyPresence(OFFLINE, presence ?? {}))
        return true
      }
      setMembership(entry, guildId, readNick(member))
      update(entry, user, listed(entry, guildId, presence))
      return true
    },

    patchPresence(presence) {
      const { user } = presence
      if (!isObject(user)) return false
      const entry = entries.get(user.id as string)
      if (entry === undefined) return false
      if (outdated(entry, presence.guild_id, presence)) return true
      const merged = Object.keys(user).length > 1 ? mergeUser(entry.user, user) : entry.user
      update(entry, merged, applyPresence(entry.presence, presence))
      return true
    },

    removeMember,

    removeGuild(guildId) {
      const guild = members.get(guildId) ?? []
      members.delete(guildId)
      for (const id of guild) leave(guildId, id)
    },

    retainMembers(guildId, userIds) {
      for (const id of members.get(guildId) ?? []) if (!userIds.has(id)) removeMember(guildId, id)
    },

    setKv(userId, next) {
      if (next.size === 0) kv.delete(userId)
      else kv.set(userId, next)
      const entry = entries.get(userId)
      if (entry !== undefined) changed(entry)
    },

    kv: pairs,

    setHidden(userId, hide) {
      if (hidden.has(userId) === hide) return
      const monitored = entries.has(userId)
      if (hide) {
        if (monitored) tell(userId, 'left')
        hidden.add(userId)
      } else hidden.delete(userId)
      if (!monitored) return
      hiddenMembers += hide ? 1 : -1
      if (!hide) tell(userId, 'joined')
    },

    isHidden: userId => hidden.has(userId),
    isMember: userId => entries.has(userId),
    has: userId => visible(userId) !== undefined,
    person: visible,

    snapshot(userId) {
      const entry = visible(userId)
      if (entry === undefined) return undefined
      entry.snapshot ??= { id: userId, json: buildPresence({ ...entry, kv: pairs(userId) }) }
      return entry.snapshot
    },

    guildIds: () => members.keys(),

    *ids() {
      for (const id of entries.keys()) if (!hidden.has(id)) yield id
    },

    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    restore(person) {
      if (entries.has(person.id) || person.memberships.length === 0) return
      for (const { guildId } of person.memberships) guildMembers(members, guildId).add(person.id)
      entries.set(person.id, { ...person, snapshot: null })
      if (hidden.has(person.id)) hiddenMembers++
    },

    takeTouched() {
      const taken = new Map(Array.from(touched, id => [id, entries.get(id)] as const))
      touched.clear()
      return taken
    },
  }
}

function guildMembers(members: Map<string, Set<string>>, guildId: string): Set<string> {
  const known = members.get(guildId)
  if (known !== undefined) return known
  const created = new Set<string>()
  members.set(guildId, created)
  return created
}

const readNick = (member: JsonObject) => (typeof member.nick === 'string' ? member.nick : null)
