import { type Clock, systemClock } from '../lib/clock.ts'
import type { GithubSnapshot } from './github.ts'
import {
  type Entry,
  forgetSeen,
  hearOutdated,
  listed,
  newcomer,
  type Person,
  readNick,
  setMembership,
  setMemberships,
  setSeen,
  setShown,
  snapshotOf,
} from './person.ts'
import {
  applyPresence,
  isObject,
  type JsonObject,
  mergeUser,
  OFFLINE,
  type PresenceState,
  readUser,
} from './presence.ts'
import type { Change, Readiness, Source } from './presences.ts'

/** Who is in which guild. */
interface Rosters {
  add(guildId: string, userId: string): void
  /** False when they were not in it. */
  delete(guildId: string, userId: string): boolean
  /** Removes the guild and tells who was in it. */
  take(guildId: string): Iterable<string>
  /** Those in the guild who are not among the given. They may be deleted while this is read. */
  others(guildId: string, userIds: ReadonlySet<string>): Iterable<string>
  /** Guilds that have members here. */
  guildIds(): IterableIterator<string>
}

const NOBODY: ReadonlySet<string> = new Set()

function createRosters(): Rosters {
  const guilds = new Map<string, Set<string>>()
  return {
    add(guildId, userId) {
      const known = guilds.get(guildId)
      if (known === undefined) guilds.set(guildId, new Set([userId]))
      else known.add(userId)
    },
    delete: (guildId, userId) => guilds.get(guildId)?.delete(userId) ?? false,
    take(guildId) {
      const members = guilds.get(guildId) ?? []
      guilds.delete(guildId)
      return members
    },
    others: (guildId, userIds) => (guilds.get(guildId) ?? NOBODY).values().filter(id => !userIds.has(id)),
    guildIds: () => guilds.keys(),
  }
}

/**
 * The one mutable state that matters: who is monitored and what is shown of them. Every mutation is synchronous, and
 * listeners hear of it before it returns. Gateway objects come in raw; what cannot be used is refused by returning
 * false, never by throwing.
 */
export interface PresenceStore extends Source {
  /** A person's pairs, whether they are shown or not. */
  kv(userId: string): ReadonlyMap<string, string>
  setReadiness(readiness: Readiness): void
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
  /** Shows a linked GitHub account; null: none. */
  setAccount(userId: string, account: GithubSnapshot | null): void
  /** Drops a person's pairs and when they were last seen. A change to listeners, like a write. */
  forget(userId: string): void
  /**
   * Takes a person out of every answer, or puts them back. They stay members all the same, but when they were last seen
   * is forgotten, and not noted while they are hidden.
   */
  setHidden(userId: string, hidden: boolean): void
  isHidden(userId: string): boolean
  /** Whether the person shares a guild with the bot, hidden or not. */
  isMember(userId: string): boolean
  /** Guilds that have members here. */
  guildIds(): IterableIterator<string>
  /** Puts back a person as they were saved, telling nobody. Somebody already known stays as they are. */
  restore(person: Person): void
  /**
   * Ids of everybody whose person changed, joined or left since the last call, hidden ones included: what a saver has
   * to write. With each the person as they are now, undefined for who left.
   */
  takeTouched(): Map<string, Person | undefined>
}

const NO_PAIRS: ReadonlyMap<string, string> = new Map()

