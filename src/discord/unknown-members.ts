import { type Batch, Gathering } from './gathering.ts'

/** People remembered, waiting or asked about. */
const MOST = 20_000

/** People somebody spoke of who are not in the store: whom to ask Discord about, and not too often. */
export class UnknownMembers {
  readonly #gathering: Gathering
  readonly #againMs: number
  readonly #known = new Map<string, number>()

  /** How long to gather, and how long somebody who was asked about is not asked about again, milliseconds. */
  constructor(gatherMs: number, againMs: number) {
    this.#gathering = new Gathering(gatherMs)
    this.#againMs = againMs
  }

  /** False when there are too many to remember. */
  add(guildId: string, userId: string, now: number): boolean {
    this.#expire(now)
    const key = `${guildId}:${userId}`
    if (this.#known.has(key)) return true
    if (this.#known.size >= MOST) return false
    this.#known.set(key, now)
    this.#gathering.add(guildId, userId, now)
    return true
  }

  take(now: number): Batch | undefined {
    return this.#gathering.take(now)
  }

  nextAt(): number {
    return this.#gathering.nextAt()
  }

  forgetGuild(guildId: string): void {
    this.#gathering.forgetGuild(guildId)
  }

  /** Maps keep the order of insertion, so the oldest come first. */
  #expire(now: number): void {
    for (const [key, at] of this.#known) {
      if (now - at < this.#againMs) return
      this.#known.delete(key)
    }
  }
}
