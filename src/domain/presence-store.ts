import { type Clock, systemClock } from '../lib/clock.ts'
import { Listeners } from '../lib/listeners.ts'
import { Copies } from './copies.ts'
import { PICTURE_HOSTS, Pictures } from './discord-cdn.ts'
import type { GithubSnapshot } from './github.ts'
import { Entry, type ListedPresence, type Person, readNick, type SavedPerson, type Snapshot } from './person.ts'
import {
  applyPresence,
  isObject,
  type JsonObject,
  mergeUser,
  type PresenceState,
  readUser,
  rereadUser,
} from './presence.ts'
import type { Change, Readiness, Source } from './presences.ts'
import { Rosters } from './rosters.ts'
import { type Monitor, Visibility } from './visibility.ts'

const NO_PAIRS: ReadonlyMap<string, string> = new Map()

/**
 * The one mutable state that matters: who is monitored and what is shown of them. Every mutation is synchronous, and
 * listeners hear of it before it returns. Gateway objects come in raw; what cannot be used is refused by returning
 * false, never by throwing.
 */
export class PresenceStore implements Source {
  /** Who else shows what is shown here. */
  readonly copies = new Copies()
  /** False when what was put back does not tell who may be seen: then all members have to be listed anew. */
  rolesKnown = true
  readonly #clock: Pick<Clock, 'now'>
  readonly #pictures: Pictures
  readonly #entries = new Map<string, Entry>()
  readonly #rosters = new Rosters()
  readonly #kv = new Map<string, ReadonlyMap<string, string>>()
  readonly #accounts = new Map<string, GithubSnapshot>()
  readonly #visibility: Visibility
  readonly #changes = new Listeners<Change>()
  readonly #details = new Listeners<string | undefined>()
  readonly #dirty = new Set<string>()
  #readiness: Readiness = 'starting'
  #size = 0

  constructor(
    clock: Pick<Clock, 'now'> = systemClock,
    pictures = new Pictures(PICTURE_HOSTS),
    monitor: Monitor = 'everybody',
  ) {
    this.#visibility = new Visibility(monitor)
    this.#clock = clock
    this.#pictures = pictures
  }

  get readiness(): Readiness {
    return this.#readiness
  }

