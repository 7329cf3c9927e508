/** Who is in which guild. */
export interface Rosters {
  add(guildId: string, userId: string): void
  /** False when they were not in it. */
  delete(guildId: string, userId: string): boolean
  /** Removes the guild and tells who was in it. */
  take(guildId: string): Iterable<string>
  /** Those in the guild who are not among the given. They may be deleted while this is read. */
  others(guildId: string, userIds: ReadonlySet<string>): Iterable<string>
  /** Guilds that have members here. */
  guildIds(): IterableIterator<string>
}

const NOBODY: ReadonlySet<string> = new Set()

export function createRosters(): Rosters {
  const guilds = new Map<string, Set<string>>()
  return {
    add(guildId, userId) {
      const known = guilds.get(guildId)
      if (known === undefined) guilds.set(guildId, new Set([userId]))
      else known.add(userId)
    },
    delete: (guildId, userId) => guilds.get(guildId)?.delete(userId) ?? false,
    take(guildId) {
      const members = guilds.get(guildId) ?? []
      guilds.delete(guildId)
      return members
    },
    others: (guildId, userIds) => (guilds.get(guildId) ?? NOBODY).values().filter(id => !userIds.has(id)),
    guildIds: () => guilds.keys(),
  }
}
