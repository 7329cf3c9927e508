import { isObject } from '../domain/presence.ts'
import type { PresenceStore } from '../domain/presence-store.ts'
import {
  hasProfile,
  type Profile,
  type ProfileStore,
  type Profiles,
  readProfile,
  type StoredProfile,
} from '../domain/profiles.ts'
import { type Clock, HOUR, MINUTE, restOf, SECOND, systemClock } from '../lib/clock.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import { type Refreshable, RefreshQueue } from '../lib/refresh-queue.ts'
import { PausedError } from './pauses.ts'
import type { DiscordRest } from './rest.ts'

/** A profile is asked for again after so long, and after so long when Discord did not tell. Milliseconds. */
const FRESH = 6 * HOUR
const AGAIN = 5 * MINUTE
/** Whoever reads somebody twice in a row is not surprised by what was filled in meanwhile. Milliseconds. */
const SETTLE = SECOND
/** Between two requests: what the bot itself asks comes first. */
const INTERVAL = SECOND
/** Whom nobody looked at for so long is not asked about any more. */
const ATTENTION = HOUR
/** After the first of several failures in a row; doubled for each further one, up to the longest. */
const FIRST_QUIET = 10 * SECOND
const LONGEST_QUIET = 15 * MINUTE

interface Seen extends Refreshable {
  readonly userId: string
  /** JSON text of the user when it was looked at last, and the avatar in it. */
  user: string
  avatar: unknown
}

interface ProfilesDeps {
  readonly rest: Pick<DiscordRest, 'look'>
  readonly store: ProfileStore
  readonly presences: Pick<PresenceStore, 'has' | 'person' | 'onChange' | 'patchPresence'>
  readonly metrics: Metrics
  readonly log: Log
  readonly clock?: Clock
}

/**
 * Banner and accent colour of people somebody looks at, asked for at Discord one at a time, and shown in their user
 * objects. Never of hidden people. What was told once is there at once after a restart.
 */
export class DiscordProfiles implements Profiles {
  readonly #deps: ProfilesDeps
  readonly #clock: Clock
  readonly #seen = new Map<string, Seen>()
  /** What Discord told, looked at or not, and when it is to be asked again. */
  readonly #known = new Map<string, { readonly profile: Profile | undefined; readonly dueAt: number }>()
  readonly #queue: RefreshQueue<Seen>
  readonly #requests: Counter
  readonly #stopListening: () => void
  #freeAt = 0
  #failures = 0

  constructor(deps: ProfilesDeps) {
    this.#deps = deps
    this.#clock = deps.clock ?? systemClock
    for (const { userId, checkedAt, ...profile } of deps.store.loadProfiles()) {
      const dueAt = this.#clock.monotonic() + restOf(FRESH, this.#clock, checkedAt)
      this.#known.set(userId, { profile, dueAt })
      this.#fillIn(userId, deps.presences.person(userId)?.user)
    }
    this.#queue = new RefreshQueue({
      clock: this.#clock,
      attentionMs: ATTENTION,
      freeAt: () => this.#freeAt,
      refresh: seen => this.#refresh(seen),
    })
    this.#requests = deps.metrics.counter('profile_requests_total', 'Profiles asked for at Discord')
    this.#stopListening = deps.presences.onChange(({ id }) => this.#compare(id))
  }

  looked(userId: string): void {
    const person = this.#deps.presences.person(userId)
    if (person === undefined) return
    this.#fillIn(userId, person.user)
    this.#queue.look(this.#seen.get(userId) ?? this.#see(userId, person.user))
  }

  /** Forgets somebody who was erased. */
  forget(userId: string): void {
    this.#seen.delete(userId)
    this.#known.delete(userId)
  }

  stop(): void {
    this.#stopListening()
    this.#queue.stop()
  }

  #see(userId: string, user: string): Seen {
    const { presences } = this.#deps
    const dueAt = Math.max(this.#known.get(userId)?.dueAt ?? 0, this.#clock.monotonic() + SETTLE)
    const seen = {
      userId,
      user,
      avatar: avatarIn(user),
      dueAt,
      lookedAt: 0,
      get live() {
        return presences.has(userId)
      },
    }
    this.#seen.set(userId, seen)
    return seen
  }

  /** Who has another avatar may have another banner, too. */
  #compare(id: string): void {
    const seen = this.#seen.get(id)
    if (seen === undefined) return
    const user = this.#deps.presences.person(id)?.user
    if (user === undefined) this.#seen.delete(id)
    if (user === undefined || user === seen.user) return
    const avatar = avatarIn(user)
    if (avatar !== seen.avatar) this.#queue.hurry(seen)
    seen.user = user
    seen.avatar = avatar
  }

  async #refresh(seen: Seen): Promise<void> {
    const { userId } = seen
    this.#freeAt = this.#clock.monotonic() + INTERVAL
    this.#due(seen, AGAIN)
    this.#requests.inc()
    try {
      const profile = await this.#ask(userId)
      this.#failures = 0
      this.#due(seen, FRESH)
      // Who hid or was erased meanwhile is nobody's business any more.
      if (this.#seen.get(userId) === seen && seen.live) this.#take({ ...profile, userId, checkedAt: Date.now() })
    } catch (error) {
      const quiet = Math.min(FIRST_QUIET * 2 ** this.#failures++, LONGEST_QUIET)
      const asked = error instanceof PausedError ? error.retryAfter : 0
      this.#freeAt = this.#clock.monotonic() + Math.max(quiet, Math.min(asked, HOUR))
      this.#deps.log.debug('Discord did not tell of a profile', { error: describeError(error) })
    }
  }

  #due(seen: Seen, ms: number): void {
    seen.dueAt = this.#clock.monotonic() + ms
    this.#known.set(seen.userId, { profile: this.#known.get(seen.userId)?.profile, dueAt: seen.dueAt })
  }

  /** Discord docs, Resources, User, "Get User". */
  async #ask(userId: string): Promise<Profile> {
    const { status, body } = await this.#deps.rest.look(`/users/${userId}`, { authorized: true })
    if (status === 404) return { banner: null, accent_color: null }
    const profile = status === 200 ? readProfile(body, userId) : null
    if (profile === null) throw new Error(`status ${status}`)
    return profile
  }

  #take({ userId, checkedAt, ...profile }: StoredProfile): void {
    const { store, log } = this.#deps
    this.#known.set(userId, { profile, dueAt: this.#clock.monotonic() + FRESH })
    this.#show(userId, profile)
    store.storeProfile({ userId, checkedAt, ...profile }).catch(error => {
      log.debug('a profile could not be stored', { error: describeError(error) })
    })
  }

  /** Whoever was away, or hid, is shown again without it. */
  #fillIn(userId: string, user: string | undefined): void {
    const profile = this.#known.get(userId)?.profile
    if (profile !== undefined && user !== undefined && !hasProfile(user)) this.#show(userId, profile)
  }

  #show(userId: string, profile: Profile): void {
    this.#deps.presences.patchPresence({ user: { id: userId, ...profile } })
  }
}

function avatarIn(user: string): unknown {
  const parsed: unknown = JSON.parse(user)
  return isObject(parsed) ? parsed.avatar : undefined
}
