import { DAY } from '../lib/clock.ts'
import { Holds } from '../lib/holds.ts'
import type { History } from './history.ts'
import type { Keys } from './keys.ts'
import type { Kv } from './kv.ts'
import type { Status } from './presence.ts'
import type { PresenceStore } from './presence-store.ts'
import { type KeepOptions, UntilKept } from './until-kept.ts'

/** Where wishes for privacy are kept. Implementations: SQLite, as a file or `:memory:`. */
export interface PrivacyStore {
  loadHidden(): Iterable<string>
  /** Resolves once it is durable; rejects with `storage_unavailable`. */
  storeHidden(userId: string, hidden: boolean): Promise<void>
  /** Whom the operator hides. */
  loadExcluded(): Iterable<string>
  /** Who wants to be shown, where that is asked. */
  loadOptIns(): Iterable<string>
  storeOptIn(userId: string): Promise<void>
  storeExcluded(userId: string, excluded: boolean): Promise<void>
  /** Removes every trace of the person: pairs, keys, links, saved presence. A wish to be hidden stays. */
  erase(userId: string): Promise<void>
}

interface Remembering {
  readonly presences: PresenceStore
  readonly kv: Pick<Kv, 'hold'>
  readonly keys: Pick<Keys, 'hold' | 'forget' | 'count'>
  readonly history?: Pick<History, 'kept'>
  /** What else remembers people in memory (links): called after their traces have left the store. */
  readonly forget?: readonly ((userId: string) => void)[]
}

/** What is kept of one person, as they get it. Times are in ms since 1970. */
export interface KeptData {
  readonly user_id: string
  readonly hidden: boolean
  /** The user object, null of who is in no server with the bot. */
  readonly user: unknown
  readonly status: Status | null
  readonly activities: readonly unknown[]
  readonly last_seen_at: number | null
  readonly servers: readonly { readonly id: string; readonly nickname: string | null }[]
  /** How many there are: of a key nothing is kept but its SHA-256 hash. */
  readonly api_keys: number
  readonly github: unknown
  /** What ended and what goes on, null of who does not want it. */
  readonly history: unknown
  readonly kv: Readonly<Record<string, string>>
}

/** What people may ask about their own data. */
export class Privacy {
  readonly #store: PrivacyStore
  readonly #memory: Remembering
  readonly #erasing = new Holds()
  readonly #hides: UntilKept
  readonly #exclusions: UntilKept
  readonly #hidden: Set<string>
  readonly #excluded: Set<string>

