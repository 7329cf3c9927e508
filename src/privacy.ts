import type { PresenceStore } from './presence-store.ts'

/** Where wishes for privacy are kept. Implementations: SQLite, as a file or `:memory:`. */
export interface PrivacyStore {
  loadHidden(): Iterable<string>
  /** Resolves once it is durable; rejects with `storage_unavailable`. */
  storeHidden(userId: string, hidden: boolean): Promise<void>
  /** Removes every trace of the person: pairs, keys, links, saved presence. A wish to be hidden stays. */
  erase(userId: string): Promise<void>
}

/** What people may ask about their own data. */
export interface Privacy {
  hide(userId: string): Promise<void>
  show(userId: string): Promise<void>
  /** Removes every trace of the person, for good. Members go on being shown as newcomers, unless they are hidden. */
  erase(userId: string): Promise<void>
}

/** @param forget what else remembers people in memory (keys, links): called after their traces have left the store. */
export function createPrivacy(
  store: PrivacyStore,
  presences: PresenceStore,
  forget: readonly ((userId: string) => void)[] = [],
): Privacy {
  for (const userId of store.loadHidden()) presences.setHidden(userId, true)

  async function set(userId: string, hidden: boolean): Promise<void> {
    await store.storeHidden(userId, hidden)
    presences.setHidden(userId, hidden)
  }

  return {
    hide: userId => set(userId, true),
    show: userId => set(userId, false),
    async erase(userId) {
      await store.erase(userId)
      presences.forget(userId)
      for (const drop of forget) drop(userId)
    },
  }
}
