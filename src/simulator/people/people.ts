import type { Random } from '../random.ts'
import type { Presence, User } from '../types.ts'
import { buildPresence, buildUser, type PresenceInit } from './builders.ts'

/** A presence as tests give it: in full, the short form of {@link buildPresence}, or null for offline. */
export type PresenceInput = PresenceInit | Presence | null

/** Users and how they appear, whatever guild they are in. */
export interface People {
  readonly bot: User
  user(userId: string): User | undefined
  /** The user, or an error. */
  known(userId: string): User
  add(patch?: Partial<User>): User
  patch(userId: string, patch: Partial<User>): User
  /** Undefined: offline. */
  presence(userId: string): Presence | undefined
  /** The presence to report, offline included. */
  shown(userId: string): Presence
  place(userId: string, presence: PresenceInput): void
}

export interface PeopleOptions {
  random: Random
  now: () => number
  botId: string
  nextId: () => string
}

export function createPeople({ random, now, botId, nextId }: PeopleOptions): People {
  const users = new Map<string, User>()
  const presences = new Map<string, Presence>()
  const bot = buildUser(random, { id: botId, username: 'exoix-simulated', global_name: null, bot: true })
  users.set(bot.id, bot)

  function known(userId: string): User {
    const found = users.get(userId)
    if (!found) throw new Error(`there is no simulated user ${userId}`)
    return found
  }

  function patch(userId: string, changes: Partial<User>): User {
    const user: User = { ...known(userId), ...changes, id: userId }
    users.set(userId, user)
    return user
  }

  function add(init: Partial<User> = {}): User {
    if (init.id !== undefined && users.has(init.id)) return patch(init.id, init)
    const user = buildUser(random, { ...init, id: init.id ?? nextId() })
    users.set(user.id, user)
    return user
  }

  function place(userId: string, presence: PresenceInput): void {
    const whole = complete(presence, now())
    if (whole.status === 'offline') presences.delete(userId)
    else presences.set(userId, whole)
  }

  return {
    get bot() {
      return known(botId)
    },
    user: userId => users.get(userId),
    known,
    add,
    patch,
    presence: userId => presences.get(userId),
    shown: userId => presences.get(userId) ?? complete(null, now()),
    place,
  }
}

function complete(presence: PresenceInput, at: number): Presence {
  if (presence === null) return buildPresence({ status: 'offline', at })
  return 'client_status' in presence ? (presence as Presence) : buildPresence({ at, ...(presence as PresenceInit) })
}
