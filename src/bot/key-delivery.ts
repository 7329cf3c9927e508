import type { Keys } from '../domain/keys.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Counter, Metrics } from '../lib/metrics.ts'
import type { Reply } from './reply.ts'
import { type Sender, UndeliveredError } from './sender.ts'

/** What became of a new key. */
export type DeliveryResult =
  /** Handed over and valid; the old one is not any more. */
  | 'given'
  /** The person takes no DMs; nothing was changed. */
  | 'closed'
  /** It did not arrive; nothing was changed. */
  | 'undelivered'
  /** It arrived and could not be stored: worthless, as the person is told the same way. Nothing was changed. */
  | 'unstored'

/** Sends something to the person a key is for. Rejects with UndeliveredError. */
type Deliver = (reply: Reply) => Promise<void>

export const UNSTORED =
  'That key could not be stored and does not work; please try again later. Nothing was changed: a key you had before stays as it was.'

/** What the message with a key says beside it. */
interface KeyWords {
  /** Why there is a new key, when nobody asked for one. */
  readonly because?: string
  /** How the next one is asked for. */
  readonly command: string
}

interface KeyDeliveryDeps {
  readonly keys: Keys
  readonly sender: Sender
  readonly log: Log
  readonly externalUrl: string | undefined
}

/**
 * Hands out new keys so that nobody is left without one: a key is accepted from the moment its owner can see it, the old
 * one comes back when that failed, and only what was delivered is stored.
 */
export class KeyDelivery {
  readonly #deps: KeyDeliveryDeps
  /** The last delivery to each person that is not done yet. */
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(deps: KeyDeliveryDeps) {
    this.#deps = deps
  }

  /** One person's keys are made one after the other, so that the last one delivered is the valid one. */
  deliver(userId: string, words: KeyWords, deliver: Deliver): Promise<DeliveryResult> {
    return this.#inTurn(userId, () => this.#handOver(userId, words, deliver))
  }

  deliverByDm(userId: string, words: KeyWords): Promise<DeliveryResult> {
    return this.deliver(userId, words, reply => this.#deps.sender.toPerson(userId, reply))
  }

  /** Runs the work when everything asked for before by this person is done. */
  #inTurn<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#last.get(userId) ?? Promise.resolve()).then(work, work)
    this.#last.set(userId, turn)
    const leave = () => this.#last.get(userId) === turn && this.#last.delete(userId)
    turn.then(leave, leave)
    return turn
  }

  async #handOver(userId: string, words: KeyWords, deliver: Deliver): Promise<DeliveryResult> {
    const { keys, log } = this.#deps
    const replaces = keys.count(userId) > 0
    const draft = keys.draft(userId)
    draft.present()
    try {
      await deliver({ embed: this.#describeKey(draft.key, userId, words, replaces) })
    } catch (error) {
      draft.withdraw()
      if (!(error instanceof UndeliveredError)) throw error
      return error.reason === 'closed' ? 'closed' : 'undelivered'
    }
    try {
      await draft.activate()
      return 'given'
    } catch (error) {
      draft.withdraw()
      log.error('a new key could not be stored', { error: describeError(error) })
      await deliver({ content: UNSTORED }).catch(() => {})
      return 'unstored'
    }
  }

  #describeKey(key: string, userId: string, { because = '', command }: KeyWords, replaces: boolean) {
    const { externalUrl = '' } = this.#deps
    const description = [
      because,
      // As code, or the underscores in it would turn into italics.
      `||\`${key}\`||`,
      replaces ? 'The key you had before has stopped working.' : '',
      'It is secret: whoever has it can change your key-value pairs. Keep it out of web pages and messages; a key I see in one is revoked.',
      `Your presence is public at ${externalUrl}/v1/users/${userId}, without a key. \`${command}\` makes a new one.`,
    ]
    return { title: 'Your Exoix API key', description: description.filter(line => line !== '').join('\n\n') }
  }
}

interface LeakGuardDeps {
  readonly keys: Keys
  readonly delivery: KeyDelivery
  readonly metrics: Metrics
  readonly log: Log
  /** How a new key is asked for. */
  readonly command: string
}

/** Makes keys worthless that have been seen where others may see them. */
export class LeakGuard {
  readonly #deps: LeakGuardDeps
  readonly #revoked: Counter

  constructor(deps: LeakGuardDeps) {
    this.#deps = deps
    this.#revoked = deps.metrics.counter(
      'bot_keys_revoked_total',
      'Keys revoked because they appeared in a message, a name, a status or a pair',
    )
  }

  /** Ids of the people whose live keys stand in the text. */
  leaked(text: string): readonly string[] {
    return this.#deps.keys.leaked(text)
  }

  /**
   * Revokes these people's keys, before anything else, and sends them new ones. Resolves with what to say where the key
   * was seen. Never rejects.
   */
  async protect(owners: readonly string[], where: string): Promise<{ reached: boolean; notice: string }> {
    await Promise.all(owners.map(userId => this.#revoke(userId)))
    const reached = await this.#replace(owners, where)
    const rest = reached
      ? 'its owner has a new one by direct message'
      : 'its owner cannot be reached by direct message and gets a new one with `/apikey`'
    return { reached, notice: `That contained an API key. The key has been revoked; ${rest}.` }
  }

  /** Sends new keys to people whose keys have been revoked already because they appeared there. */
  async replace(owners: readonly string[], where: string): Promise<void> {
    this.#revoked.inc(owners.length)
    await this.#replace(owners, where)
  }

  async #replace(owners: readonly string[], where: string): Promise<boolean> {
    const { delivery, command } = this.#deps
    const because = `Your API key appeared in ${where}, so I revoked it. This is your new one:`
    const results = await Promise.all(owners.map(userId => delivery.deliverByDm(userId, { because, command })))
    return results.every(result => result === 'given')
  }

  async #revoke(userId: string): Promise<void> {
    this.#revoked.inc()
    try {
      await this.#deps.keys.revoke(userId)
    } catch (error) {
      // Worthless in this process all the same, and tried again until it is so for good.
      this.#deps.log.error('a leaked key could not be removed from the store yet', {
        userId,
        error: describeError(error),
      })
    }
  }
}
