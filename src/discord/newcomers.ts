import { type Batch, Gathering } from './gathering.ts'

interface Question {
  readonly guildId: string
  readonly userId: string
  tries: number
  /** When and with which nonce it was asked last; infinite while it waits to be asked. */
  askedAt: number
  nonce: string
}

/** How often somebody is asked about before nobody is expected to answer. */
const TRIES = 2
/** People waited for at once. */
const MOST = 20_000

/**
 * People who have just joined. GUILD_MEMBER_ADD tells no presence, and no PRESENCE_UPDATE follows it, so Discord is asked
 * how they appear; they are shown once it has said so. Times are milliseconds.
 */
export class Newcomers {
  readonly #gathering: Gathering
  readonly #answerMs: number
  readonly #questions = new Map<string, Question>()

  /** How long to gather, and how long to wait for an answer. */
  constructor(gatherMs: number, answerMs: number) {
    this.#gathering = new Gathering(gatherMs)
    this.#answerMs = answerMs
  }

  /** False when too many are waited for already. */
  add(guildId: string, userId: string, now: number): boolean {
    const key = keyOf(guildId, userId)
    if (this.#questions.has(key)) return true
    if (this.#questions.size >= MOST) return false
    this.#ask({ guildId, userId, tries: 0, askedAt: Number.POSITIVE_INFINITY, nonce: '' }, now)
    return true
  }

  /** Who is to be asked about now, if anybody. */
  take(now: number, nonce: string): Batch | undefined {
    const batch = this.#gathering.take(now)
    for (const userId of batch?.userIds ?? []) {
      const question = this.#questions.get(keyOf(batch?.guildId ?? '', userId))
      if (question !== undefined) Object.assign(question, { tries: question.tries + 1, askedAt: now, nonce })
    }
    return batch
  }

  /** Somebody need not be waited for any more: Discord has told of them, or they have left. False when nobody did. */
  delete(guildId: string, userId: string): boolean {
    this.#gathering.delete(guildId, userId)
    return this.#questions.delete(keyOf(guildId, userId))
  }

  /** Takes those whom a request with this nonce named. */
  takeRefused(nonce: string): readonly string[] {
    return this.#take(question => question.nonce === nonce)
  }

  /** Asks again about those of whom no answer came. Takes those about whom there is no asking any more. */
  takeOverdue(now: number): readonly string[] {
    const isOverdue = ({ askedAt }: Question) => now - askedAt >= this.#answerMs
    for (const question of [...this.#questions.values()]) {
      if (isOverdue(question) && question.tries < TRIES) this.#ask(question, now)
    }
    return this.#take(isOverdue)
  }

  forgetGuild(guildId: string): void {
    this.#gathering.forgetGuild(guildId)
    this.#take(question => question.guildId === guildId)
  }

  /** A new connection: what was asked on the old one may have been lost. */
  askAgain(now: number): void {
    for (const question of [...this.#questions.values()]) this.#ask({ ...question, tries: 0 }, now)
  }

  /** When something is to be done next; infinite when nobody is waited for. */
  nextAt(): number {
    let next = this.#gathering.nextAt()
    for (const { askedAt } of this.#questions.values()) next = Math.min(next, askedAt + this.#answerMs)
    return next
  }

  #ask(question: Question, now: number): void {
    const { guildId, userId } = question
    this.#questions.set(keyOf(guildId, userId), { ...question, askedAt: Number.POSITIVE_INFINITY, nonce: '' })
    this.#gathering.add(guildId, userId, now)
  }

  #take(isMeant: (question: Question) => boolean): readonly string[] {
    const taken = [...this.#questions.values()].filter(isMeant)
    for (const { guildId, userId } of taken) this.delete(guildId, userId)
    return taken.map(({ userId }) => userId)
  }
}

const keyOf = (guildId: string, userId: string) => `${guildId}:${userId}`
