import type { Keys } from '../../domain/keys.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Metrics } from '../../lib/metrics.ts'
import type { KeyDesk } from './key-desk.ts'

/** Makes keys worthless that have been seen where others may see them. */
export interface Guard {
  /** Ids of the people whose live keys stand in the text. */
  leaked(text: string): readonly string[]
  /**
   * Revokes these people's keys, before anything else, and sends them new ones. Resolves with what to tell where the key
   * was seen. Never rejects.
   */
  protect(owners: readonly string[], where: string): Promise<{ reached: boolean; notice: string }>
}

export interface GuardDeps {
  keys: Keys
  desk: KeyDesk
  metrics: Metrics
  log: Log
}

export function createGuard({ keys, desk, metrics, log }: GuardDeps): Guard {
  const seen = metrics.counter('bot_keys_revoked_total', 'Keys revoked because they appeared in a message')

  async function revoke(userId: string): Promise<void> {
    seen.inc()
    try {
      await keys.revoke(userId)
    } catch (error) {
      // Worthless in this process all the same; a new key or the next revocation makes it so for good.
      log.error('a leaked key could not be removed from the store', { userId, error: describeError(error) })
    }
  }

  return {
    leaked: keys.leaked,
    async protect(owners, where) {
      await Promise.all(owners.map(revoke))
      const because = `Your API key appeared in ${where}, so I revoked it. This is your new one:`
      const outcomes = await Promise.all(owners.map(userId => desk.handByDm(userId, because)))
      const reached = outcomes.every(outcome => outcome === 'given')
      const rest = reached
        ? 'its owner has a new one by direct message'
        : 'its owner cannot be reached by direct message and gets a new one with `/apikey`'
      return { reached, notice: `That contained an API key. The key has been revoked; ${rest}.` }
    },
  }
}