  constructor(store: PrivacyStore, memory: Remembering, options: KeepOptions = {}) {
    this.#store = store
    this.#memory = memory
    this.#hides = new UntilKept('wishes to be hidden', options)
    this.#exclusions = new UntilKept('exclusions', options)
    this.#hidden = new Set(store.loadHidden())
    this.#excluded = new Set(store.loadExcluded())
    for (const userId of [...this.#hidden, ...this.#excluded]) memory.presences.setHidden(userId, true)
    for (const userId of store.loadOptIns()) memory.presences.setConsent(userId, true)
  }

  /**
   * Hides at once and everywhere, before anything is stored. Rejects with `storage_unavailable` when that could not be
   * kept yet: it holds, and is tried again until it is kept. Resolves with how many servers elsewhere could not be
   * reached and may show them for a while yet; infinitely many where nobody can be reached at all.
   */
  async hide(userId: string): Promise<number> {
    const { presences } = this.#memory
    this.#hidden.add(userId)
    presences.setHidden(userId, true)
    const everywhere = presences.copies.confirm()
    await this.#hides.keep(userId, () => this.#store.storeHidden(userId, true)).finally(() => everywhere)
    return everywhere
  }

  /**
   * Takes a wish to be hidden back; where people are shown only if they want it, this is how they say so. Resolves with
   * whether they are not hidden: whom the operator hides stays hidden.
   */
  async show(userId: string): Promise<boolean> {
    await this.#optIn(userId)
    const hide = this.#hides.withdraw(userId)
    try {
      await this.#store.storeHidden(userId, false)
    } catch (error) {
      this.#hides.restore(userId, hide)
      throw error
    }
    this.#hidden.delete(userId)
    return this.#showAgain(userId)
  }

  /**
   * Hides for the operator, as {@link hide} does; and the person cannot undo it. Resolves with how many servers
   * elsewhere could not be reached and may show them for a while yet.
   */
  async exclude(userId: string): Promise<number> {
    const { presences } = this.#memory
    this.#excluded.add(userId)
    presences.setHidden(userId, true)
    const everywhere = presences.copies.confirm()
    await this.#exclusions.keep(userId, () => this.#store.storeExcluded(userId, true)).finally(() => everywhere)
    return everywhere
  }

  /** Takes an exclusion back. Resolves with whether they are shown: who wishes to be hidden stays so. */
  async readmit(userId: string): Promise<boolean> {
    const exclusion = this.#exclusions.withdraw(userId)
    try {
      await this.#store.storeExcluded(userId, false)
    } catch (error) {
      this.#exclusions.restore(userId, exclusion)
      throw error
    }
    this.#excluded.delete(userId)
    return this.#showAgain(userId)
  }

  /**
   * Removes every trace of the person, for good. Members go on being shown as newcomers, unless they are hidden.
   * No key of theirs is accepted meanwhile, and what they write waits until `tell` has told them: whatever was
   * acknowledged before that is gone.
   */
  async erase(userId: string, tell: () => Promise<void> = async () => {}): Promise<void> {
    const { presences, kv, keys, forget = [] } = this.#memory
    const release = [this.#erasing.add(userId), keys.hold(userId), kv.hold(userId)]
    try {
      await this.#store.erase(userId)
      presences.forget(userId)
      keys.forget(userId)
      for (const drop of forget) drop(userId)
      await presences.copies.purge()
      await tell()
    } finally {
      for (const end of release) end()
    }
  }

  /**
   * Resolves when no {@link erase} is under way for this person: what was kept of theirs meanwhile would outlive it.
   */
  whenErased(userId: string): Promise<void> {
    return this.#erasing.free(userId)
  }

  /** Everything that is kept of the person, whether they are shown or not: what {@link erase} would remove. */
  kept(userId: string): KeptData {
    const { presences, keys, history } = this.#memory
    const person = presences.member(userId)
    const account = presences.account(userId)
    return {
      user_id: userId,
      hidden: presences.isHidden(userId),
      user: person === undefined ? null : JSON.parse(person.user),
      status: person?.presence.status ?? null,
      activities: person === undefined ? [] : JSON.parse(person.presence.activities),
      last_seen_at: person?.lastSeenAt ?? null,
      servers: (person?.memberships ?? []).map(({ guildId, nick }) => ({ id: guildId, nickname: nick })),
      api_keys: keys.count(userId),
      github: account === null ? null : JSON.parse(account.json),
      history: history?.kept(userId) ?? null,
      kv: Object.fromEntries(presences.kv(userId)),
    }
  }

  /** Tries a last time to keep what could not be kept. */
  stop(): Promise<void> {
    return Promise.all([this.#hides.stop(), this.#exclusions.stop()]).then(() => {})
  }

  async #optIn(userId: string): Promise<void> {
    const { presences } = this.#memory
    if (!presences.lacksConsent(userId)) return
    await this.#store.storeOptIn(userId)
    presences.setConsent(userId, true)
  }

  async #showAgain(userId: string): Promise<boolean> {
    if (this.#hidden.has(userId) || this.#excluded.has(userId)) return false
    const { presences } = this.#memory
    presences.setHidden(userId, false)
    await presences.copies.spread()
    return true
  }
}

/** People looked at in one go, so that a large sweep never holds up anything else for long. */
const CHUNK = 250

/**
 * Where it is noted since when people with pairs or a history have been in no guild. Implementations: SQLite, as a file
 * or `:memory:`.
 */
export interface RetentionStore {
  /**
   * Everybody who has pairs or a history, with the time (ms) they were first seen absent, null while they are not known
   * to be.
   */
  loadAbsences(): Iterable<readonly [userId: string, since: number | null]>
  /** Notes since when somebody is absent; null: they are back. */
  storeAbsence(userId: string, since: number | null): Promise<void>
  /**
   * Removes pairs and history of somebody who is still noted as absent since then; false when they wrote or came back.
   */
  removeAbsent(userId: string, since: number): Promise<boolean>
}

/**
 * Pairs and histories of people who left every guild are kept for a while, then removed. Their keys stay: a write
 * starts the clock anew.
 */
export interface Retention {
  /**
   * Notes who is absent and removes the pairs of those who have been for longer than the retention time. Resolves with
   * how many people's pairs were removed. To be called daily, and only while all member lists are loaded: whoever is
   * not a member at this moment counts as absent.
   */
  sweep(now?: number): Promise<number>
}

/**
 * @param days how long to keep what belongs to absent people; 0 = for ever.
 * @param forget what else remembers them in memory
 */
export function createRetention(
  store: RetentionStore,
  presences: PresenceStore,
  days: number,
  forget: (userId: string) => void = () => {},
): Retention {
  async function remove(userId: string, since: number): Promise<boolean> {
    const removed = await store.removeAbsent(userId, since)
    if (removed) {
      presences.setKv(userId, new Map())
      forget(userId)
    }
    return removed
  }

  async function look(userId: string, since: number | null, now: number): Promise<boolean> {
    if (presences.member(userId) !== undefined) {
      if (since !== null) await store.storeAbsence(userId, null)
      return false
    }
    if (since === null) await store.storeAbsence(userId, now)
    else if (now - since >= days * DAY) return remove(userId, since)
    return false
  }

  return {
    async sweep(now = Date.now()) {
      if (days === 0) return 0
      const people = [...store.loadAbsences()]
      let removed = 0
      for (let at = 0; at < people.length; at += CHUNK) {
        const chunk = people.slice(at, at + CHUNK)
        const results = await Promise.all(chunk.map(([userId, since]) => look(userId, since, now)))
        removed += results.filter(Boolean).length
      }
      return removed
    },
  }
}
