import type { JsonObject } from './presence.ts'

/** Somebody's place in one guild that the bot shares with them. */
export interface Membership {
  readonly guildId: string
  readonly nick: string | null
  /** When Discord had made the presence this guild told last (ms). Kept for people in several guilds only. */
  readonly toldAt?: number
}

export const readNick = (member: JsonObject) => (typeof member.nick === 'string' ? member.nick : null)

/** When Discord had made a presence (ms). The field is undocumented; every presence of 2026 has it. */
export function readToldAt({ processed_at_timestamp: at }: JsonObject): number | undefined {
  return typeof at === 'number' ? at : undefined
}

/**
 * Whether a guild tells something older than another one has told already. Discord tells of people in several guilds
 * once for each of them, and two shards each in their own time: one that resumes after a minute tells again what the
 * other told long ago. What one guild tells is in order, so only others are compared with, and clocks need not agree.
 */
export function isOutdated(
  memberships: readonly Membership[],
  guildId: string,
  toldAt = Number.POSITIVE_INFINITY,
): boolean {
  return memberships.some(other => other.guildId !== guildId && (other.toldAt ?? 0) > toldAt)
}

/** The memberships after a guild has told a presence. */
export function withToldAt(
  memberships: readonly Membership[],
  guildId: string,
  toldAt?: number,
): readonly Membership[] {
  return memberships.map(one =>
    one.guildId === guildId ? { guildId, nick: one.nick, ...(toldAt !== undefined && { toldAt }) } : one,
  )
}
