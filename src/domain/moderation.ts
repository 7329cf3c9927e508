import { ApiError } from './errors.ts'
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

  /** Rejects with `storage_unavailable` when nothing was done. */
  async take(measure: Measure, userId: string): Promise<MeasureTaken> {
    switch (measure) {
      case 'hide':
        return this.#hide(userId)
      case 'show': {
        const shown = await this.#privacy.readmit(userId)
        if (shown) return { done: true, text: `${userId} is not hidden.` }
        return { done: false, text: `${userId} stays hidden: that is their own wish, which only they can take back.` }
      }
      case 'erase':
        await this.#privacy.erase(userId)
        return { done: true, text: `Everything that was kept of ${userId} is erased.` }
      case 'revoke': {
        const isKept = await kept(this.#keys.revoke(userId))
        return isKept ? { done: true, text: `${userId} has no key any more.` } : notKept(`${userId} has no key`)
      }
    }
  }

  async #hide(userId: string): Promise<MeasureTaken> {
    let unreached = 0
    const isKept = await kept(
      this.#privacy.exclude(userId).then(count => {
        unreached = count
      }),
    )
    if (!isKept) return notKept(`${userId} is hidden`)
    const elsewhere =
      unreached === 0
        ? ''
        : Number.isFinite(unreached)
          ? ` Servers that could not be reached: ${unreached}; they stop showing them by themselves.`
          : ' Other servers cannot be reached; they are told as soon as they can.'
    return { done: true, text: `${userId} is hidden until "exoix show ${userId}".${elsewhere}` }
  }
}

/** False when the database refuses: it holds in memory all the same, and is tried again. */
async function kept(measure: Promise<void>): Promise<boolean> {
  try {
    await measure
    return true
  } catch (error) {
    if (error instanceof ApiError && error.code === 'storage_unavailable') return false
    throw error
  }
}

const notKept = (what: string): MeasureTaken => ({
  done: false,
  text: `${what} as long as this process runs, but the database refuses to keep it; it is tried again until it is kept.`,
})
