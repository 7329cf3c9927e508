import type { AppIcons } from './app-icons.ts'
import { historyOff, noPermission } from './errors.ts'
import type { Github } from './github.ts'
import type { History } from './history.ts'
import type { HistoryQuery } from './history-views.ts'
import type { Keys } from './keys.ts'
import type { Kv } from './kv.ts'
import type { Profiles } from './profiles.ts'

/** The id that means the key's owner. */
export const ME = '@me'

/**
 * What a door must ask the owner of the truth: whose a key is, and every change. A door knows no keys; it passes on the
 * hash of the one it was shown ({@link hashKey}), and each write is checked and made in one step, so a key that was
 * revoked a moment ago writes nothing. `id` is a user id or {@link ME}.
 */
export interface Calls {
  /** Undefined for anything that is not the hash of a live key. */
  ownerOf(keyHash: string): Promise<string | undefined>
  /** One's own pairs, which a door knows only while their owner is shown. Rejects with `no_permission`. */
  pairs(keyHash: string, id: string): Promise<ReadonlyMap<string, string>>
  /** Rejects with `no_permission`, and as {@link Kv} does; so do the others. */
  put(keyHash: string, id: string, key: string, value: string): Promise<void>
  merge(keyHash: string, id: string, pairs: unknown): Promise<void>
  delete(keyHash: string, id: string, key: string): Promise<void>
  clear(keyHash: string, id: string): Promise<void>
  /** JSON text of what ended and of changes of the status, the newest first. Rejects with `user_not_monitored` and `history_off`; so do the next two. */
  history(userId: string, query: HistoryQuery): Promise<string>
  /** JSON text of numbers about the last days. */
  stats(userId: string): Promise<string>
  /** JSON text of the tracks that were played most in so many days. */
  topTracks(userId: string, days: number): Promise<string>
  /**
   * Somebody looks at this person: at the GitHub account that is linked to them, unless at their profile. A reason to keep
   * it fresh. May get lost.
   */
  looked(userId: string, at?: Look): void
  /** The hash of an application's icon, as {@link AppIcons} tells it. */
  appIcon(applicationId: string): Promise<string | null>
}

/** What of a person is looked at, beyond their presence. */
export type Look = 'account' | 'profile'

type Histories = Pick<History, 'page' | 'stats' | 'topTracks'>

interface Owners {
  kv: Kv
  keys: Keys
  github: Pick<Github, 'looked'>
  /** Default: nobody has one. */
  history?: Histories
  /** Default: nobody wants to know. */
  profiles?: Profiles | undefined
  /** Without Discord nothing has an icon. */
  icons?: AppIcons
}

const off = () => {
  throw historyOff()
}
const NO_HISTORIES: Histories = { page: off, stats: off, topTracks: off }

/** The calls of a door that is in the same thread as the truth. */
export class LocalCalls implements Calls {
  readonly #kv: Kv
  readonly #keys: Keys
  readonly #github: Pick<Github, 'looked'>
  readonly #history: Histories
  readonly #icons: AppIcons | undefined
  readonly #profiles: Profiles | undefined

  constructor({ kv, keys, github, history = NO_HISTORIES, icons, profiles }: Owners) {
    this.#history = history
    this.#kv = kv
    this.#keys = keys
    this.#github = github
    this.#icons = icons
    this.#profiles = profiles
  }

  async ownerOf(keyHash: string): Promise<string | undefined> {
    return this.#keys.ownerOf(keyHash)
  }

  async pairs(keyHash: string, id: string): Promise<ReadonlyMap<string, string>> {
    return this.#kv.pairs(this.#holder(keyHash, id))
  }

  async put(keyHash: string, id: string, key: string, value: string): Promise<void> {
    await this.#kv.put(this.#holder(keyHash, id), key, value)
  }

  async merge(keyHash: string, id: string, pairs: unknown): Promise<void> {
    await this.#kv.merge(this.#holder(keyHash, id), pairs)
  }

  async delete(keyHash: string, id: string, key: string): Promise<void> {
    await this.#kv.delete(this.#holder(keyHash, id), key)
  }

  async clear(keyHash: string, id: string): Promise<void> {
    await this.#kv.clear(this.#holder(keyHash, id))
  }

  async history(userId: string, query: HistoryQuery): Promise<string> {
    return this.#history.page(userId, query)
  }

  async stats(userId: string): Promise<string> {
    return this.#history.stats(userId)
  }

  async topTracks(userId: string, days: number): Promise<string> {
    return this.#history.topTracks(userId, days)
  }

  looked(userId: string, at: Look = 'account'): void {
    if (at === 'account') this.#github.looked(userId)
    else this.#profiles?.looked(userId)
  }

  async appIcon(applicationId: string): Promise<string | null> {
    return this.#icons === undefined ? null : this.#icons.icon(applicationId)
  }

  /** Whose pairs the key opens, if they are the ones that are meant. */
  #holder(keyHash: string, id: string): string {
    const owner = this.#keys.ownerOf(keyHash)
    if (owner === undefined || (id !== ME && id !== owner)) throw noPermission()
    return owner
  }
}
