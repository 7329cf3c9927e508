/** A linked account as others see it: JSON text of a {@link GithubAccount}. Another object after every change, so it can key caches. */
export interface GithubSnapshot {
  readonly json: string
}

/** What is shown of an account; null where GitHub has null. Source: GitHub docs, REST, "Get a user using their ID". */
export interface GithubAccount {
  /** Never changes; the login may. */
  readonly id: number
  readonly username: string
  readonly avatar_url: string | null
  /** The profile page. */
  readonly url: string | null
  readonly company: string | null
  readonly blog: string | null
  readonly bio: string | null
  readonly public_repos: number | null
}

/** One person's link, with the last good copy of the account. */
export interface StoredLink {
  readonly userId: string
  readonly githubId: number
  readonly login: string
  /** JSON text of a {@link GithubAccount}; null when GitHub said that there is no such account any more. */
  readonly account: string | null
  /** What GitHub wants to be asked with the next time. */
  readonly etag: string | null
  /** When GitHub gave that answer (ms). */
  readonly checkedAt: number
}

/** Where links are kept; never a token. Implementations: SQLite, as a file or `:memory:`. */
export interface GithubStore {
  /** Every link, read once at start. */
  loadLinks(): Iterable<StoredLink>
  /** Makes it the person's only link. Resolves once it is durable; rejects with `storage_unavailable`. */
  storeLink(link: StoredLink): Promise<void>
  /** Keeps a newer copy; does nothing when the person is not linked to that account any more. */
  updateLink(link: StoredLink): Promise<void>
  deleteLink(userId: string): Promise<void>
}

/** What a person has to do to prove that the account is theirs. */
export type Proof =
  /** Write the code into the profile's bio or a public gist, then ask to verify. */
  | {
      readonly kind: 'code'
      readonly login: string
      readonly code: string
      /** The profile. */
      readonly page: string
      readonly minutes: number
    }
  /** Enter the code on that page while signed in. `linked` settles when they have, or it failed (GithubProblem). */
  | {
      readonly kind: 'device'
      readonly code: string
      readonly page: string
      readonly minutes: number
      readonly linked: Promise<string>
    }

/** Why somebody's account was not linked. */
export type GithubProblemReason =
  /** Not what a GitHub name looks like. */
  | 'bad name'
  | 'no such account'
  /** Too many tries by this person; `seconds` until the next. */
  | 'too many tries'
  /** GitHub wants us to wait `seconds`. */
  | 'rate limited'
  /** GitHub did not answer as it should. */
  | 'outage'
  /** The operator's client id or token is refused. */
  | 'refused'
  /** Nothing to verify. */
  | 'nothing asked'
  | 'expired'
  /** The code is neither in the bio nor in a public gist of `login`. */
  | 'code not found'
  /** Nobody has entered the `code` on the `page` yet. */
  | 'waiting'
  | 'denied'
  /** Somebody signed in as `login`, which is not the account that was named. */
  | 'other account'
  /** Asked anew, or disconnected, meanwhile. */
  | 'replaced'

export interface GithubProblemDetails {
  /** How long to wait. */
  readonly seconds?: number
  readonly login?: string
  readonly code?: string
  readonly page?: string
}

/** Nothing was linked, and why. The words for people are the bot's. */
export class GithubProblem extends Error {
  override readonly name = 'GithubProblem'
  constructor(
    readonly reason: GithubProblemReason,
    readonly details: GithubProblemDetails = {},
  ) {
    super(`GitHub connection: ${reason}`)
  }
}

/** People's GitHub accounts: linked once proved, shown by the presence store, kept fresh in the background while somebody looks. */
export interface Github {
  /** Somebody looks at a person's account: what keeps it among those that are refreshed. Costs next to nothing. */
  looked(userId: string): void
  /** The login of the linked account. */
  login(userId: string): string | undefined
  /** Starts to link the account of that name. An earlier link stays until the new one is proved. Rejects with GithubProblem. */
  connect(userId: string, name: string): Promise<Proof>
  /** Looks for the code a person was told; resolves with the login. Rejects with GithubProblem, or `storage_unavailable`. */
  verify(userId: string): Promise<string>
  /** Forgets a person's link, and what is under way. Resolves with whether there was a link. */
  disconnect(userId: string): Promise<boolean>
  /** Drops a person from memory; for when the store has erased them already. */
  forget(userId: string): void
  /** Ends what is under way. */
  stop(): void
}
