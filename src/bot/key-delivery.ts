import type { Keys } from '../domain/keys.ts'
import { describeError, type Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { Reply } from './reply.ts'
import { type Outbox, UndeliveredError } from './sender.ts'

/** What became of a new key. */
export type Handover =
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

/**
 * Hands out new keys so that nobody is left without one: a key is accepted from the moment its owner can see it, the old
 * one comes back when that failed, and only what was delivered is stored.
 */
export interface KeyDesk {
  /** One person's keys are made one after the other, so that the last one delivered is the valid one. */
  hand(userId: string, deliver: Deliver): Promise<Handover>
  handByDm(userId: string, because?: string): Promise<Handover>
}

interface KeyDeskDeps {
  keys: Keys
  outbox: Outbox
  log: Log
  commandPrefix: string
  externalUrl: string | undefined
}

export function createKeyDesk({ keys, outbox, log, commandPrefix, externalUrl = '' }: KeyDeskDeps): KeyDesk {
  const lines = new Map<string, Promise<unknown>>()

  /** Runs the work when everything asked for before by this person is done. */
  function inLine<T>(userId: string, work: () => Promise<T>): Promise<T> {
    const turn = (lines.get(userId) ?? Promise.resolve()).then(work, work)
    lines.set(userId, turn)
    const leave = () => lines.get(userId) === turn && lines.delete(userId)
    turn.then(leave, leave)
    return turn
  }

  async function handOver(userId: string, because: string, deliver: Deliver): Promise<Handover> {
    const draft = keys.draft(userId)
    draft.present()
    try {
      await deliver({ embed: describeKey(draft.key, userId, because) })
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

  function describeKey(key: string, userId: string, because: string) {
    const description = [
      because,
      // As code, or the underscores in it would turn into italics.
      `||\`${key}\`||`,
      'It is secret: whoever has it can change your key-value pairs. Keep it out of web pages and messages; a key I see in one is revoked.',
      `Your presence is public at ${externalUrl}/v1/users/${userId}, without a key. ${commandPrefix}apikey makes a new one.`,
    ]
    return { title: 'Your Exoix API key', description: description.filter(line => line !== '').join('\n\n') }
  }

  const hand: KeyDesk['hand'] = (userId, deliver) => inLine(userId, () => handOver(userId, '', deliver))
  return {
    hand,
    handByDm: (userId, because = '') =>
      inLine(userId, () => handOver(userId, because, reply => outbox.toPerson(userId, reply))),
  }
}

/** Makes keys worthless that have been seen where others may see them. */
export interface Guard {
  /** Ids of the people whose live keys stand in the text. */
  leaked(text: string): readonly string[]
  /**
   * Revokes these people's keys, before anything else, and sends them new ones. Resolves with what to tell where the key
   * was seen. Never rejects.
   */
  protect(owners: readonly string[], where: string): Promise<{ reached: boolean; notice: string }>
  /** Sends new keys to people whose keys have been revoked because they appeared there. Resolves with whether all came. */
  replace(owners: readonly string[], where: string): Promise<boolean>
}

interface GuardDeps {
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
      // Worthless in this process all the same, and tried again until it is so for good.
      log.error('a leaked key could not be removed from the store yet', { userId, error: describeError(error) })
    }
  }

  async function replace(owners: readonly string[], where: string): Promise<boolean> {
    const because = `Your API key appeared in ${where}, so I revoked it. This is your new one:`
    const outcomes = await Promise.all(owners.map(userId => desk.handByDm(userId, because)))
    return outcomes.every(outcome => outcome === 'given')
  }

  return {
    replace,
    leaked: text => keys.leaked(text),
    async protect(owners, where) {
      await Promise.all(owners.map(revoke))
      const reached = await replace(owners, where)
      const rest = reached
        ? 'its owner has a new one by direct message'
        : 'its owner cannot be reached by direct message and gets a new one with `/apikey`'
      return { reached, notice: `That contained an API key. The key has been revoked; ${rest}.` }
    },
  }
}
