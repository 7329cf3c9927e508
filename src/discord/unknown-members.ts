/** People somebody spoke of who are not in the store: whom to ask Discord about, and not too often. */
export interface Strangers {
  /** False when there are too many to remember. */
  add(guildId: string, userId: string, now: number): boolean
  /** Takes up to a hundred people of one guild, when it is time for them. */
  take(now: number): { guildId: string; userIds: string[] } | undefined
  /** When `take` should be called next; infinite when nobody waits. */
  nextAt(): number
  forgetGuild(guildId: string): void
}

/** As many as one request may name (docs: Gateway Events, "Request Guild Members"). */
const BATCH = 100
/** People remembered, waiting or asked about. */
const MOST = 20_000

/** `gatherMs`: how long to gather before asking. `againMs`: how long somebody who was asked about is not asked about again. */
export function createStrangers(gatherMs: number, againMs: number): Strangers {
  const waiting = new Map<string, { since: number; ids: Set<string> }>()
  const known = new Map<string, number>()

  /** Maps keep the order of insertion, so the oldest come first. */
  function expire(now: number): void {
    for (const [key, at] of known) {
      if (now - at < againMs) return
      known.delete(key)
    }
  }

  const due = ({ since, ids }: { since: number; ids: Set<string> }) => (ids.size >= BATCH ? since : since + gatherMs)

  return {
    add(guildId, userId, now) {
      expire(now)
      const key = `${guildId}:${userId}`
      if (known.has(key)) return true
      if (known.size >= MOST) return false
      known.set(key, now)
      const group = waiting.get(guildId) ?? { since: now, ids: new Set() }
      group.ids.add(userId)
      waiting.set(guildId, group)
      return true
    },
    take(now) {
      for (const [guildId, group] of waiting) {
        if (due(group) > now) continue
        const userIds = [...group.ids].slice(0, BATCH)
        for (const id of userIds) group.ids.delete(id)
        if (group.ids.size === 0) waiting.delete(guildId)
        return { guildId, userIds }
      }
      return undefined
    },
    nextAt() {
      let next = Number.POSITIVE_INFINITY
      for (const group of waiting.values()) next = Math.min(next, due(group))
      return next
    },
    forgetGuild: guildId => void waiting.delete(guildId),
  }
}
