import type { GithubSnapshot } from './github.ts'
import type { Person, Snapshot } from './person.ts'

export type { Membership, Person, Snapshot } from './person.ts'

/**
 * How much can be told at the moment: `starting` until the first member lists are in, then `ready` while the gateway
 * session is up and `reconnecting` while it is not.
 */
export type Readiness = 'starting' | 'ready' | 'reconnecting'

/** What a listener is told, after the change is in the store. Hidden people's changes are told to nobody. */
export interface Change {
  readonly id: string
  readonly kind: 'joined' | 'changed' | 'left'
  /** When Discord made the event that told it (ms since 1970), where the owner of the truth knows that. */
  readonly at?: number
}

/**
 * Who is shown, and how: all that a door needs to read. Memory only, so nothing here waits. The owner's presence store
 * is one, a copy that is fed from elsewhere may be another. Hidden people are as unknown as those who were never there.
 */
export interface Presences {
  readonly readiness: Readiness
  /** People who are shown. */
  readonly size: number
  /** Ids of everybody who is shown. */
  ids(): IterableIterator<string>
  has(userId: string): boolean
  /** The wire text, built at most once per change and only when asked for. Undefined for who is not shown. */
  snapshot(userId: string): Snapshot | undefined
  /** What cards and other services' shapes are made of. Undefined for who is not shown. */
  person(userId: string): Person | undefined
  /** The pairs of somebody who is shown. Of others only the owner of the truth is sure to know them. */
  kv(userId: string): ReadonlyMap<string, string>
  /** The linked GitHub account as it is shown; null when there is none. */
  account(userId: string): GithubSnapshot | null
  /** Hears of every change after it is in. Returns what ends that. */
  onChange(listener: (change: Change) => void): () => void
}

/** Presences that copies elsewhere are made from: they need to hear of what no wire text shows, too. */
export interface Source extends Presences {
  /** Whether nobody is shown because what is known cannot be trusted at the moment. Undefined for who owns the truth. */
  readonly withheld?: boolean
  /**
   * Hears whose nicknames or linked account are others than before; and, with undefined, when {@link readiness} is.
   * Returns what ends that.
   */
  onDetail(listener: (userId: string | undefined) => void): () => void
}
