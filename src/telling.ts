import type { JsonObject } from './presence.ts'

/** Which guild told a presence, and when Discord had made it (ms). */
export interface Telling {
  readonly guildId: string
  readonly at: number
}

/** Null when it does not say when. `processed_at_timestamp` is undocumented; every presence of 2026 has it. */
export function readTelling(guildId: unknown, { processed_at_timestamp: at }: JsonObject): Telling | null {
  return typeof guildId === 'string' && typeof at === 'number' ? { guildId, at } : null
}

/**
 * Discord tells of people in several guilds once for each of them, and two shards each in their own time: one that
 * resumes after a minute tells again what the other told long ago. What one guild tells is always in order, so only
 * another one's tellings are compared by time; Discord's clocks need not agree for that.
 */
export function isOutdated(next: Telling | null, last: Telling | null): boolean {
  return next !== null && last !== null && next.guildId !== last.guildId && next.at < last.at
}