  setReadiness(next: Readiness): void {
    if (this.#readiness === next) return
    this.#readiness = next
    this.#details.tell(undefined)
  }

  get size(): number {
    return this.#size
  }

  /**
   * A member with the full user object: joins, or replaces what was known of the user. Of somebody new without a
   * presence it is believed that they are offline, unless it is awaited: then nobody sees them before it is known.
   * False without a usable id.
   */
  putMember(guildId: string, member: JsonObject, told: ListedPresence = 'unknown'): boolean {
    const user = readUser(member.user)
    if (user === null) return false
    const { id } = member.user as { id: string }
    this.#rosters.add(guildId, id)
    const place = { guildId, nick: readNick(member), ...this.#visibility.readRole(member.roles) }
    const entry = this.#entries.get(id)
    if (entry === undefined) {
      const joined = Entry.newcomer(id, user, told, place)
      this.#entries.set(id, joined)
      this.#dirty.add(id)
      this.#settle(joined, false)
      return true
    }
    if (entry.enter(place)) this.#moved(entry)
    if (told === 'offline' || typeof told === 'object') this.#answer(entry)
    this.#update(entry, user, entry.applyListed(guildId, told), null)
    return true
  }

  /** A PRESENCE_UPDATE. False when its user is not in that guild, as far as is known, or it has no usable id. */
  patchPresence(update: JsonObject): boolean {
    const { user, guild_id } = update
    if (!isObject(user)) return false
    const entry = this.#entries.get(user.id as string)
    if (entry === undefined || !entry.isAboutThem(guild_id)) return false
    if (entry.isStale(guild_id, update)) return true
    const merged = Object.keys(user).length > 1 ? mergeUser(entry.user, user) : entry.user
    this.#answer(entry)
    this.#update(entry, merged, applyPresence(entry.presence, update), update)
    return true
  }

  removeMember(guildId: string, userId: string): void {
    if (this.#rosters.delete(guildId, userId)) this.#leave(guildId, userId)
  }

  removeGuild(guildId: string): void {
    for (const id of this.#rosters.take(guildId)) this.#leave(guildId, id)
  }

  /** Removes the guild's members that are not among the given: who left while nobody watched. */
  retainMembers(guildId: string, userIds: ReadonlySet<string>): void {
    for (const id of this.#rosters.others(guildId, userIds)) this.removeMember(guildId, id)
  }

  /** Everybody whose presence is awaited. */
  *awaited(): IterableIterator<SavedPerson> {
    for (const entry of this.#entries.values()) if (entry.awaited) yield entry
  }

  /** Nobody will say how this member appears: whose presence was awaited is shown as offline. */
  presumeOffline(userId: string): void {
    const entry = this.#entries.get(userId)
    if (entry === undefined) return
    this.#answer(entry)
    this.#settle(entry, false)
  }

  /** Replaces a person's pairs, monitored or not. Always a change to listeners: a write is shown even when it changes nothing. */
  setKv(userId: string, pairs: ReadonlyMap<string, string>): void {
    if (pairs.size === 0) this.#kv.delete(userId)
    else this.#kv.set(userId, pairs)
    const entry = this.#entries.get(userId)
    if (entry === undefined) return
    entry.dropSnapshot()
    this.#settle(entry, true)
  }

  kv(userId: string): ReadonlyMap<string, string> {
    return this.#kv.get(userId) ?? NO_PAIRS
  }

  account(userId: string): GithubSnapshot | null {
    return this.#accounts.get(userId) ?? null
  }

  /** Shows a linked GitHub account; null: none. */
  setAccount(userId: string, account: GithubSnapshot | null): void {
    if (account === null) this.#accounts.delete(userId)
    else this.#accounts.set(userId, account)
    if (this.has(userId)) this.#details.tell(userId)
  }

  /** Drops a person's pairs and when they were last seen; told like a write. Members have to be saved anew. */
  forget(userId: string): void {
    this.#visibility.setConsent(userId, false)
    this.#entries.get(userId)?.forgetSeen()
    if (this.#entries.has(userId)) this.#dirty.add(userId)
    this.setKv(userId, NO_PAIRS)
  }

  /**
   * Takes a person out of every answer, or puts them back. They stay members all the same, but when they were last seen
   * is forgotten, and not noted while they are hidden.
   */
  setHidden(userId: string, hide: boolean): void {
    if (!this.#visibility.setHidden(userId, hide)) return
    const entry = this.#entries.get(userId)
    if (entry === undefined) return
    if (entry.forgetSeen()) this.#dirty.add(userId)
    this.#settle(entry, false)
  }

  /** Where people are shown only if they want it: whether somebody does. */
  setConsent(userId: string, consents: boolean): void {
    this.#visibility.setConsent(userId, consents)
    const entry = this.#entries.get(userId)
    if (entry !== undefined) this.#settle(entry, false)
  }

  readonly isHidden = (userId: string) => this.#visibility.isHidden(userId)
  readonly lacksConsent = (userId: string) => this.#visibility.lacksConsent(userId)

  /** A member as they are kept, shown or not. */
  member(userId: string): SavedPerson | undefined {
    return this.#entries.get(userId)
  }

  has(userId: string): boolean {
    return this.#entries.get(userId)?.shown === true
  }

  person(userId: string): Person | undefined {
    const entry = this.#entries.get(userId)
    return entry?.shown === true ? entry : undefined
  }

  snapshot(userId: string): Snapshot | undefined {
    const entry = this.#entries.get(userId)
    return entry?.shown === true ? entry.snapshot(this.kv(userId), this.#pictures) : undefined
  }

  *ids(): IterableIterator<string> {
    for (const { id, shown } of this.#entries.values()) if (shown) yield id
  }

  /** Guilds that have members here. */
  readonly guildIds = () => this.#rosters.ids()

  readonly onChange = (listener: (change: Change) => void) => this.#changes.add(listener)
  readonly onDetail = (listener: (userId: string | undefined) => void) => this.#details.add(listener)

  /** Puts back a person as they were saved, telling nobody. Somebody already known stays as they are. */
  restore(person: SavedPerson): void {
    const { id, memberships } = person
    if (this.#entries.has(id) || memberships.length === 0) return
    for (const { guildId } of memberships) this.#rosters.add(guildId, id)
    const entry = new Entry({ ...person, user: rereadUser(person.user) })
    this.#entries.set(id, entry)
    entry.shown = this.#mayBeSeen(entry)
    if (entry.shown) this.#size++
    if (this.isHidden(id) && entry.forgetSeen()) this.#dirty.add(id)
    if (!this.#visibility.knows(entry)) this.rolesKnown = false
  }

  /** Everybody whose person changed since the last call, hidden ones too: what has to be saved; undefined: they left. */
  drainDirty(): Map<string, SavedPerson | undefined> {
    const dirty = new Map(Array.from(this.#dirty, id => [id, this.#entries.get(id)] as const))
    this.#dirty.clear()
    return dirty
  }

  #mayBeSeen(entry: Entry): boolean {
    return !entry.awaited && this.#entries.has(entry.id) && this.#visibility.allows(entry)
  }

  /** `event` is what tells it; a list (null) tells that somebody is offline, but not since when. */
  #update(entry: Entry, user: string, presence: PresenceState, event: JsonObject | null): void {
    const { status } = entry.presence
    const change = entry.show(user, presence)
    if (status !== presence.status) entry.noteSeen(this.isHidden(entry.id) ? null : event, this.#clock)
    if (change === 'filled in') this.#moved(entry)
    else if (change === 'something') this.#dirty.add(entry.id)
    this.#settle(entry, change === 'something', entry.toldAt(event, this.#clock))
  }

  #answer(entry: Entry): void {
    if (!entry.awaited) return
    entry.awaited = false
    this.#dirty.add(entry.id)
  }

  /** Somebody's guilds, or their nickname there, are others than before. */
  #moved(entry: Entry): void {
    this.#dirty.add(entry.id)
    if (this.has(entry.id)) this.#details.tell(entry.id)
  }

  #leave(guildId: string, id: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    if (!entry.leave(guildId)) this.#entries.delete(id)
    this.#moved(entry)
    this.#settle(entry, false)
  }

  /** Tells what has become of somebody: they appeared or vanished, or what is shown of them has changed. */
  #settle(entry: Entry, changed: boolean, told: { at?: number } = {}): void {
    const { id, shown } = entry
    entry.shown = this.#mayBeSeen(entry)
    if (shown !== entry.shown) this.#size += shown ? -1 : 1
    if (shown && !entry.shown) this.#changes.tell({ id, kind: 'left' })
    else if (!shown && entry.shown) this.#changes.tell({ id, kind: 'joined', ...told })
    else if (shown && changed) this.#changes.tell({ id, kind: 'changed', ...told })
  }
}