export function createPresenceStore(clock: Pick<Clock, 'now'> = systemClock): PresenceStore {
  const entries = new Map<string, Entry>()
  const rosters = createRosters()
  const kv = new Map<string, ReadonlyMap<string, string>>()
  const hidden = new Set<string>()
  const listeners = new Set<(change: Change) => void>()
  const detailListeners = new Set<(userId: string | undefined) => void>()
  const touched = new Set<string>()
  const accounts = new Map<string, GithubSnapshot>()
  let readiness: Readiness = 'starting'
  let hiddenMembers = 0

  function tell(id: string, kind: Change['kind']): void {
    if (!hidden.has(id)) notify({ id, kind })
  }

  function notify(change: Change): void {
    for (const listener of listeners) listener(change)
  }

  function tellDetail(id: string | undefined): void {
    if (id === undefined || visible(id) !== undefined) for (const listener of detailListeners) listener(id)
  }

  function visible(id: string): Entry | undefined {
    return hiddenMembers > 0 && hidden.has(id) ? undefined : entries.get(id)
  }

  function join(guildId: string, id: string, member: JsonObject, user: string, presence: PresenceState): void {
    entries.set(id, newcomer(id, user, presence, { guildId, nick: readNick(member) }))
    if (hidden.has(id)) hiddenMembers++
    touched.add(id)
    tell(id, 'joined')
  }

  /** `event` is what tells it; a list (null) tells that somebody is offline, but not since when. */
  function update(entry: Entry, user: string, presence: PresenceState, event: JsonObject | null): void {
    const { status } = entry.presence
    if (!setShown(entry, user, presence)) return
    if (status !== presence.status) setSeen(entry, hidden.has(entry.id) ? null : event, clock)
    touched.add(entry.id)
    tell(entry.id, 'changed')
  }

  function setKv(userId: string, next: ReadonlyMap<string, string>): void {
    if (next.size === 0) kv.delete(userId)
    else kv.set(userId, next)
    const entry = entries.get(userId)
    if (entry === undefined) return
    entry.snapshot = null
    tell(userId, 'changed')
  }

  const pairs = (id: string) => kv.get(id) ?? NO_PAIRS

  function removeMember(guildId: string, id: string): void {
    if (rosters.delete(guildId, id)) leave(guildId, id)
  }

  function leave(guildId: string, id: string): void {
    const entry = entries.get(id)
    if (entry === undefined) return
    const rest = entry.memberships.filter(membership => membership.guildId !== guildId)
    touched.add(id)
    if (rest.length > 0) {
      setMemberships(entry, rest)
      tellDetail(id)
      return
    }
    entries.delete(id)
    if (hidden.has(id)) hiddenMembers--
    tell(id, 'left')
  }

  return {
    get readiness() {
      return readiness
    },

    setReadiness(next) {
      if (readiness === next) return
      readiness = next
      tellDetail(undefined)
    },

    get size() {
      return entries.size - hiddenMembers
    },

    putMember(guildId, member, presence) {
      const user = readUser(member.user)
      if (user === null) return false
      const id = (member.user as { id: string }).id
      rosters.add(guildId, id)
      const entry = entries.get(id)
      if (entry === undefined) {
        join(guildId, id, member, user, applyPresence(OFFLINE, presence ?? {}))
        return true
      }
      if (setMembership(entry, guildId, readNick(member))) {
        touched.add(id)
        tellDetail(id)
      }
      update(entry, user, listed(entry, guildId, presence), null)
      return true
    },

    patchPresence(presence) {
      const { user } = presence
      if (!isObject(user)) return false
      const entry = entries.get(user.id as string)
      if (entry === undefined) return false
      if (hearOutdated(entry, presence.guild_id, presence)) return true
      const merged = Object.keys(user).length > 1 ? mergeUser(entry.user, user) : entry.user
      update(entry, merged, applyPresence(entry.presence, presence), presence)
      return true
    },

    removeMember,

    removeGuild(guildId) {
      for (const id of rosters.take(guildId)) leave(guildId, id)
    },

    retainMembers(guildId, userIds) {
      for (const id of rosters.others(guildId, userIds)) removeMember(guildId, id)
    },

    setKv,
    kv: pairs,

    account: userId => accounts.get(userId) ?? null,

    setAccount(userId, account) {
      if (account === null) accounts.delete(userId)
      else accounts.set(userId, account)
      tellDetail(userId)
    },

    forget(userId) {
      const entry = entries.get(userId)
      if (entry !== undefined && forgetSeen(entry)) touched.add(userId)
      setKv(userId, NO_PAIRS)
    },

    setHidden(userId, hide) {
      if (hidden.has(userId) === hide) return
      const entry = entries.get(userId)
      if (hide) hidden.add(userId)
      else hidden.delete(userId)
      if (entry === undefined) return
      hiddenMembers += hide ? 1 : -1
      if (forgetSeen(entry)) touched.add(userId)
      notify({ id: userId, kind: hide ? 'left' : 'joined' })
    },

    isHidden: userId => hidden.has(userId),
    isMember: userId => entries.has(userId),
    has: userId => visible(userId) !== undefined,
    person: visible,

    snapshot(userId) {
      const entry = visible(userId)
      return entry && snapshotOf(entry, pairs(userId))
    },

    guildIds: rosters.guildIds,

    *ids() {
      for (const id of entries.keys()) if (!hidden.has(id)) yield id
    },

    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    onDetail(listener) {
      detailListeners.add(listener)
      return () => void detailListeners.delete(listener)
    },

    restore(person) {
      if (entries.has(person.id) || person.memberships.length === 0) return
      for (const { guildId } of person.memberships) rosters.add(guildId, person.id)
      const entry = { ...person, snapshot: null }
      entries.set(person.id, entry)
      if (!hidden.has(person.id)) return
      hiddenMembers++
      if (forgetSeen(entry)) touched.add(person.id)
    },

    takeTouched() {
      const taken = new Map(Array.from(touched, id => [id, entries.get(id)] as const))
      touched.clear()
      return taken
    },
  }
}
