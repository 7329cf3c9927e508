import type { Keys } from '../../domain/keys.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { type Outbox, UndeliveredError } from './outbox.ts'
import type { Reply } from './reply.ts'

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
export type Deliver = (reply: Reply) => Promise<void>

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

export interface KeyDeskDeps {
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
