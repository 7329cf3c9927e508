import type { Keys } from './keys.ts'
import type { Privacy } from './privacy.ts'

/** What whoever runs an instance can do to somebody's place in it. */
export const MEASURES = ['hide', 'show', 'erase', 'revoke'] as const
export type Measure = (typeof MEASURES)[number]

/** What became of it, as a sentence for the operator. */
export interface MeasureTaken {
  readonly done: boolean
  readonly text: string
}

/**
 * The operator's hand. Who is hidden by it stays so, whatever they wish themselves; and nobody is shown against their own
 * wish to be hidden.
 */
export class Moderation {
  readonly #privacy: Privacy
  readonly #keys: Keys

  constructor(privacy: Privacy, keys: Keys) {
    this.#privacy = privacy
    this.#keys = keys
  }

  /** Rejects with `storage_unavailable` when it could not be kept. */
  async take(measure: Measure, userId: string): Promise<MeasureTaken> {
    switch (measure) {
      case 'hide':
        await this.#privacy.exclude(userId)
        return { done: true, text: `${userId} is hidden until "exoix show ${userId}".` }
      case 'show': {
        const shown = await this.#privacy.readmit(userId)
        if (shown) return { done: true, text: `${userId} is not hidden.` }
        return { done: false, text: `${userId} stays hidden: that is their own wish, which only they can take back.` }
      }
      case 'erase':
        await this.#privacy.erase(userId)
        return { done: true, text: `Everything that was kept of ${userId} is erased.` }
      case 'revoke':
        await this.#keys.revoke(userId)
        return { done: true, text: `${userId} has no key any more.` }
    }
  }
}
