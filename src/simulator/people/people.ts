import type { Random } from '../random.ts'
import type { Presence, User } from '../types.ts'
import { buildPresence, buildUser, type PresenceInit } from './builders.ts'

/** A presence as tests give it: in full, the short form of {@link buildPresence}, or null for offline. */
export type PresenceInput = PresenceInit | Presence | null

export interface PeopleOptions {
  random: Random
  now: () => number
  botId: string
  nextId: () => string
}

export class People {
  readonly #users = new Map<string, User>()
  readonly #presences = new Map<string, Presence>()
  readonly #random: Random
  readonly #now: () => number
  readonly #botId: string
  readonly #nextId: () => string

  constructor({ random, now, botId, nextId }: PeopleOptions) {
    this.#random = random
    this.#now = now
    this.#botId = botId
    this.#nextId = nextId
    this.#users.set(botId, buildUser(random, { id: botId, username: 'exoix-simulated', global_name: null, bot: true }))
  }

  get bot(): User {
    return this.known(this.#botId)
  }

  /** The user, or an error. */
  known(userId: string): User {
    const found = this.#users.get(userId)
    if (!found) throw new Error(`there is no simulated user ${userId}`)
    return found
  }

  patch(userId: string, changes: Partial<User>): User {
    const user: User = { ...this.known(userId), ...changes, id: userId }
    this.#users.set(userId, user)
    return user
  }

  add(init: Partial<User> = {}): User {
    if (init.id !== undefined && this.#users.has(init.id)) return this.patch(init.id, init)
    const user = buildUser(this.#random, { ...init, id: init.id ?? this.#nextId() })
    this.#users.set(user.id, user)
    return user
  }

  place(userId: string, presence: PresenceInput): void {
    const whole = complete(presence, this.#now())
    if (whole.status === 'offline') this.#presences.delete(userId)
    else this.#presences.set(userId, whole)
  }

  user(userId: string): User | undefined {
    return this.#users.get(userId)
  }

  /** Undefined: offline. */
  presence(userId: string): Presence | undefined {
    return this.#presences.get(userId)
  }

  /** The presence to report, offline included. */
  shown(userId: string): Presence {
    return this.#presences.get(userId) ?? complete(null, this.#now())
  }
}

function complete(presence: PresenceInput, at: number): Presence {
  if (presence === null) return buildPresence({ status: 'offline', at })
  return 'client_status' in presence ? (presence as Presence) : buildPresence({ at, ...(presence as PresenceInit) })
}
