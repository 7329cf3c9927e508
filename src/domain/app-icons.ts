/** Icons of applications: what is shown of games that have no art of their own. */
export interface AppIcons {
  /**
   * The hash of an application's icon; null when it has none, or there is no such application. Asked of Discord at most
   * once a day. Rejects with `upstream_unavailable` while it cannot be told.
   */
  icon(applicationId: string): Promise<string | null>
}

/** An icon, as Discord told of it. */
export interface StoredIcon {
  readonly applicationId: string
  /** Its hash. */
  readonly icon: string
  /** When that was (ms since 1970). */
  readonly checkedAt: number
}

/** Where icons outlive the process. */
export interface AppIconStore {
  /** The newest of all, newest last. */
  loadIcons(): Iterable<StoredIcon>
  /** Resolves once it is durable. */
  storeIcon(icon: StoredIcon): Promise<void>
}
