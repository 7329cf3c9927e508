/** People of one guild to ask Discord about in one request. */
export interface Batch {
  readonly guildId: string
  readonly userIds: readonly string[]
}

/** As many as one request may name (docs: Gateway Events, "Request Guild Members"). */
const BATCH = 100

/** Gathers people of guilds for a while, so that many are asked about in few requests. Times are milliseconds. */
export class Gathering {
  readonly #waiting = new Map<string, { readonly since: number; readonly ids: Set<string> }>()
  readonly #gatherMs: number

  constructor(gatherMs: number) {
    this.#gatherMs = gatherMs
  }

  add(guildId: string, userId: string, now: number): void {
    const group = this.#waiting.get(guildId)
    if (group === undefined) this.#waiting.set(guildId, { since: now, ids: new Set([userId]) })
    else group.ids.add(userId)
  }

  delete(guildId: string, userId: string): void {
    const group = this.#waiting.get(guildId)
    group?.ids.delete(userId)
    if (group?.ids.size === 0) this.#waiting.delete(guildId)
  }

  forgetGuild(guildId: string): void {
    this.#waiting.delete(guildId)
  }

  /** Takes up to a hundred people of one guild, when it is time for them. */
  take(now: number): Batch | undefined {
    for (const [guildId, group] of this.#waiting) {
      if (this.#dueAt(group) > now) continue
      const userIds = [...group.ids].slice(0, BATCH)
      for (const id of userIds) this.delete(guildId, id)
      return { guildId, userIds }
    }
    return undefined
  }

  /** When `take` should be called next; infinite when nobody waits. */
  nextAt(): number {
    let next = Number.POSITIVE_INFINITY
    for (const group of this.#waiting.values()) next = Math.min(next, this.#dueAt(group))
    return next
  }

  #dueAt({ since, ids }: { since: number; ids: ReadonlySet<string> }): number {
    return ids.size >= BATCH ? since : since + this.#gatherMs
  }
}
