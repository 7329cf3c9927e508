const NOBODY: ReadonlySet<string> = new Set()

/** Who is in which guild. */
export class Rosters {
  readonly #guilds = new Map<string, Set<string>>()

  add(guildId: string, userId: string): void {
    const known = this.#guilds.get(guildId)
    if (known === undefined) this.#guilds.set(guildId, new Set([userId]))
    else known.add(userId)
  }

  /** False when they were not in it. */
  delete(guildId: string, userId: string): boolean {
    return this.#guilds.get(guildId)?.delete(userId) ?? false
  }

  /** Removes the guild and tells who was in it. */
  take(guildId: string): Iterable<string> {
    const members = this.#guilds.get(guildId) ?? NOBODY
    this.#guilds.delete(guildId)
    return members
  }

  /** Those in the guild who are not among the given. They may be deleted while this is read. */
  others(guildId: string, userIds: ReadonlySet<string>): Iterable<string> {
    return (this.#guilds.get(guildId) ?? NOBODY).values().filter(id => !userIds.has(id))
  }

  ids(): IterableIterator<string> {
    return this.#guilds.keys()
  }
}
