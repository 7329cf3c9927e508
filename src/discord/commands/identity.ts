import type { API } from '@discordjs/core/http-only'
import { describeError, type Log } from '../../lib/log.ts'

/** Who the bot is. READY tells; after a resumed session nobody does, so it is asked for when it matters. */
export interface Identity {
  /** The bot's user id, null while it is not known. */
  id(): string | null
  know(id: string): void
  /** Asks Discord when it is not known; null when that fails. */
  find(): Promise<string | null>
}

export function createIdentity(api: API, log: Log): Identity {
  let known: string | null = null
  let asking: Promise<string | null> | null = null

  async function ask(): Promise<string | null> {
    try {
      known ??= (await api.users.getCurrent()).id
    } catch (error) {
      log.warn("the bot's own id could not be read", { error: describeError(error) })
    }
    asking = null
    return known
  }

  return {
    id: () => known,
    know(id) {
      known = id
    },
    find: () => {
      if (known !== null) return Promise.resolve(known)
      asking ??= ask()
      return asking
    },
  }
}
